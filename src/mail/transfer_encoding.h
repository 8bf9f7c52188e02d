/* SPDX-License-Identifier: Apache-2.0 */
/* Content-Transfer-Encoding (RFC 2045, 6), written as no relay has a reason to change it: short
 * lines, no trailing blanks, no "From ". */
#ifndef MAIL_TRANSFER_ENCODING_H
#define MAIL_TRANSFER_ENCODING_H

#include "base/buf.h"

/* ---- base64 (RFC 2045, 6.8) ---- */

enum {
    BASE64_LINE = 76,
    BASE64_LINE_BYTES = BASE64_LINE / 4 * 3,
};

/* How far a text is base64: groups of four letters, padding at the end, blanks at line ends. */
struct base64_form {
    unsigned letters, padding; /* of the last group */
    bool blank;                /* one has been seen in this line */
};
/* Takes more text, of a line that begins here or goes on.  Returns how much of it is base64. */
size_t base64_form_take(struct base64_form *form, se_bytes text, bool begins);
/* It may end here, and nobody misses anything. */
bool base64_form_is_whole(const struct base64_form *form);

/* Lines of base64 into `out`, the line end only between them. */
struct base64_lines {
    struct writer *out;
    const char *eol;
    struct base64_form form;         /* of base64 that is wrapped anew */
    unsigned char held[BASE64_LINE]; /* less than a line of bytes, or of letters */
    size_t held_size;
    bool begun, wraps;
};
void base64_lines_encode(struct base64_lines *b, se_bytes data);
/* Wraps base64 anew: its letters and its padding stay as they are; an end without padding and
 * bits left over are the reader's business.  Returns how much of the text was base64 and was
 * taken. */
size_t base64_lines_wrap(struct base64_lines *b, se_bytes text, bool begins);
void base64_lines_end(struct base64_lines *b);

/* ---- quoted-printable (RFC 2045, 6.7) ---- */

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
