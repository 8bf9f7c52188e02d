/* The one mailbox of a From field (RFC 5322, 3.4): what is not of that grammar, readers read
 * differently. */
#ifndef MAIL_MAILBOX_H
#define MAIL_MAILBOX_H

#include "base/buf.h"

enum { MAILBOX_ROOM = 320 };

enum mailbox_forms {
    MAILBOX_STRICT,
    MAILBOX_OBSOLETE, /* also blanks and comments within the address (4.4), brackets in names, and a
                         group of one: drafts are like that */
};

/*
 * `value` in one line.  `out`: the address, without blanks and comments in it.  Returns what is
 * wrong, as "has several addresses"; NULL: nothing.
 */
const char *mailbox_read(char out[MAILBOX_ROOM], const char *value, enum mailbox_forms forms);

/*
 * Whether encoded words (RFC 2047) have an "@" that is not the address's: who decodes a field
 * before he takes it apart finds another address there.  `decoded`: the value without encoded
 * words.
 */
bool mailbox_hides_another(const char *value, const char *decoded, const char *address);

#endif
