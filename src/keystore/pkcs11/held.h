/* Certificates that a token holds. */
#ifndef KEYSTORE_PKCS11_HELD_H
#define KEYSTORE_PKCS11_HELD_H

#include "crypto/key.h"
#include "keystore/pkcs11/object.h"

struct held {
    X509 *certificate;
    se_buf id; /* CKA_ID: what its private key has too */
};

struct held_list {
    struct held
        list[OBJECTS_MOST]; /* the one that is to be used is the first (certificate_precedes()) */
    size_t count;
};

/* What searches for X.509 certificates. */
struct query held_query(void);

/* The certificates of those objects; what can't be parsed is passed over. */
SE_MUST_CHECK se_status held_load(struct held_list *out, struct session *session,
                                  const struct objects *found, se_error *err);
void held_free(struct held_list *held);
AUTO_KIND(held_list, struct held_list, held_free(p))

/* The issuers of `certificate` on the token and in `more` (which may be NULL), nearest first; *out
 * is NULL when there are none. */
SE_MUST_CHECK se_status held_chain(STACK_OF(X509) * *out, struct session *session,
                                   X509 *certificate, const STACK_OF(X509) * more, se_error *err);

#endif
