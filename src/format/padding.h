/* A signature context for the algorithm of a descriptor. */
#ifndef FORMAT_PADDING_H
#define FORMAT_PADDING_H

#include "base/auto.h"
#include "key/key.h"

AUTO_KIND(md_context, EVP_MD_CTX *, EVP_MD_CTX_free(*p))

/* The padding of `algorithm`; PSS with a salt as long as the digest, verified with any. */
bool padding_set(EVP_PKEY_CTX *context, const struct algorithm *algorithm, bool signing);

#endif
