#include "crypto/padding.h"

#include <openssl/rsa.h>

bool padding_set(EVP_PKEY_CTX *context, const struct algorithm *algorithm, bool signing)
{
    if (algorithm->padding == PADDING_NONE)
        return true;
    if (algorithm->padding == PADDING_PKCS1)
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0;
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, signing ? RSA_PSS_SALTLEN_DIGEST
                                                             : RSA_PSS_SALTLEN_AUTO) > 0;
}

struct sign_how padding_how(const struct algorithm *algorithm, size_t hash)
{
    return (struct sign_how){ algorithm->digest, algorithm->padding,
                              algorithm->padding == PADDING_PSS ? (int)hash : 0 };
}
