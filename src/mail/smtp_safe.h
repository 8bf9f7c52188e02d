/* What no relay changes: 7 bits, no long lines, no trailing blanks, no line that begins with "From
 * ". */
#ifndef MAIL_SMTP_SAFE_H
#define MAIL_SMTP_SAFE_H

#include "mail/line_reader.h"

/* A whole line of it. */
bool line_is_safe(se_bytes line);

/* Whole lines of it that follow each other, with their ends, which are alike. */
struct stretch {
    se_bytes lines;
    size_t count;
    enum eol eol;
};

/* Those that `text`, in which a line begins, begins with; none that may be a boundary (RFC
 * 2046, 5.1.1). */
struct stretch stretch_find(se_bytes text);

/* With CRLF between them, and without the last one's end. */
void stretch_put(struct writer *out, const struct stretch *stretch);

/* A header field of it, whatever it was before: what it says stays. */
void field_put_safe(struct writer *out, se_bytes field);

#endif
