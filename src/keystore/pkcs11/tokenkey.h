/* A private key on a token, and one operation with it. */
#ifndef KEYSTORE_PKCS11_TOKENKEY_H
#define KEYSTORE_PKCS11_TOKENKEY_H

#include "crypto/key.h"
#include "crypto/provider_keymgmt.h"
#include "keystore/keystore.h"
#include "keystore/pkcs11/token.h"

/* How a token does what it is asked for. */
enum way {
    WAY_UNKNOWN,
    WAY_NATIVE, /* it knows the padding */
    WAY_RAW,    /* CKM_RSA_X_509, the padding is software's */
};

/* The ways that were found out so far, of type enum way.  Threads share a key: way_get(),
 * way_set(). */
struct ways {
    unsigned char sign[PADDING_PSS + 1][DIGEST_SHA512 + 1];
    unsigned char unwrap[DIGEST_SHA512 + 1][DIGEST_SHA512 + 1]; /* by digest and MGF1 */
};

static inline enum way way_get(const unsigned char *way)
{
    return __atomic_load_n(way, __ATOMIC_RELAXED);
}
static inline void way_set(unsigned char *way, enum way value)
{
    __atomic_store_n(way, (unsigned char)value, __ATOMIC_RELAXED);
}

struct token_key {
    struct token *token;
    const struct keyref *ref; /* for the PIN */
    enum key_part part;       /* what it was opened for */
    unsigned namesakes;       /* other private keys of its label */
    EVP_PKEY *public;
    CK_OBJECT_HANDLE object;
    bool always_authenticate; /* CKA_ALWAYS_AUTHENTICATE */
    struct ways ways;
};

/* C_SignInit and C_Sign, or C_DecryptInit and C_Decrypt, which have the same shape. */
struct operation {
    bool decrypt;
    CK_MECHANISM mechanism;
    se_bytes in;
    se_buf *out; /* room for the answer */

    CK_RV rv;      /* what the token said */
    CK_ULONG size; /* of its answer */
};

/*
 * With the login that the key wants between the two calls.  A failure is one of that login; what
 * the token says to the operation is op->rv, and the session does not know of it yet
 * (session_error()).
 */
SE_MUST_CHECK se_status operation_run(struct operation *op, const struct token_key *key,
                                      struct session *session, se_error *err);

/* What a token says to a mechanism or to parameters that it does not have. */
bool operation_refused(CK_RV rv);

/* The names of a digest for mechanism parameters; NULL: it has none. */
struct token_digest {
    enum digest digest;
    size_t size;
    CK_MECHANISM_TYPE mechanism;
    CK_RSA_PKCS_MGF_TYPE mgf;
};
const struct token_digest *token_digest(enum digest digest);

#endif
