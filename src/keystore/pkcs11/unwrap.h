/* Decrypting with a private key that stays on its token. */
#ifndef KEYSTORE_PKCS11_UNWRAP_H
#define KEYSTORE_PKCS11_UNWRAP_H

#include "keystore/pkcs11/tokenkey.h"

/*
 * Removes RSAES-OAEP as remote_ops.unwrap() has it, in a session with the key's token that is
 * logged in: by CKM_RSA_PKCS_OAEP, or, where the token can't do that with these digests, by
 * CKM_RSA_X_509 and OpenSSL.  Which, is found out when the key is first used so. SE_ERR_REJECTED:
 * `blob` does not decrypt, for whatever reason; SE_ERR_KEY: the token or the key can do neither.
 */
SE_MUST_CHECK se_status token_key_unwrap(se_buf *out, struct token_key *key,
                                         struct session *session, const struct unwrap_how *how,
                                         se_bytes blob, se_error *err);

/* How it does that, as far as is known: remote_ops.unwrap_mechanism(). */
const char *token_key_unwrap_mechanism(const struct token_key *key, const struct unwrap_how *how);

/* Whether the key decrypts what is encrypted for key->public. */
SE_MUST_CHECK se_status token_key_decrypts(bool *out, struct token_key *key,
                                           struct session *session, se_error *err);

#endif
