/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/provider_keymgmt.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/provider.h>

#include "crypto/crypto.h"
#include "crypto/provider.h"

/* ---- key management (provider-keymgmt(7)) ---- */

static void *key_make(void *provider)
{
    (void)provider;
    return OPENSSL_zalloc(sizeof(struct provider_key));
}

static void key_release(void *data)
{
    struct provider_key *keydata = data;

    if (keydata && keydata->ops)
        keydata->ops->close(keydata->remote);
    if (keydata)
        EVP_PKEY_free(keydata->public_key);
    OPENSSL_free(keydata);
}

static int key_import(void *data, int selection, const OSSL_PARAM params[])
{
    const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, PARAM_PROVIDER_KEY);
    const void *from;
    size_t size;

    (void)selection;
    if (!p || !OSSL_PARAM_get_octet_string_ptr(p, &from, &size) ||
        size != sizeof(struct provider_key))
        return 0;
    memcpy(data, from, sizeof(struct provider_key));
    return EVP_PKEY_up_ref(((struct provider_key *)data)->public_key);
}

static const OSSL_PARAM *key_import_types(int selection)
{
    static const OSSL_PARAM types[] = { OSSL_PARAM_octet_string(PARAM_PROVIDER_KEY, NULL, 0),
                                        OSSL_PARAM_END };

    (void)selection;
    return types;
}

static int key_has(const void *data, int selection)
{
    (void)selection;
    return ((const struct provider_key *)data)->public_key != NULL;
}

/* A parameter that the public key does not know stays unset, which is how a key says so. */
static int key_get(void *data, OSSL_PARAM params[])
{
    OSSL_PARAM *p = OSSL_PARAM_locate(params, PARAM_PROVIDER_KEY);

    if (p)
        return OSSL_PARAM_set_octet_ptr(p, data, sizeof(struct provider_key));
    ERR_set_mark();
    (void)EVP_PKEY_get_params(((struct provider_key *)data)->public_key, params);
    ERR_pop_to_mark();
    return 1;
}

static const OSSL_PARAM *key_gettable(void *provider)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)provider;
    return types;
}

/* Only the public half can leave; a refusal makes OpenSSL come to our own operations. */
static int key_export(void *data, int selection, OSSL_CALLBACK *take, void *arg)
{
    OSSL_PARAM *params = NULL;
    int ok;

    if (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY)
        return 0;
    ok = EVP_PKEY_todata(((struct provider_key *)data)->public_key, selection, &params) &&
         take(params, arg);
    OSSL_PARAM_free(params);
    return ok;
}

static const OSSL_PARAM *key_export_types(int selection)
{
    return selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY ? NULL : key_gettable(NULL);
}

static int key_match(const void *a, const void *b, int selection)
{
    (void)selection;
    return EVP_PKEY_eq(((const struct provider_key *)a)->public_key,
                       ((const struct provider_key *)b)->public_key) == 1;
}

static const char *rsa_operation(int operation)
{
    (void)operation;
    return "RSA";
}

static const char *ec_operation(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? "ECDSA" : "EC";
}

#define KEY_MANAGEMENT(operation)                                                                  \
    {                                                                                              \
        ENTRY(OSSL_FUNC_KEYMGMT_NEW, key_make), ENTRY(OSSL_FUNC_KEYMGMT_FREE, key_release),        \
            ENTRY(OSSL_FUNC_KEYMGMT_IMPORT, key_import),                                           \
            ENTRY(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_import_types),                               \
            ENTRY(OSSL_FUNC_KEYMGMT_HAS, key_has), ENTRY(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get),   \
            ENTRY(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable),                                \
            ENTRY(OSSL_FUNC_KEYMGMT_EXPORT, key_export),                                           \
            ENTRY(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, key_export_types),                               \
            ENTRY(OSSL_FUNC_KEYMGMT_MATCH, key_match),                                             \
            ENTRY(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, operation), { 0, NULL },                 \
    }
static const OSSL_DISPATCH rsa_keys[] = KEY_MANAGEMENT(rsa_operation);
static const OSSL_DISPATCH ec_keys[] = KEY_MANAGEMENT(ec_operation);

/* ---- the provider (provider-base(7)) ---- */

static const OSSL_ALGORITHM *provider_query(void *provider, int operation, int *no_cache)
{
    static const OSSL_ALGORITHM keys[] = {
        { "RSA:rsaEncryption", PROVIDER_PROPERTIES, rsa_keys, NULL },
        { "EC:id-ecPublicKey", PROVIDER_PROPERTIES, ec_keys, NULL },
        { NULL, NULL, NULL, NULL },
    };
    static const OSSL_ALGORITHM signatures[] = {
        { "RSA:rsaEncryption", PROVIDER_PROPERTIES, provider_signature, NULL },
        { "ECDSA", PROVIDER_PROPERTIES, provider_signature, NULL },
        { NULL, NULL, NULL, NULL },
    };
    static const OSSL_ALGORITHM ciphers[] = {
        { "RSA:rsaEncryption", PROVIDER_PROPERTIES, provider_cipher, NULL },
        { NULL, NULL, NULL, NULL },
    };

    (void)provider;
    *no_cache = 0;
    if (operation == OSSL_OP_KEYMGMT)
        return keys;
    if (operation == OSSL_OP_ASYM_CIPHER)
        return ciphers;
    return operation == OSSL_OP_SIGNATURE ? signatures : NULL;
}

static int provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                         const OSSL_DISPATCH **out, void **context)
{
    static const OSSL_DISPATCH functions[] = {
        ENTRY(OSSL_FUNC_PROVIDER_QUERY_OPERATION, provider_query), { 0, NULL }
    };

    (void)in;
    *out = functions;
    *context = (void *)handle;
    return 1;
}

bool remote_provider_load(OSSL_LIB_CTX *context)
{
    provider_use_library(context);
    return OSSL_PROVIDER_add_builtin(context, PROVIDER_NAME, provider_init) &&
           OSSL_PROVIDER_load(context, PROVIDER_NAME);
}
