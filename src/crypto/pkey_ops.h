/* SPDX-License-Identifier: Apache-2.0 */
/* One operation with any EVP_PKEY of crypto_context(): OpenSSL's with one that is held, and the
 * store's own with one that is not. */
#ifndef CRYPTO_PKEY_OPS_H
#define CRYPTO_PKEY_OPS_H

#include "crypto/key.h"
#include "crypto/provider_keymgmt.h"

/* Signs a finished hash, as remote_ops.sign() does; what a remote key fails with comes as it is. */
SE_MUST_CHECK se_status key_sign_hash(se_buf *out, EVP_PKEY *key, const struct sign_how *how,
                                      se_bytes hash, se_error *err);

/* SE_ERR_REJECTED: it is no signature of the finished hash. */
SE_MUST_CHECK se_status key_verify_hash(EVP_PKEY *public_key, const struct sign_how *how,
                                        se_bytes hash, se_bytes signature, se_error *err);

/* Encrypts `clear` for the holder of `public`.  SE_ERR_USAGE: it is longer than the key takes. */
SE_MUST_CHECK se_status key_wrap(se_buf *out, EVP_PKEY *public_key, const struct unwrap_how *how,
                                 se_bytes clear, se_error *err);

/* Decrypts `blob`, as remote_ops.unwrap() does: whatever does not decrypt is remote_refused(). */
SE_MUST_CHECK se_status key_unwrap(se_buf *out, EVP_PKEY *key, const struct unwrap_how *how,
                                   se_bytes blob, se_error *err);

/*
 * An ECDSA signature of which `raw` has r and s, of equal width, one after the other (PKCS #11, XML
 * signatures, RFC 7518, 3.4), as RFC 3279's ECDSA-Sig-Value.  The caller has looked at the width.
 */
SE_MUST_CHECK se_status ecdsa_to_der(se_buf *out, se_bytes raw, se_error *err);

/* The other way: `der`, which `key` has made, as r and s, each as wide as the order; and how many
 * bytes that are. */
SE_MUST_CHECK se_status ecdsa_from_der(se_buf *out, const EVP_PKEY *key, se_bytes der,
                                       se_error *err);
size_t ecdsa_size(const EVP_PKEY *key);

AUTO_KIND(md_context, EVP_MD_CTX *, EVP_MD_CTX_free(*p))

/* The padding of `algorithm`; PSS with a salt as long as the digest (RFC 7518, 3.5; RFC 9231,
 * 2.3.9), to sign and to verify. */
bool padding_set(EVP_PKEY_CTX *context, const struct algorithm *algorithm);

/* The same for a hash of `hash` bytes that is there. */
struct sign_how padding_how(const struct algorithm *algorithm, size_t hash);

#endif
