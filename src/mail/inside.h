/* What was signed, looked at once the signature is good: whether it is signed itself, and which
 * header it has. */
#ifndef MAIL_INSIDE_H
#define MAIL_INSIDE_H

#include "mail/header.h"
#include "signengine-mail.h"

enum {
    INSIDE_ROOM = 64 << 10, /* of what follows the header */
};

/* The beginning of what was signed, up to a bit behind its header. */
struct inside {
    struct writer text;
    size_t header_size; /* 0: the header has not ended yet */
    size_t before;      /* how many lines of the file are in front of it */
};
void inside_free(struct inside *inside);
void inside_take(struct inside *inside, se_bytes data);

/*
 * Sets out->nested, out->protect and out->changed.  `outside`: the message's header; NULL: there is
 * none to compare with. SE_ERR_FORMAT: it can be read in two ways; SE_ERR_REJECTED: the message's
 * header is not the one that was signed.
 */
SE_MUST_CHECK se_status inside_check(se_mail *out, const struct inside *inside,
                                     const struct header *outside, se_error *err);

#endif
