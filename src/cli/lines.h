/* A file or pipe as lines, many at a time, in memory that does not grow with it. */
#ifndef CLI_LINES_H
#define CLI_LINES_H

#include "base/stream.h"

enum { LINES_MOST = 8192, LINE_LIMIT = 256 << 20 };

struct lines {
    struct stream *in;
    se_buf room;               /* wiped: lines may be secrets */
    size_t begin, end;         /* what of it was read and not yet handed out */
    bool ended;                /* there is no more to read */
    uint64_t number;           /* of the first line of `list`, from 1 */
    uint64_t consumed;         /* bytes handed out so far */
    se_bytes list[LINES_MOST]; /* without their LF; until the next call */
    size_t count;
};

SE_MUST_CHECK se_status lines_new(struct lines **out, struct stream *in, se_error *err);
void lines_free(struct lines *lines); /* accepts NULL */
AUTO_KIND(lines, struct lines *, lines_free(*p))

/* The next lines; none at the end. */
SE_MUST_CHECK se_status lines_next(struct lines *lines, se_error *err);

#endif
