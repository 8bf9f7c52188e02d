/* SPDX-License-Identifier: Apache-2.0 */
/* Header protection (RFC 9788): which fields are signed, and what was signed against the header
 * that the message has now. */
#ifndef MAIL_HEADER_PROTECTION_H
#define MAIL_HEADER_PROTECTION_H

#include "mail/message.h"
#include "signengine-mail.h"

/* Whether the field is copied inside.  Fields about the message's way (RFC 9788, 2.5) and hidden
 * recipients are not. */
bool field_is_protected(const struct header *header, const struct field *field);

enum protection_rule {
    PROTECT_ALL,     /* the whole header was signed: a visible field that differs, or was added, is
                        refused */
    PROTECT_SOME,    /* parts of it were: only what was signed is compared */
    PROTECT_FORWARD, /* another message may have been signed: nothing is refused */
};

/* Names of fields that differ but are not refused go to `changed`, with ", " between them.
 * SE_ERR_REJECTED: a field is refused. */
SE_MUST_CHECK se_status header_protection_compare(char changed[SE_MAIL_CHANGED],
                                                  const struct header *inside,
                                                  const struct header *outside,
                                                  enum protection_rule rule, se_error *err);

/* ---- what was signed, looked at once the signature is good ---- */

enum {
    SIGNED_CONTENT_ROOM = 64 << 10, /* of what follows the header */
};

/* The beginning of what was signed: its header and a little more. */
struct signed_content {
    struct writer text;
    size_t header_size; /* 0: the header has not ended yet */
    size_t before;      /* how many lines of the file are in front of it */
};
void signed_content_free(struct signed_content *content);
void signed_content_take(struct signed_content *content, se_bytes data);

/*
 * Sets out->nested, out->protect and out->changed.  `outside`: the message's header; NULL: there is
 * none to compare with. SE_ERR_FORMAT: it can be read in two ways; SE_ERR_REJECTED: the message's
 * header is not the one that was signed.
 */
SE_MUST_CHECK se_status signed_content_check(se_mail *out, const struct signed_content *content,
                                             const struct header *outside, se_error *err);

#endif
