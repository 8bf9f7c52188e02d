/* SPDX-License-Identifier: Apache-2.0 */
/* Signing with a private key that stays on its token. */
#ifndef KEYSTORE_PKCS11_SIGN_H
#define KEYSTORE_PKCS11_SIGN_H

#include "keystore/pkcs11/key.h"

/*
 * Signs a finished hash as remote_ops.sign() has it, in a session with the key's token that is
 * logged in.  RSA paddings that the token refuses are made in software, for CKM_RSA_X_509.
 * SE_ERR_KEY: the token or the key can't do it; SE_ERR_CRYPTO: the token gave something that is no
 * signature.
 */
SE_MUST_CHECK se_status p11_key_sign(se_buf *out, struct p11_key *key, struct session *session,
                                     const struct sign_how *how, se_bytes hash, se_error *err);

/* How it does that, as far as is known: remote_ops.sign_mechanism(). */
const char *p11_key_sign_mechanism(const struct p11_key *key, const struct sign_how *how);

#endif
