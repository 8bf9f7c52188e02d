/* SPDX-License-Identifier: Apache-2.0 */
/* A body of lines (NDJSON), some at a time, in constant memory; empty lines are passed over. */
#ifndef DAEMON_LINE_SOURCE_H
#define DAEMON_LINE_SOURCE_H

#include "daemon/body.h"

enum { LINE_MOST = 1 << 20, LINES_MOST = 1000 };

struct body_line {
    se_bytes text; /* without its end; lasts until the next line_source_fill() */
    bool too_long; /* it has more than LINE_MOST bytes, and no text */
};

struct line_source {
    struct body_reader reader;
    se_buf buffer;
    size_t begin, end; /* of what is there and was not taken */
    bool skipping;     /* of a line that is too long */
    bool ended;        /* the body has been read */
};

/* The body has to outlive it; the caller ends it with line_source_end(). */
SE_MUST_CHECK se_status line_source_open(struct line_source *out, const struct body *body,
                                         se_error *err);

/* Reads what there is room for. */
SE_MUST_CHECK se_status line_source_fill(struct line_source *source, se_error *err);

/* False: there is no whole line in what was read. */
bool line_source_take(struct body_line *out, struct line_source *source);

/* All lines have been taken. */
bool line_source_is_done(const struct line_source *source);

void line_source_end(struct line_source *source);
AUTO_KIND(line_source, struct line_source, line_source_end(p))

#endif
