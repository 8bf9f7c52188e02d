/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/provider.h"

#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

#include "crypto/crypto.h"

static OSSL_LIB_CTX *library;

void provider_use_library(OSSL_LIB_CTX *context)
{
    library = context;
}

OSSL_LIB_CTX *provider_library(void)
{
    return library;
}

enum digest provider_digest(const char *name)
{
    EVP_MD *md = EVP_MD_fetch(library, name, NULL);
    enum digest found = DIGEST_NONE;

    for (enum digest d = DIGEST_SHA1; md && !found && d <= DIGEST_SHA512; d++)
        if (EVP_MD_is_a(md, crypto_digest(d)))
            found = d;
    EVP_MD_free(md);
    return found;
}

int provider_choice(const OSSL_PARAM *p, int *out, const char *word, int meant)
{
    if (p->data_type != OSSL_PARAM_UTF8_STRING)
        return OSSL_PARAM_get_int(p, out);
    if (strcmp(p->data, word) == 0)
        *out = meant;
    else
        *out = atoi(p->data);
    return 1;
}

int provider_tell_choice(OSSL_PARAM *p, int value, const char *word)
{
    return p->data_type == OSSL_PARAM_INTEGER ? OSSL_PARAM_set_int(p, value)
                                              : OSSL_PARAM_set_utf8_string(p, word);
}
