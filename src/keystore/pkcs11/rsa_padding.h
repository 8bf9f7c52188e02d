/* SPDX-License-Identifier: Apache-2.0 */
/* RSA paddings by OpenSSL, for tokens that have only the bare operation: CKM_RSA_X_509. */
#ifndef KEYSTORE_PKCS11_RSA_PADDING_H
#define KEYSTORE_PKCS11_RSA_PADDING_H

#include "crypto/provider_keymgmt.h"

/* What is signed, of modulus size: `data` is the DigestInfo for PADDING_PKCS1 and the hash for
 * PADDING_PSS. */
SE_MUST_CHECK se_status rsa_padding_add(se_buf *out, EVP_PKEY *key, const struct sign_how *how,
                                        se_bytes data, se_error *err);

/*
 * The message in `block`, which has the modulus size; *good: whether there is one.  Takes the
 * time that OpenSSL takes, which does not tell why there is none.
 */
SE_MUST_CHECK se_status rsa_padding_remove_oaep(bool *good, se_buf *out,
                                                const struct unwrap_how *how, se_bytes block,
                                                se_error *err);

#endif
