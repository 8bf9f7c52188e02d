/* SPDX-License-Identifier: Apache-2.0 */
/* Decryption by our provider (provider-asym_cipher(7)): RSAES-OAEP without a label, and no
 * other padding. */
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "crypto/crypto.h"
#include "crypto/provider.h"

struct opening {
    const struct provider_key *key; /* held by the EVP_PKEY that OpenSSL's context counts */
    int padding;                    /* as OpenSSL counts; PKCS #1 v1.5 until another is chosen */
    struct unwrap_how how;          /* mgf1 DIGEST_NONE: the same as digest */
};

static void *opening_new(void *provider)
{
    struct opening *o = OPENSSL_zalloc(sizeof *o);

    (void)provider;
    if (o)
        *o = (struct opening){ .padding = RSA_PKCS1_PADDING, .how = { DIGEST_SHA1, DIGEST_NONE } };
    return o;
}

static void opening_free(void *data)
{
    OPENSSL_free(data);
}

static void *opening_dup(void *data)
{
    return OPENSSL_memdup(data, sizeof(struct opening));
}

static struct unwrap_how how_to_unwrap(const struct opening *o)
{
    return (struct unwrap_how){ o->how.digest, o->how.mgf1 ? o->how.mgf1 : o->how.digest };
}

static int set_padding(struct opening *o, const OSSL_PARAM *p)
{
    return provider_choice(p, &o->padding, OSSL_PKEY_RSA_PAD_MODE_OAEP, RSA_PKCS1_OAEP_PADDING) &&
           o->padding == RSA_PKCS1_OAEP_PADDING;
}

static int set_digest(enum digest *out, const OSSL_PARAM *p)
{
    *out = p->data_type == OSSL_PARAM_UTF8_STRING ? provider_digest(p->data) : DIGEST_NONE;
    return *out != DIGEST_NONE;
}

/* CMS sets the label that a message names, and the empty one is the same as none. */
static int opening_set(void *data, const OSSL_PARAM params[])
{
    struct opening *o = data;
    const OSSL_PARAM *p;

    if (!params)
        return 1;
    if ((p = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_PAD_MODE)) &&
        !set_padding(o, p))
        return 0;
    if ((p = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST)) &&
        !set_digest(&o->how.digest, p))
        return 0;
    if ((p = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST)) &&
        !set_digest(&o->how.mgf1, p))
        return 0;
    p = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL);
    return !p || !p->data_size;
}

static const OSSL_PARAM *opening_params(void *data, void *provider)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_int(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, NULL),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST_PROPS, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST_PROPS, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)data;
    (void)provider;
    return types;
}

static int get_padding(const struct opening *o, OSSL_PARAM *p)
{
    bool oaep = o->padding == RSA_PKCS1_OAEP_PADDING;

    return provider_tell_choice(
        p, o->padding, oaep ? OSSL_PKEY_RSA_PAD_MODE_OAEP : OSSL_PKEY_RSA_PAD_MODE_PKCSV15);
}

static int opening_get(void *data, OSSL_PARAM params[])
{
    const struct opening *o = data;
    const struct unwrap_how how = how_to_unwrap(o);
    OSSL_PARAM *p;

    if ((p = OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_PAD_MODE)) && !get_padding(o, p))
        return 0;
    if ((p = OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST)) &&
        !OSSL_PARAM_set_utf8_string(p, crypto_digest(how.digest)))
        return 0;
    if ((p = OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST)) &&
        !OSSL_PARAM_set_utf8_string(p, crypto_digest(how.mgf1)))
        return 0;
    return 1;
}

static int decrypt_init(void *data, void *key, const OSSL_PARAM params[])
{
    struct opening *o = data;

    if (key)
        o->key = key;
    return opening_set(o, params);
}

se_status provider_unwrap(se_buf *out, const struct provider_key *key, const struct unwrap_how *how,
                          se_bytes blob, se_error *err)
{
    if (!key->ops->unwrap)
        return error_set(err, SE_ERR_KEY, "this key only signs");
    if (blob.size != (size_t)EVP_PKEY_get_size(key->public_key))
        return remote_refused(err);
    return key->ops->unwrap(out, key->remote, how, blob, err);
}

static se_status opening_unwrap(se_buf *out, const struct opening *o, se_bytes blob, se_error *err)
{
    const struct unwrap_how how = how_to_unwrap(o);

    if (o->padding != RSA_PKCS1_OAEP_PADDING)
        return error_set(err, SE_ERR_POLICY,
                         "it is encrypted with PKCS #1 v1.5 padding, and only OAEP is decrypted");
    return provider_unwrap(out, o->key, &how, blob, err);
}

static int opening_decrypt(void *data, unsigned char *out, size_t *size, size_t room,
                           const unsigned char *in, size_t in_size)
{
    const struct opening *o = data;
    AUTO(se_buf) clear = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    if (!out) {
        *size = (size_t)EVP_PKEY_get_size(o->key->public_key);
        return 1;
    }
    if (opening_unwrap(&clear, o, (se_bytes){ in, in_size }, &err)) {
        provider_failed(&err);
        return 0;
    }
    if (clear.size > room)
        return 0;
    memcpy(out, clear.data, clear.size);
    *size = clear.size;
    return 1;
}

const OSSL_DISPATCH provider_cipher[] = {
    ENTRY(OSSL_FUNC_ASYM_CIPHER_NEWCTX, opening_new),
    ENTRY(OSSL_FUNC_ASYM_CIPHER_FREECTX, opening_free),
    ENTRY(OSSL_FUNC_ASYM_CIPHER_DUPCTX, opening_dup),
    ENTRY(OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT, decrypt_init),
    ENTRY(OSSL_FUNC_ASYM_CIPHER_DECRYPT, opening_decrypt),
    ENTRY(OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS, opening_set),
    ENTRY(OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS, opening_params),
    ENTRY(OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS, opening_get),
    ENTRY(OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS, opening_params),
    { 0, NULL },
};
