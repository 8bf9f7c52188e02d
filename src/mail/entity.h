/*
 * A MIME entity (RFC 2046), rewritten while it is read so that relays leave it alone: CRLF, 7 bits,
 * no long lines, no trailing blanks, no line that begins with "From ".  What is signed inside it
 * stays as it is.
 */
#ifndef MAIL_ENTITY_H
#define MAIL_ENTITY_H

#include "mail/header.h"
#include "mail/leaf.h"
#include "mail/levels.h"
#include "mail/mime.h"

struct entity {
    struct intake *in;
    struct header header; /* of the part that is being read; at first that of the entity, filled by
                             the caller */
    struct writer out;
    size_t taken; /* of `out` */
    bool over;
    const struct media *media; /* of the entity, if the caller has read it */

    struct levels levels;
    bool in_header, in_margin; /* a margin: before the first part, or behind the last one */
    bool digest;
    struct leaf leaf;
    const char
        *transfer; /* the part's Content-Transfer-Encoding is to become this one; NULL: it stays */
    bool verbatim; /* the header is written as it is */
    bool open;     /* no empty line ends it: for some readers it goes on in the body */
    bool implicit; /* the entity is text that does not say so */
    const char *parameter; /* of the Content-Type that it is given then */
};

/* The header is the caller's to fill, and entity_begin() then takes it as read. */
void entity_free(struct entity *entity);
AUTO_KIND(entity, struct entity, entity_free(p))
SE_MUST_CHECK se_status entity_begin(struct entity *entity, struct intake *in, se_error *err);

/* More of what it becomes; nothing at its end. */
SE_MUST_CHECK se_status entity_read(size_t *got, struct entity *entity, void *data, size_t size,
                                    se_error *err);

#endif
