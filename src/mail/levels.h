/* The multiparts that a line is in (RFC 2046, 5.1), the innermost one last. */
#ifndef MAIL_LEVELS_H
#define MAIL_LEVELS_H

#include "mail/intake.h"
#include "mail/mime.h"

enum { DEPTH_LIMIT = 200 };

struct level {
    char *boundary;
    size_t size;    /* of the boundary; 0: there is none */
    bool digest;    /* its parts are messages unless they say otherwise (RFC 2046, 5.1.5) */
    bool has_parts; /* its boundary has been seen */
    size_t
        lost; /* the number of the first line in its margins that can't stay as it is; 0: all can */
};

struct levels {
    struct level list[DEPTH_LIMIT];
    size_t depth;
};
void levels_free(struct levels *levels);

/* Enters a multipart. */
SE_MUST_CHECK se_status levels_push(struct levels *levels, const struct media *media,
                                    se_error *err);

/*
 * The level that a line is a boundary of, or NULL; *close: the last one.  Some readers see a part
 * behind that one too, if there is a boundary again, so a level lasts until there is one of a level
 * around it.
 */
struct level *levels_find(struct levels *levels, const struct line *line, bool *close);

/* Leaves those inside `keep`; NULL: all.  SE_ERR_FORMAT: one of them had no parts, and a line that
 * can't be kept. */
SE_MUST_CHECK se_status levels_leave(struct levels *levels, const struct level *keep,
                                     se_error *err);

#endif
