/* SPDX-License-Identifier: Apache-2.0 */
/* What no relay changes: 7 bits, no long lines, no trailing blanks, no line that begins with "From
 * ". */
#ifndef MAIL_SMTP_SAFE_H
#define MAIL_SMTP_SAFE_H

#include "mail/line_reader.h"

/* A whole line of it. */
bool line_is_safe(se_bytes line);

/* Successive safe lines with their ends, which are alike. */
struct stretch {
    se_bytes lines;
    size_t count;
    enum eol eol;
};

/* The safe lines at the start of `text`, where a line begins; none of them may be a boundary
 * (RFC 2046, 5.1.1). */
struct stretch stretch_find(se_bytes text);

/* With CRLF between them, and without the last one's end. */
void stretch_put(struct writer *out, const struct stretch *stretch);

/* Makes a header field safe; its meaning stays. */
void field_put_safe(struct writer *out, se_bytes field);

#endif
