/* Quoted-printable (RFC 2045, 6.7), written as no relay has a reason to change it: short lines, no
 * trailing blanks, no "From ". */
#ifndef MAIL_QUOTED_PRINTABLE_H
#define MAIL_QUOTED_PRINTABLE_H

#include "base/buf.h"

enum { QP_LINE = 76 };

/* Quoted-printable into `out`, the line end only between lines. */
struct qp_lines {
    struct writer *out;
    const char *eol;
    size_t column;
    unsigned char blank; /* held back: it depends on what follows; 0: none */
    bool begun, soft;    /* `soft`: the last line that was read ends in "=" */

    /* reading quoted-printable */
    unsigned char escape[2];
    size_t escape_size; /* "=" and a digit that were seen */
};
/* A line, or a piece of one. */
void qp_put(struct qp_lines *q, se_bytes text, bool begins, bool ends);
/* The same of text that is quoted-printable already; qp_end_encoded() behind its last line. */
void qp_put_encoded(struct qp_lines *q, se_bytes text, bool begins, bool ends);
void qp_end_encoded(struct qp_lines *q);

#endif
