/* SPDX-License-Identifier: Apache-2.0 */
/* Reads lines of any length: a long one comes in pieces. */
#ifndef MAIL_LINE_READER_H
#define MAIL_LINE_READER_H

#include "base/stream.h"

enum eol {
    EOL_NONE, /* the input ended */
    EOL_LF,
    EOL_CRLF,
};

struct line {
    se_bytes text;     /* without its end; lasts until the next one is asked for */
    bool begins, ends; /* false: a piece of a long line */
    enum eol eol;      /* of a piece that ends a line */
};

struct line_reader {
    struct stream *in;
    unsigned char *room; /* LINE_READER_ROOM */
    size_t at, end;
    bool middle; /* of a long line */
    bool over;   /* the input has ended */
    size_t line; /* the number of the line that was handed out last, from 1 */
};

enum { LINE_READER_ROOM = 32 << 10 };

SE_MUST_CHECK se_status line_reader_open(struct line_reader *out, struct stream *in, se_error *err);
void line_reader_close(struct line_reader *lines);
AUTO_KIND(line_reader, struct line_reader, line_reader_close(p))

/* false in *more: there is none. */
SE_MUST_CHECK se_status line_reader_next(struct line *out, bool *more, struct line_reader *lines,
                                         se_error *err);

/* The input that is in memory and begins with a line; nothing in the middle of one.  Lasts until
 * the next line is asked for. */
se_bytes line_reader_ready(const struct line_reader *lines);
/* Goes past `count` whole lines of it. */
void line_reader_skip(struct line_reader *lines, size_t size, size_t count);

/* Whether a whole line holds nothing, or only blanks. */
bool line_is_empty(const struct line *line);
bool line_is_blank(const struct line *line);

/* The size of a text without the blanks at its end. */
size_t trimmed_size(se_bytes text);
struct line line_trimmed(const struct line *line);

/* "\r\n", "\n" or "" */
const char *eol_text(enum eol eol);

#endif
