/* SPDX-License-Identifier: Apache-2.0 */
/* Decrypting with a private key that stays on its token. */
#ifndef KEYSTORE_PKCS11_DECRYPT_H
#define KEYSTORE_PKCS11_DECRYPT_H

#include "keystore/pkcs11/key.h"

/*
 * Removes RSAES-OAEP as remote_ops.unwrap() has it, in a session with the key's token that is
 * logged in: by CKM_RSA_PKCS_OAEP, or, where the token can't do that with these digests, by
 * CKM_RSA_X_509 and OpenSSL; the first use finds out which.  SE_ERR_REJECTED: `blob` does not
 * decrypt, for whatever reason; SE_ERR_KEY: the token or the key can do neither.
 */
SE_MUST_CHECK se_status p11_key_decrypt(se_buf *out, struct p11_key *key, struct session *session,
                                        const struct unwrap_how *how, se_bytes blob, se_error *err);

/* How it does that, as far as is known: remote_ops.unwrap_mechanism(). */
const char *p11_key_decrypt_mechanism(const struct p11_key *key, const struct unwrap_how *how);

/* Whether the key decrypts what is encrypted for key->public_key. */
SE_MUST_CHECK se_status p11_key_decrypts(bool *out, struct p11_key *key, struct session *session,
                                         se_error *err);

#endif
