/* Signing with a private key that stays on its token. */
#ifndef STORE_PKCS11_SIGN_H
#define STORE_PKCS11_SIGN_H

#include "key/key.h"
#include "key/remote.h"
#include "store/pkcs11/token.h"
#include "store/store.h"

/* A private key on a token. */
struct token_key {
    struct token *token;
    const struct keyref *ref; /* for the PIN */
    enum key_part part;       /* what it was opened for */
    EVP_PKEY *public;
    CK_OBJECT_HANDLE object;
    bool always_authenticate; /* CKA_ALWAYS_AUTHENTICATE */
};

/*
 * Signs a finished hash as remote_ops.sign() has it, in a session with the key's token that is logged in.
 * SE_ERR_KEY: the token or the key can't do it; SE_ERR_CRYPTO: the token gave something that is no signature.
 */
SE_MUST_CHECK se_status token_key_sign(se_buf *out, const struct token_key *key, struct session *session, const struct sign_how *how,
                                       se_bytes hash, se_error *err);

#endif
