/* The lines between the parts of a multipart (RFC 2046, 5.1.1). */
#ifndef MAIL_BOUNDARY_H
#define MAIL_BOUNDARY_H

#include "mail/intake.h"

struct boundary {
    const char *text; /* without the hyphens in front */
    size_t after_cr;  /* bytes of a CR and a boundary line that have been seen in a line that comes
                         in pieces */
};

enum boundary_kind {
    BOUNDARY_NONE,
    BOUNDARY_NEXT, /* between parts */
    BOUNDARY_LAST,
    BOUNDARY_LIKE, /* a line that begins like one and goes on: one for the RFC and some readers */
};
enum boundary_kind boundary_kind(const struct boundary *boundary, const struct line *line);

/* Whether one follows a CR in the line, where some readers end lines. */
bool boundary_follows_cr(struct boundary *boundary, const struct line *line);

#endif
