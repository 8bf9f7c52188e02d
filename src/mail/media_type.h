/* SPDX-License-Identifier: Apache-2.0 */
/* Content-Type: what it means, by GMime, and whether it is as RFC 2045, 5.1 has it. */
#ifndef MAIL_MEDIA_TYPE_H
#define MAIL_MEDIA_TYPE_H

#include "base/buf.h"

/* For ever: others in the process may use GMime too. */
void gmime_start(void);

enum { BOUNDARY_LIMIT = 255 };

/* Parameters that are not there are empty. */
struct media {
    char type[128]; /* "text/plain", in small letters */
    char boundary[BOUNDARY_LIMIT + 1];
    char protocol[64], smime_type[64], hp[16], forwarded[8]; /* in small letters */
    char protected_headers[8];
};

/* `value` may be empty: "text/plain", as for a field that is missing (RFC 2045, 5.2). */
void media_read(struct media *out, const char *value);

/* Whether its first word is `major`, as "multipart". */
bool media_is(const struct media *media, const char *major);
bool media_is_signature(const char *type); /* application/pkcs7-signature */
bool media_is_cms(const char *type);       /* application/pkcs7-mime */

/* Whether it claims a signature or encryption (RFC 1847, 2; RFC 8551, 3.2.2).  Certificates and
 * compressed data are neither. */
enum media_seal { SEAL_NONE, SEAL_SIGNED, SEAL_ENCRYPTED };
enum media_seal media_seal(const struct media *media);

/* ---- to the letter: what is not of the grammar, readers read differently ---- */

enum { CONTENT_TYPE_BOUNDARY = 70 }; /* RFC 2046, 5.1.1 */

struct content_type {
    se_bytes type;     /* "text/plain", as it is written */
    se_bytes boundary; /* empty: none */
};

/* Reads a field's value with its line ends.  Returns what is wrong, as "it has a comment"; NULL:
 * nothing. */
const char *content_type_read(struct content_type *out, se_bytes value);

#endif
