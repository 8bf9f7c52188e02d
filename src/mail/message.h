/* What signing and verifying begin with: the message's header, who it is from, what it is. */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include "mail/header.h"
#include "mail/mailbox.h"
#include "mail/mime.h"
#include "signengine-mail.h"

struct message {
    struct stream stream;
    struct intake lines;
    struct header header;
    struct media media;
    struct addresses from;
};
void message_close(struct message *message);
AUTO_KIND(message, struct message, message_close(p))

/* Reads the header; `in` lasts as long as the message does. */
SE_MUST_CHECK se_status message_open(struct message *out, const struct stream *in, se_error *err);

/* Whose certificate is needed: the sender's, or where that is NULL the From field's. SE_ERR_FORMAT:
 * there is not one field with one address. */
SE_MUST_CHECK se_status message_from(struct message *message, const char *sender,
                                     enum mailbox_forms forms, se_error *err);

#endif
