/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A MIME entity (RFC 2046), rewritten while it is read so that relays leave it alone: CRLF, 7 bits,
 * no long lines, no trailing blanks, no line that begins with "From ".  What is signed inside it
 * stays as it is.
 */
#ifndef MAIL_MIME_CANON_H
#define MAIL_MIME_CANON_H

#include "mail/boundary.h"
#include "mail/media_type.h"
#include "mail/message.h"
#include "mail/part_body.h"

struct mime_canon {
    struct line_reader *in;
    struct header header; /* of the part that is being read; at first that of the entity, filled by
                             the caller */
    struct writer out;
    size_t taken; /* of `out` */
    bool over;
    const struct media *media; /* of the entity, if the caller has read it */

    struct levels levels;
    bool in_header, in_margin; /* a margin: before the first part, or behind the last one */
    bool digest;
    struct part_body body;
    const char *transfer; /* what the part's Content-Transfer-Encoding becomes; NULL: it stays */
    bool verbatim;        /* the header is written as it is */
    bool open;     /* no empty line ends the header: for some readers it goes on in the body */
    bool implicit; /* the entity is text that does not say so */
    const char *parameter; /* of the Content-Type that it is given then */
};
void mime_canon_free(struct mime_canon *canon);
AUTO_KIND(mime_canon, struct mime_canon, mime_canon_free(p))

/* The caller has filled the header, which is taken as read. */
SE_MUST_CHECK se_status mime_canon_begin(struct mime_canon *canon, struct line_reader *in,
                                         se_error *err);

/* More of the result; nothing at its end. */
SE_MUST_CHECK se_status mime_canon_read(size_t *got, struct mime_canon *canon, void *data,
                                        size_t size, se_error *err);

#endif
