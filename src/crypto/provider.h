/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the provider share: keys (provider_keymgmt.c), signatures
 * (provider_signature.c), and decryption (provider_asymcipher.c). */
#ifndef CRYPTO_PROVIDER_H
#define CRYPTO_PROVIDER_H

#include <openssl/core_dispatch.h>

#include "crypto/provider_keymgmt.h"

#define PROVIDER_NAME       "signengine"
#define PROVIDER_PROPERTIES "provider=" PROVIDER_NAME

/* The one parameter of our import, and one that our keys know: a struct provider_key by address.
 * Such keys only ever come from remote_key(). */
#define PARAM_PROVIDER_KEY "signengine-key"

/* The provider's key data.  OpenSSL makes it empty and fills it by an import. */
struct provider_key {
    const struct remote_ops *ops;
    void *remote;
    EVP_PKEY *public_key;
};

/* OSSL_DISPATCH holds all functions as one type; each is called as what its number says. */
#define ENTRY(number, function)                                                                    \
    {                                                                                              \
        (number), (void (*)(void))(function)                                                       \
    }

extern const OSSL_DISPATCH provider_signature[], provider_cipher[];

/* NULL: the key is held. */
const struct provider_key *provider_key_of(const EVP_PKEY *key);

/* What is asked of the store, by OpenSSL or past it (crypto/pkey_ops.c); *out is released by the
 * caller. */
SE_MUST_CHECK se_status provider_sign(se_buf *out, const struct provider_key *key,
                                      const struct sign_how *how, se_bytes hash, se_error *err);
SE_MUST_CHECK se_status provider_unwrap(se_buf *out, const struct provider_key *key,
                                        const struct unwrap_how *how, se_bytes blob, se_error *err);

/* Where the provider finds digests: the library context that it was loaded into. */
void provider_use_library(OSSL_LIB_CTX *library);
OSSL_LIB_CTX *provider_library(void);

/* A digest has many names in OpenSSL; DIGEST_NONE: not one that the engine knows. */
enum digest provider_digest(const char *name);

/* A parameter that comes as a number or as a word, depending on the caller: `word` means `meant`.
 */
int provider_choice(const OSSL_PARAM *p, int *out, const char *word, int meant);
int provider_tell_choice(OSSL_PARAM *p, int value, const char *word);

/* Keeps a remote failure for remote_failure(). */
void provider_failed(const se_error *err);

#endif
