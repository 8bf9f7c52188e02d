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

/* Bytes that wait: in memory while they are few, then in a file without a name. */
struct spool {
    struct writer memory;
    int fd; /* -1: all is in memory */
    size_t read;
};

struct message {
    struct setup *setup;
    char *envelope; /* its sender, in small letters, without brackets; "" for a bounce */
    struct writer header;
    char from[320]; /* the address of the From field, as sender_settle() has it; "": there are none
                       or several, of one or the other */
    size_t from_fields, sender_fields;
    const struct rule *rule;     /* for an address of From fields */
    const struct rule *required; /* the strictest, where it is "require", for any address that a
                                    From or Sender field shows */
    bool list, mime, complete;   /* `complete`: the empty line behind the header is there */
    struct name_count content[CONTENT_NAMES];
    size_t content_count;
    struct spool body, out;
    se_error error; /* the first; it can't be signed then */
};

/* Begins one under the configuration of now; takes the envelope's sender.  NULL: out of memory. */
struct message *message_new(char *envelope);
void message_free(struct message *message);

/* As the MTA hands it over: a field, and a piece of the body. */
void message_take_field(struct message *message, const char *name, const char *value);
void message_take_body(struct message *message, const void *data, size_t size);

/* What holds for it by its senders, and by its envelope if it has none; NULL: nothing does. */
const struct rule *message_find_rule(struct message *message);

/* Signs, also what is signed or encrypted already if `again`; *told as se_mail_sign() does.  Why it
 * can't is in message->error. */
SE_MUST_CHECK se_status message_sign(se_mail *told, struct message *message,
                                     const struct rule *rule, bool again);

/* Verifies what message_sign() has given.  Why it is not good is in message->error. */
SE_MUST_CHECK se_status message_verify(struct message *message, const struct rule *rule);

/* Gives what was signed back to the MTA in place of what it has; false: it would not take it. */
bool message_replace(struct message *message, SMFICTX *ctx);

#endif
