/* Lines as they come, however long they are: a long one in pieces. */
#ifndef MAIL_INTAKE_H
#define MAIL_INTAKE_H

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

struct intake {
    struct stream *in;
    unsigned char *room; /* INTAKE_ROOM */
    size_t at, end;
    bool middle; /* of a long line */
    bool over;   /* the input has ended */
    size_t line; /* the number of the line that was handed out last, from 1 */
};

enum { INTAKE_ROOM = 32 << 10 };

SE_MUST_CHECK se_status intake_open(struct intake *out, struct stream *in, se_error *err);
void intake_close(struct intake *lines);
AUTO_KIND(intake, struct intake, intake_close(p))

/* false in *more: there is none. */
SE_MUST_CHECK se_status intake_next(struct line *out, bool *more, struct intake *lines,
                                    se_error *err);

/* What has been read and begins with a line; nothing in the middle of one.  It lasts until the next
 * one is asked for. */
se_bytes intake_ready(const struct intake *lines);
/* Goes past `count` whole lines of it. */
void intake_skip(struct intake *lines, size_t size, size_t count);

/* Whether a whole line holds nothing, or only blanks. */
bool line_is_empty(const struct line *line);
bool line_is_blank(const struct line *line);

/* Without the blanks at its end. */
struct line line_trimmed(const struct line *line);

/* "\r\n", "\n" or "" */
const char *eol_text(enum eol eol);

#endif
