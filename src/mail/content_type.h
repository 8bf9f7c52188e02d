/* Content-Type fields by the grammar of RFC 2045, 5.1, to the letter: what is not of it, readers
 * read differently. */
#ifndef MAIL_CONTENT_TYPE_H
#define MAIL_CONTENT_TYPE_H

#include "base/buf.h"

enum { CONTENT_TYPE_BOUNDARY = 70 }; /* RFC 2046, 5.1.1 */

struct content_type {
    se_bytes type;     /* "text/plain", as it is written */
    se_bytes boundary; /* empty: none */
};

/* Of a field's value with its line ends.  Returns what is wrong, as "it has a comment"; NULL:
 * nothing. */
const char *content_type_read(struct content_type *out, se_bytes value);

#endif
