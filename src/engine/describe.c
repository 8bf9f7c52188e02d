#include <openssl/evp.h>
#include <stdio.h>

#include "base/arguments.h"
#include "crypto/crypto.h"
#include "engine/engine.h"

se_status se_describe(se_engine *engine, se_property_fn fn, void *arg, se_error *error)
{
    TRY(arguments_check(error, engine, fn));
    config_describe(engine->config, fn, arg);
    return SE_OK;
}

se_status se_fingerprint(char out[65], se_engine *engine, se_error *error)
{
    AUTO(se_buf) canonical = SE_BUF_INIT;
    unsigned char hash[32];
    size_t size = sizeof hash;
    se_status st;

    if (out)
        *out = '\0';
    if (!(st = arguments_check(error, out, engine)))
        st = config_canonical(&canonical, engine->config, error);
    if (st)
        return st;
    if (!EVP_Q_digest(crypto_context(), "SHA2-256", NULL, canonical.data, canonical.size, hash,
                      &size))
        return crypto_error(error, SE_ERR_CRYPTO, "cannot hash");
    for (size_t i = 0; i < sizeof hash; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
    return SE_OK;
}
