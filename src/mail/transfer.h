/* Base64 in lines (RFC 2045, 6.8), written as no relay has a reason to change it. */
#ifndef MAIL_TRANSFER_H
#define MAIL_TRANSFER_H

#include "base/buf.h"

enum {
    BASE64_LINE = 76,
    BASE64_LINE_BYTES = BASE64_LINE / 4 * 3,
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
void base64_end(struct base64_lines *b);

/* How far a text is base64: groups of four letters, padding at the end, blanks at line ends. */
struct base64_form {
    unsigned letters, padding; /* of the last group */
    bool blank;                /* one has been seen in this line */
};
/* More of it, in a line that begins there, or goes on.  Returns how much of it is base64. */
size_t base64_form_take(struct base64_form *form, se_bytes text, bool begins);
/* It may end here, and nobody misses anything. */
bool base64_form_is_whole(const struct base64_form *form);

/*
 * Base64 wrapped anew into `out`, the line end only between lines.  Its letters and its padding
 * stay as they are: what an end without padding means, and bits that nothing is made of, is the
 * reader's business.
 */
struct base64_wrap {
    struct writer *out;
    const char *eol;
    struct base64_form form;
    unsigned char held[BASE64_LINE];
    size_t held_size;
    bool begun;
};
/* Returns how much of it was base64 and was taken; the rest is not. */
size_t base64_wrap_put(struct base64_wrap *w, se_bytes text, bool begins);
void base64_wrap_end(struct base64_wrap *w);

/* Base64 as it is found: what is no letter of it is passed over (RFC 2045, 6.8), and what follows
 * padding begins anew. */
struct base64_reader {
    unsigned value, letters;
};
/* At most text.size / 4 * 3 + 3 bytes go to `out`; returns how many. */
size_t base64_read(unsigned char *out, struct base64_reader *reader, se_bytes text);
/* The bytes of an end without padding, at most 2. */
size_t base64_read_end(unsigned char *out, struct base64_reader *reader);
/* 76 letters without padding. */
bool base64_is_full_line(se_bytes text);

#endif
