/* SPDX-License-Identifier: Apache-2.0 */
/* A private key on a token, found and open; and the certificate alone. */
#ifndef KEYSTORE_PKCS11_KEY_H
#define KEYSTORE_PKCS11_KEY_H

#include "crypto/key.h"
#include "crypto/provider_keymgmt.h"
#include "keystore/keystore.h"
#include "keystore/pkcs11/call.h"
#include "keystore/pkcs11/token.h"

/* How a token performs an operation. */
enum p11_way {
    WAY_UNKNOWN,
    WAY_NATIVE, /* it knows the padding */
    WAY_RAW,    /* CKM_RSA_X_509, the padding is software's */
};

/* The ways that were found out so far, of type enum p11_way.  Threads share a key: way_get(),
 * way_set(). */
struct p11_ways {
    unsigned char sign[PADDING_PSS + 1][DIGEST_SHA512 + 1];
    unsigned char decrypt[DIGEST_SHA512 + 1][DIGEST_SHA512 + 1]; /* by digest and MGF1 */
};

static inline enum p11_way way_get(const unsigned char *way)
{
    return __atomic_load_n(way, __ATOMIC_RELAXED);
}
static inline void way_set(unsigned char *way, enum p11_way value)
{
    __atomic_store_n(way, (unsigned char)value, __ATOMIC_RELAXED);
}

/* Counted: threads in mid-operation keep a key that has been replaced. */
struct p11_key {
    struct p11_call closing;
    unsigned refs;
    unsigned losses;          /* of the token's sessions, when the key was found */
    struct token *token;      /* counted, with its module */
    const struct keyref *ref; /* for the PIN; held */
    enum key_part part;       /* what it was opened for */
    unsigned namesakes;       /* other private keys of its label */
    EVP_PKEY *public_key;     /* counted */
    CK_OBJECT_HANDLE object;
    bool always_authenticate; /* CKA_ALWAYS_AUTHENTICATE */
    bool may_leave;           /* under another key, which need not be one that the SO trusts */
    struct p11_ways ways;
};

/* Without a token, until it is found; NULL: no memory. */
struct p11_key *p11_key_new(const struct keyref *ref, enum key_part part);
struct p11_key *p11_key_ref(struct p11_key *key);
void p11_key_unref(struct p11_key *key); /* accepts NULL */
AUTO_KIND(p11_key, struct p11_key *, p11_key_unref(*p))

/* What is to be found on a token.  certificates->own, if given, is the one that the key must match;
 * else it becomes the one on the token, with its issuers and others. */
struct p11_search {
    const struct keyref *ref;
    enum key_part part;
    struct p11_key *key; /* NULL: the certificate is enough */
    struct certificates *certificates;
    bool alone; /* nothing else is looked for: issuers and others are known */
};

/* Opens the module and selects the token; for a private key, logs in and finds the one that `ref`
 * means and that may do what `part` says.  A module that has lost its device is initialised anew.
 */
SE_MUST_CHECK se_status p11_search_run(const struct p11_search *search, se_error *err);

/* The same for a private key; the caller releases *out with p11_key_unref(). */
SE_MUST_CHECK se_status p11_key_open(struct p11_key **out, struct certificates *certificates,
                                     const struct keyref *ref, enum key_part part, se_error *err);

/* The same for one that was open before, with the certificate that it had. */
SE_MUST_CHECK se_status p11_key_reopen(struct p11_key **out, X509 *certificate,
                                       const struct keyref *ref, enum key_part part, se_error *err);

/* A module says so of a device that it has lost, or is just finding again. */
bool p11_may_be_away(se_status st);

#endif
