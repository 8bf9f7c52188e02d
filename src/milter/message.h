/* SPDX-License-Identifier: Apache-2.0 */
/* One message between the MTA and the engine. */
#ifndef MILTER_MESSAGE_H
#define MILTER_MESSAGE_H

#include <libmilter/mfapi.h>

#include "milter/service.h"
#include "signengine-mail.h"

#define CONTENT_NAMES ((size_t)16)

struct name_count {
    char name[40]; /* of a field that begins with "Content-" */
    int count;
};

/* Holds bytes: in memory while they are few, then in a file without a name. */
struct spool {
    struct writer memory;
    int fd; /* -1: all is in memory */
    size_t read;
};

struct message {
    struct setup *setup;
    char *envelope; /* its sender, in small letters, without brackets; "" for a bounce */
    struct writer header;
    char from[320]; /* the one address of the one From field, as sender_settle() has it; "": there
                       is no such */
    size_t from_fields, sender_fields;
    const struct rule *rule; /* for an address of From fields */
    const struct rule
        *required; /* a "require" rule for any address that a From or Sender field shows */
    bool list, mime, complete; /* `complete`: the empty line behind the header is there */
    struct name_count content[CONTENT_NAMES];
    size_t content_count;
    struct spool body, out;
    se_error error; /* the first; it can't be signed then */
};

/* Begins a message with the current configuration; owns `envelope` then.  NULL: out of memory. */
struct message *message_new(char *envelope);
void message_free(struct message *message);

/* As the MTA hands them over: a field, a piece of the body. */
void message_take_field(struct message *message, const char *name, const char *value);
void message_take_body(struct message *message, const void *data, size_t size);

/* The rule for its senders, or for its envelope if it has none; NULL: none. */
const struct rule *message_find_rule(struct message *message);

/* Signs; if `again`, also a message that is signed or encrypted already.  *result is that of
 * se_mail_sign().  message->error has the reason of a failure. */
SE_MUST_CHECK se_status message_sign(se_mail *result, struct message *message,
                                     const struct rule *rule, bool again);

/* Verifies the result of message_sign().  message->error has the reason of a failure. */
SE_MUST_CHECK se_status message_verify(struct message *message, const struct rule *rule);

/* Replaces the MTA's message by the signed one; false: the MTA did not take it. */
bool message_replace(struct message *message, SMFICTX *ctx);

#endif
