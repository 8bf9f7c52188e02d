/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of a target. */
#ifndef PROVISION_TARGET_H
#define PROVISION_TARGET_H

#include "config/config.h"
#include "config/token_uri.h"
#include "provision/provision.h"

struct target {
    struct keyref ref;     /* its strings belong to `config` or to the caller of target_direct() */
    struct config *config; /* NULL: a direct one */
    const struct key_entry *entry; /* in it */
    char *name; /* what a new key is called: the alias, else the name of the <key> or of the file */
    char *text;
    struct token_uri uri; /* of a direct one, if it is given so */
    se_buf pin;           /* given on the command line */
    struct target_listener listener;
};

/* A descriptor that uses the key for encryption, or for anything else; NULL: none does. */
const struct descriptor *target_descriptor(const struct target *target, bool encrypts);

void target_note(const struct target *target, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void target_progress(const struct target *target, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The PIN, as keyref_pin(); SE_ERR_ACCESS when there is none. */
SE_MUST_CHECK se_status target_pin(se_buf *out, const struct target *target, se_error *err);

#endif
