/* SPDX-License-Identifier: Apache-2.0 */
/* Mail addresses in fields: as GMime reads them, and by the grammar of RFC 5322, 3.4. */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include "base/buf.h"

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

/* ---- the one mailbox of a From field: what is not of the grammar, readers read differently ----
 */

enum { MAILBOX_ROOM = 320 };

enum mailbox_forms {
    MAILBOX_STRICT,
    MAILBOX_OBSOLETE, /* allows blanks and comments within the address (4.4), brackets in names, and
                         a group of one, as drafts have them */
};

/*
 * `value` in one line.  `out`: the address, without blanks and comments in it.  Returns what is
 * wrong, as "has several addresses"; NULL: nothing.
 */
const char *mailbox_read(char out[MAILBOX_ROOM], const char *value, enum mailbox_forms forms);

/*
 * Whether encoded words (RFC 2047) hide an "@" that is not the address's: readers that decode a
 * field before they parse it find another address there.  `decoded`: the value with its encoded
 * words decoded.
 */
bool mailbox_hides_another(const char *value, const char *decoded, const char *address);

#endif
