/* How the algorithm of a descriptor signs. */
#ifndef CRYPTO_PADDING_H
#define CRYPTO_PADDING_H

#include "base/auto.h"
#include "crypto/key.h"
#include "crypto/provider_keymgmt.h"

AUTO_KIND(md_context, EVP_MD_CTX *, EVP_MD_CTX_free(*p))

/* The padding of `algorithm`; PSS with a salt as long as the digest, verified with any. */
bool padding_set(EVP_PKEY_CTX *context, const struct algorithm *algorithm, bool signing);

/* The same for a hash of `hash` bytes that is there. */
struct sign_how padding_how(const struct algorithm *algorithm, size_t hash);

#endif
