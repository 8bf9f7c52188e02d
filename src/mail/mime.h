/* What fields mean, by GMime. */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include "base/buf.h"

enum { BOUNDARY_LIMIT = 255 };

/* A Content-Type (RFC 2045, 5); parameters that are not there are empty. */
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

/* What it says that was done with it (RFC 1847, 2; RFC 8551, 3.2.2); certificates and compressed
 * data are neither signed nor encrypted. */
enum media_seal { SEAL_NONE, SEAL_SIGNED, SEAL_ENCRYPTED };
enum media_seal media_seal(const struct media *media);

/* Mail addresses, without names and comments; domains as the DNS and certificates have them, "xn--"
 * (RFC 5280, 7.5). */
struct addresses {
    char **list;
    size_t count, room;
};
void addresses_free(struct addresses *addresses);
AUTO_KIND(addresses, struct addresses, addresses_free(p))

/* Those of a field's value (RFC 5322, 3.4), of groups too. */
SE_MUST_CHECK se_status addresses_read(struct addresses *out, const char *value, se_error *err);

/* A field's value, its encoded words decoded (RFC 2047), NUL-terminated.  The caller releases *out.
 */
SE_MUST_CHECK se_status words_decode(se_buf *out, const char *value, se_error *err);

#endif
