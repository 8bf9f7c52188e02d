/* Inside of a target. */
#ifndef PROVISION_TARGET_H
#define PROVISION_TARGET_H

#include "model/config.h"
#include "provision/provision.h"

struct target {
    struct keyref ref;     /* its strings belong to `config` or to the caller of target_direct() */
    struct config *config; /* NULL: a direct one */
    char *name;            /* what a new key is called: the alias, else the name of the <key> or of the file */
    char *text;
    const char *descriptor; /* one that uses the key; NULL: none is known */
    se_buf pin;             /* given on the command line */
};

/* The PIN, as keyref_pin(); SE_ERR_ACCESS when there is none. */
SE_MUST_CHECK se_status target_pin(se_buf *out, const struct target *target, se_error *err);

#endif
