/*
 * The forms that most types and senders have, read without GMime, which takes longer over them than over all that is signed.  They mean the
 * same to everybody; what is not of these forms is not read here: false.
 */
#ifndef MAIL_PLAIN_H
#define MAIL_PLAIN_H

#include "mail/mime.h"

/* "text/plain", and no parameter but a charset. */
bool plain_media(struct media *out, const char *value);

/* "alice@example.org", or in angle brackets behind a name of letters, digits and blanks. */
bool plain_address(char out[320], const char *value);

#endif
