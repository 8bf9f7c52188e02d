/* The header that was signed against the one that the message has now (RFC 9788). */
#ifndef MAIL_PROTECT_H
#define MAIL_PROTECT_H

#include "mail/header.h"
#include "signengine-mail.h"

/* Whether it is copied inside: not what says how the message went (RFC 9788, 2.5), and who must not
 * be known. */
bool field_is_protected(const struct header *header, const struct field *field);

enum protect_rule {
    PROTECT_ALL,  /* the whole header was signed: a field that people see and answer to is refused
                     when it differs, or was added */
    PROTECT_SOME, /* parts of it were: only what was signed is compared */
    PROTECT_FORWARD, /* it may be another message that was signed: nothing is refused */
};

/* Names of fields that differ, and are not refused, go to `changed`, with ", " between them.
 * SE_ERR_REJECTED. */
SE_MUST_CHECK se_status protect_compare(char changed[SE_MAIL_CHANGED], const struct header *inside,
                                        const struct header *outside, enum protect_rule rule,
                                        se_error *err);

#endif
