/* Content transfer encodings (RFC 2045, 6), written as no relay has a reason to change them: short lines, no trailing blanks, no "From ".
 */
#ifndef MAIL_TRANSFER_H
#define MAIL_TRANSFER_H

#include "base/buf.h"

enum {
    BASE64_LINE = 76,
    BASE64_LINE_BYTES = BASE64_LINE / 4 * 3,
    QP_LINE = 76,
};

/* Lines of base64 into `out`, the line end only between them. */
struct base64_lines {
    struct writer *out;
    const char *eol;
    unsigned char held[BASE64_LINE_BYTES];
    size_t held_size;
    bool begun;
};
void base64_put(struct base64_lines *b, se_bytes data);
/* A line of the right form that is taken as it is; only where base64_is_even(). */
void base64_put_line(struct base64_lines *b, se_bytes line);
bool base64_is_even(const struct base64_lines *b);
void base64_end(struct base64_lines *b);

/* Base64 as it is found: what is no letter of it is passed over (RFC 2045, 6.8), and what follows padding begins anew. */
struct base64_reader {
    unsigned value, letters;
};
/* At most text.size / 4 * 3 + 3 bytes go to `out`; returns how many. */
size_t base64_read(unsigned char *out, struct base64_reader *reader, se_bytes text);
/* The bytes of an end without padding, at most 2. */
size_t base64_read_end(unsigned char *out, struct base64_reader *reader);
/* 76 letters without padding. */
bool base64_is_full_line(se_bytes text);

/* Quoted-printable into `out`, the line end only between lines. */
struct qp_lines {
    struct writer *out;
    const char *eol;
    size_t column;
    unsigned char blank; /* held back: it depends on what follows; 0: none */
    bool begun, soft;    /* `soft`: the last line end was one of ours */

    /* reading quoted-printable */
    unsigned char escape[2];
    size_t escape_size; /* "=" and a digit that were seen */
};
/* A line, or a piece of one. */
void qp_put(struct qp_lines *q, se_bytes text, bool begins, bool ends);
/* The same of text that is quoted-printable already. */
void qp_put_encoded(struct qp_lines *q, se_bytes text, bool begins, bool ends);

#endif
