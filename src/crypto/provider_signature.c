/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures by our provider (provider-signature(7)): hashing is done here, the rest by
 * the store. */
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "crypto/algorithm_id.h"
#include "crypto/crypto.h"
#include "crypto/key.h"
#include "crypto/provider.h"

struct signing {
    const struct provider_key *key; /* held by the EVP_PKEY that OpenSSL's context counts */
    EVP_MD_CTX *hash;               /* digest-sign only */
    enum digest digest;
    int padding; /* RSA_PKCS1_PADDING or RSA_PKCS1_PSS_PADDING */
    int salt;    /* as OpenSSL counts: RSA_PSS_SALTLEN_DIGEST or bytes */
};

static void *signing_new(void *provider, const char *properties)
{
    struct signing *s = OPENSSL_zalloc(sizeof *s);

    (void)provider;
    (void)properties;
    if (s)
        *s = (struct signing){ .padding = RSA_PKCS1_PADDING, .salt = RSA_PSS_SALTLEN_DIGEST };
    return s;
}

static void signing_free(void *data)
{
    struct signing *s = data;

    if (s)
        EVP_MD_CTX_free(s->hash);
    OPENSSL_free(s);
}

static void *signing_dup(void *data)
{
    const struct signing *s = data;
    struct signing *copy = OPENSSL_memdup(s, sizeof *s);

    if (!copy || !s->hash)
        return copy;
    copy->hash = EVP_MD_CTX_new();
    if (copy->hash && EVP_MD_CTX_copy_ex(copy->hash, s->hash))
        return copy;
    signing_free(copy);
    return NULL;
}

static const int digest_sizes[] = {
    [DIGEST_SHA256] = 32, [DIGEST_SHA384] = 48, [DIGEST_SHA512] = 64
};

static int set_digest(struct signing *s, const char *name)
{
    s->digest = provider_digest(name);
    if (s->digest == DIGEST_SHA1)
        s->digest = DIGEST_NONE;
    return s->digest != DIGEST_NONE;
}

static int set_padding(struct signing *s, const OSSL_PARAM *p)
{
    if (!provider_choice(p, &s->padding, OSSL_PKEY_RSA_PAD_MODE_PSS, RSA_PKCS1_PSS_PADDING))
        return 0;
    if (p->data_type == OSSL_PARAM_UTF8_STRING &&
        strcmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0)
        s->padding = RSA_PKCS1_PADDING;
    return s->padding == RSA_PKCS1_PADDING || s->padding == RSA_PKCS1_PSS_PADDING;
}

static int signing_set(void *data, const OSSL_PARAM params[])
{
    struct signing *s = data;
    const OSSL_PARAM *p;

    if (!params)
        return 1;
    if ((p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE)) && !set_padding(s, p))
        return 0;
    if ((p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN)) &&
        (!provider_choice(p, &s->salt, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST, RSA_PSS_SALTLEN_DIGEST) ||
         s->salt < RSA_PSS_SALTLEN_DIGEST))
        return 0;
    if ((p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_DIGEST)))
        return p->data_type == OSSL_PARAM_UTF8_STRING && set_digest(s, p->data);
    return 1;
}

static const OSSL_PARAM *signing_params(void *data, void *provider)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, NULL, 0),
        OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PROPERTIES, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)data;
    (void)provider;
    return types;
}

static int salt_size(const struct signing *s)
{
    return s->salt == RSA_PSS_SALTLEN_DIGEST ? digest_sizes[s->digest] : s->salt;
}

static struct sign_how how_to_sign(const struct signing *s)
{
    if (key_family(s->key->public_key) == FAMILY_EC)
        return (struct sign_how){ s->digest, PADDING_NONE, 0 };
    if (s->padding == RSA_PKCS1_PADDING)
        return (struct sign_how){ s->digest, PADDING_PKCS1, 0 };
    return (struct sign_how){ s->digest, PADDING_PSS, salt_size(s) };
}

/* X.509 asks the provider for the AlgorithmIdentifier, CMS for that of a PSS signature. */
static int get_algorithm_id(const struct signing *s, OSSL_PARAM *p)
{
    const struct sign_how how = how_to_sign(s);
    unsigned char *der = NULL;
    int size = identifier_der(&der, &how);
    int ok = size > 0 && OSSL_PARAM_set_octet_string(p, der, (size_t)size);

    OPENSSL_free(der);
    return ok;
}

static int get_padding(const struct signing *s, OSSL_PARAM *p)
{
    return provider_tell_choice(p, s->padding,
                                s->padding == RSA_PKCS1_PSS_PADDING
                                    ? OSSL_PKEY_RSA_PAD_MODE_PSS
                                    : OSSL_PKEY_RSA_PAD_MODE_PKCSV15);
}

static int signing_get(void *data, OSSL_PARAM params[])
{
    const struct signing *s = data;
    OSSL_PARAM *p;

    if ((p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID)) &&
        !get_algorithm_id(s, p))
        return 0;
    if ((p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_PAD_MODE)) && !get_padding(s, p))
        return 0;
    if ((p = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_DIGEST)))
        return OSSL_PARAM_set_utf8_string(p, crypto_digest(s->digest));
    return 1;
}

static int sign_init(void *data, void *key, const OSSL_PARAM params[])
{
    struct signing *s = data;

    if (key)
        s->key = key;
    return signing_set(s, params);
}

se_status provider_sign(se_buf *out, const struct provider_key *key, const struct sign_how *how,
                        se_bytes hash, se_error *err)
{
    if (how->digest == DIGEST_NONE || hash.size != (size_t)digest_sizes[how->digest])
        return error_set(err, SE_ERR_CRYPTO, "%zu bytes are no hash that can be signed", hash.size);
    return key->ops->sign(out, key->remote, how, hash, err);
}

static int signing_sign(void *data, unsigned char *out, size_t *size, size_t room,
                        const unsigned char *hash, size_t hash_size)
{
    const struct signing *s = data;
    const struct sign_how how = how_to_sign(s);
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    if (!out) {
        *size = (size_t)EVP_PKEY_get_size(s->key->public_key);
        return 1;
    }
    if (provider_sign(&signature, s->key, &how, (se_bytes){ hash, hash_size }, &err)) {
        provider_failed(&err);
        return 0;
    }
    if (signature.size > room)
        return 0;
    memcpy(out, signature.data, signature.size);
    *size = signature.size;
    return 1;
}

static int digest_init(void *data, const char *name, void *key, const OSSL_PARAM params[])
{
    struct signing *s = data;
    EVP_MD *md;
    int ok;

    if (!set_digest(s, name && *name ? name : "SHA256") || !sign_init(s, key, params))
        return 0;
    EVP_MD_CTX_free(s->hash);
    s->hash = EVP_MD_CTX_new();
    md = EVP_MD_fetch(provider_library(), crypto_digest(s->digest), NULL);
    ok = s->hash && md && EVP_DigestInit_ex2(s->hash, md, NULL);
    EVP_MD_free(md);
    return ok;
}

static int digest_update(void *data, const unsigned char *in, size_t size)
{
    return EVP_DigestUpdate(((struct signing *)data)->hash, in, size);
}

static int digest_final(void *data, unsigned char *out, size_t *size, size_t room)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned hash_size = 0;

    if (!out)
        return signing_sign(data, NULL, size, 0, NULL, 0);
    return EVP_DigestFinal_ex(((struct signing *)data)->hash, hash, &hash_size) &&
           signing_sign(data, out, size, room, hash, hash_size);
}

const OSSL_DISPATCH provider_signature[] = {
    ENTRY(OSSL_FUNC_SIGNATURE_NEWCTX, signing_new),
    ENTRY(OSSL_FUNC_SIGNATURE_FREECTX, signing_free),
    ENTRY(OSSL_FUNC_SIGNATURE_DUPCTX, signing_dup),
    ENTRY(OSSL_FUNC_SIGNATURE_SIGN_INIT, sign_init),
    ENTRY(OSSL_FUNC_SIGNATURE_SIGN, signing_sign),
    ENTRY(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, digest_init),
    ENTRY(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, digest_update),
    ENTRY(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, digest_final),
    ENTRY(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, signing_set),
    ENTRY(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, signing_params),
    ENTRY(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, signing_get),
    ENTRY(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, signing_params),
    { 0, NULL },
};
