/* The objects on a token that a keyref means: by CKA_ID, or by label. */
#ifndef KEYSTORE_PKCS11_MEANT_H
#define KEYSTORE_PKCS11_MEANT_H

#include "config/config.h"
#include "keystore/pkcs11/object.h"

/*
 * Whether a label is the one that was written.  What messages and lists show of it counts: some
 * tokens end their labels with a NUL or blanks, and letters with accents are one character to one
 * program and two to another (Unicode, UAX #15).
 */
bool label_is(se_bytes label, const char *written);

enum meant_by {
    MEANT_EXACTLY,  /* with ref->id, and no other label than the alias; without one, with the alias
                       as label */
    MEANT_BY_LOOKS, /* with a label that looks like the alias: what is tried when none is exactly so
                     */
};

/* Of what `base` searches; none is SE_OK as well. */
SE_MUST_CHECK se_status meant_find(struct objects *out, struct session *session,
                                   const struct query *base, const struct keyref *ref,
                                   enum meant_by by, se_error *err);

/* Either way: a certificate or a private key that is to be seen. */
bool meant_exists(struct session *session, const struct keyref *ref);

/* "'alias'", "with CKA_ID 0a1b", or "of the certificate", for messages. */
struct meant_name {
    char text[300];
};
const char *meant_name(struct meant_name *out, const struct keyref *ref);

#endif
