/* SPDX-License-Identifier: Apache-2.0 */
/* Boundaries, the lines between the parts of a multipart (RFC 2046, 5.1.1): chosen when a message
 * is signed, found when it is read. */
#ifndef MAIL_BOUNDARY_H
#define MAIL_BOUNDARY_H

#include "mail/line_reader.h"
#include "mail/media_type.h"

/* ---- the boundary of multipart/signed ---- */

enum { BOUNDARY_ROOM = 64 };

/* No line of quoted-printable or base64 has "=_" in it, and nobody can foresee the digits. */
SE_MUST_CHECK se_status boundary_choose(char out[BOUNDARY_ROOM], se_error *err);

/* ---- one boundary, when a signature is verified ---- */

enum boundary_kind {
    BOUNDARY_NONE,
    BOUNDARY_NEXT, /* between parts */
    BOUNDARY_LAST,
    BOUNDARY_LIKE, /* begins like one and goes on: a boundary by the RFC, and for some readers */
};
enum boundary_kind boundary_kind(const char *boundary, const struct line *line);

struct boundary {
    const char *text; /* without the hyphens in front */
    size_t after_cr;  /* how much of a CR and a boundary line has been seen in a line that comes in
                         pieces */
};
/* Whether one follows a CR in the line, where some readers end lines. */
bool boundary_follows_cr(struct boundary *boundary, const struct line *line);

/* ---- the multiparts that a line is in (RFC 2046, 5.1), the innermost one last ---- */

enum { DEPTH_LIMIT = 200 };

struct level {
    char *boundary; /* "": there is none */
    bool digest;    /* its parts are messages unless they say otherwise (RFC 2046, 5.1.5) */
    bool has_parts; /* its boundary has been seen */
    size_t lost; /* number of the first line in its margins that can't stay as it is; 0: all can */
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
 * The level that a line is a boundary of, or NULL; *close: it is the last one.  Some readers see a
 * part behind the last one too, if a boundary follows again, so a level lasts until a boundary of a
 * level around it comes.
 */
struct level *levels_find(struct levels *levels, const struct line *line, bool *close);

/* Leaves those inside `keep`; NULL: all.  SE_ERR_FORMAT: one of them had no parts, but a line that
 * can't be kept. */
SE_MUST_CHECK se_status levels_leave(struct levels *levels, const struct level *keep,
                                     se_error *err);

#endif
