/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pkey_ops.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/crypto.h"
#include "crypto/key.h"
#include "crypto/provider.h"

/* ---- keys that a store holds ---- */

const struct provider_key *provider_key_of(const EVP_PKEY *key)
{
    void *keydata = NULL;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_ptr(PARAM_PROVIDER_KEY, &keydata, 0),
                            OSSL_PARAM_construct_end() };

    ERR_set_mark();
    (void)EVP_PKEY_get_params(key, params);
    ERR_pop_to_mark();
    return keydata;
}

se_status remote_key(EVP_PKEY **out, const struct remote_ops *ops, void *remote,
                     EVP_PKEY *public_key, se_error *err)
{
    struct provider_key keydata = { ops, remote, public_key };
    OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_string(PARAM_PROVIDER_KEY, &keydata,
                                                              sizeof keydata),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context;
    int ok;

    *out = NULL;
    if (key_family(public_key) == FAMILY_ANY)
        return error_set(err, SE_ERR_KEY, "a key of type %s can't be used: RSA or EC is needed",
                         EVP_PKEY_get0_type_name(public_key));
    context = EVP_PKEY_CTX_new_from_name(
        crypto_context(), key_family(public_key) == FAMILY_EC ? "EC" : "RSA", PROVIDER_PROPERTIES);
    ok = context && EVP_PKEY_fromdata_init(context) > 0 &&
         EVP_PKEY_fromdata(context, out, EVP_PKEY_KEYPAIR, params) > 0;
    EVP_PKEY_CTX_free(context);
    return ok ? SE_OK : crypto_error(err, SE_ERR_CRYPTO, "cannot bridge the key to OpenSSL");
}

const char *remote_sign_mechanism(const EVP_PKEY *key, const struct sign_how *how)
{
    const struct provider_key *keydata = provider_key_of(key);

    if (!keydata)
        return "software";
    return keydata->ops->sign_mechanism ? keydata->ops->sign_mechanism(keydata->remote, how) : "";
}

const char *remote_unwrap_mechanism(const EVP_PKEY *key, const struct unwrap_how *how)
{
    const struct provider_key *keydata = provider_key_of(key);

    if (!keydata)
        return "software";
    return keydata->ops->unwrap_mechanism ? keydata->ops->unwrap_mechanism(keydata->remote, how)
                                          : "";
}

se_status remote_may_sign(const EVP_PKEY *key, const struct sign_how *how, se_error *err)
{
    const struct provider_key *keydata = provider_key_of(key);

    return keydata && keydata->ops->may_sign ? keydata->ops->may_sign(keydata->remote, how, err)
                                             : SE_OK;
}

se_status remote_may_unwrap(const EVP_PKEY *key, const struct unwrap_how *how, se_error *err)
{
    const struct provider_key *keydata = provider_key_of(key);

    return keydata && keydata->ops->may_unwrap ? keydata->ops->may_unwrap(keydata->remote, how, err)
                                               : SE_OK;
}

void remote_advise(const EVP_PKEY *key, remote_advice_fn fn, void *arg)
{
    const struct provider_key *keydata = provider_key_of(key);

    if (keydata && keydata->ops->advise)
        keydata->ops->advise(keydata->remote, fn, arg);
}

enum leaving remote_may_leave(const EVP_PKEY *key)
{
    const struct provider_key *keydata = provider_key_of(key);

    if (!keydata)
        return LEAVING_YES;
    return keydata->ops->may_leave ? keydata->ops->may_leave(keydata->remote) : LEAVING_UNKNOWN;
}

/* ---- what is done with keys ---- */

AUTO_KIND(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free(*p))

enum { PARAMS = 4 };

/* OpenSSL's constructors want what they only read to be writable. */
static char *param_text(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void sign_params(OSSL_PARAM out[PARAMS], struct sign_how *how, int *padding)
{
    *padding = how->padding == PADDING_PSS ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
    *out++ = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST,
                                              param_text(crypto_digest(how->digest)), 0);
    if (how->padding != PADDING_NONE)
        *out++ = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PAD_MODE, padding);
    if (how->padding == PADDING_PSS)
        *out++ = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &how->salt);
    *out = OSSL_PARAM_construct_end();
}

/* A failure that somebody left behind on this thread is not ours, and OpenSSL's queue may belong to
 * an operation around this one. */
static void errors_begin(void)
{
    se_error stale;

    (void)remote_failure(&stale);
    ERR_set_mark();
}

static se_status errors_finish(se_status st)
{
    ERR_pop_to_mark();
    return st;
}

static se_status sign_held(se_buf *out, EVP_PKEY *key, const struct sign_how *how, se_bytes hash,
                           se_error *err)
{
    AUTO(pkey_ctx) ctx = EVP_PKEY_CTX_new_from_pkey(crypto_context(), key, NULL);
    AUTO(se_buf) signature = SE_BUF_INIT;
    struct sign_how mine = *how;
    size_t size = (size_t)EVP_PKEY_get_size(key);
    OSSL_PARAM params[PARAMS];
    int padding;

    TRY(buf_new(&signature, size, err));
    sign_params(params, &mine, &padding);
    if (!ctx || EVP_PKEY_sign_init(ctx) <= 0 || EVP_PKEY_CTX_set_params(ctx, params) <= 0 ||
        EVP_PKEY_sign(ctx, signature.data, &size, hash.data, hash.size) <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot sign");
    return buf_copy(out, (se_bytes){ signature.data, size }, err);
}

se_status key_sign_hash(se_buf *out, EVP_PKEY *key, const struct sign_how *how, se_bytes hash,
                        se_error *err)
{
    const struct provider_key *keydata = provider_key_of(key);

    *out = (se_buf)SE_BUF_INIT;
    errors_begin();
    return errors_finish(keydata ? provider_sign(out, keydata, how, hash, err)
                                 : sign_held(out, key, how, hash, err));
}

se_status key_verify_hash(EVP_PKEY *public_key, const struct sign_how *how, se_bytes hash,
                          se_bytes signature, se_error *err)
{
    AUTO(pkey_ctx) ctx = EVP_PKEY_CTX_new_from_pkey(crypto_context(), public_key, NULL);
    struct sign_how mine = *how;
    OSSL_PARAM params[PARAMS];
    int padding;

    sign_params(params, &mine, &padding);
    if (!ctx || EVP_PKEY_verify_init(ctx) <= 0 || EVP_PKEY_CTX_set_params(ctx, params) <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot verify");
    if (EVP_PKEY_verify(ctx, signature.data, signature.size, hash.data, hash.size) == 1)
        return SE_OK;
    ERR_clear_error();
    return error_set(err, SE_ERR_REJECTED, "the signature does not verify");
}

AUTO_KIND(ecdsa_sig, ECDSA_SIG *, ECDSA_SIG_free(*p))

static se_status encode_signature(se_buf *out, const ECDSA_SIG *signature, se_error *err)
{
    const int size = i2d_ECDSA_SIG(signature, NULL);
    unsigned char *end;

    if (size <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode the signature");
    TRY(buf_new(out, (size_t)size, err));
    end = out->data;
    (void)i2d_ECDSA_SIG(signature, &end);
    return SE_OK;
}

se_status ecdsa_to_der(se_buf *out, se_bytes raw, se_error *err)
{
    const int width = (int)(raw.size / 2);
    const unsigned char *bytes = raw.data;
    AUTO(ecdsa_sig) signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes, width, NULL), *s = BN_bin2bn(bytes + width, width, NULL);

    *out = (se_buf)SE_BUF_INIT;
    if (!r || !s || !signature || !ECDSA_SIG_set0(signature, r, s)) {
        BN_free(r);
        BN_free(s);
        return error_memory(err);
    }
    return encode_signature(out, signature, err);
}

/* P-521 has 66 bytes, and not 65. */
size_t ecdsa_size(const EVP_PKEY *key)
{
    return ((size_t)EVP_PKEY_get_bits(key) + 7) / 8 * 2;
}

se_status ecdsa_from_der(se_buf *out, const EVP_PKEY *key, se_bytes der, se_error *err)
{
    const unsigned char *p = der.data;
    AUTO(ecdsa_sig) parts = d2i_ECDSA_SIG(NULL, &p, (long)der.size);
    const int width = (int)(ecdsa_size(key) / 2);

    TRY(buf_new(out, ecdsa_size(key), err));
    if (parts && BN_bn2binpad(ECDSA_SIG_get0_r(parts), out->data, width) == width &&
        BN_bn2binpad(ECDSA_SIG_get0_s(parts), out->data + width, width) == width)
        return SE_OK;
    se_buf_free(out);
    return crypto_error(err, SE_ERR_CRYPTO, "the key made a signature that is none");
}

static void oaep_params(OSSL_PARAM out[PARAMS], const struct unwrap_how *how, int *padding)
{
    *padding = RSA_PKCS1_OAEP_PADDING;
    *out++ = OSSL_PARAM_construct_int(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, padding);
    *out++ = OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST,
                                              param_text(crypto_digest(how->digest)), 0);
    *out++ = OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST,
                                              param_text(crypto_digest(how->mgf1)), 0);
    *out = OSSL_PARAM_construct_end();
}

static se_status encrypt_oaep(se_buf *out, EVP_PKEY *public_key, const struct unwrap_how *how,
                              se_bytes clear, se_error *err)
{
    AUTO(pkey_ctx) ctx = EVP_PKEY_CTX_new_from_pkey(crypto_context(), public_key, NULL);
    AUTO(se_buf) blob = SE_BUF_INIT;
    size_t size = (size_t)EVP_PKEY_get_size(public_key), least;
    OSSL_PARAM params[PARAMS];
    int padding;

    oaep_params(params, how, &padding);
    if (!ctx || EVP_PKEY_encrypt_init(ctx) <= 0 || EVP_PKEY_CTX_set_params(ctx, params) <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encrypt with OAEP");
    /* RFC 8017, 7.1.1, step 1 */
    least = 2 + 2 * (size_t)EVP_MD_get_size(crypto_md(how->digest));
    if (size < least || clear.size > size - least)
        return error_set(err, SE_ERR_USAGE, "%zu bytes are more than this key encrypts",
                         clear.size);
    TRY(buf_new(&blob, size, err));
    if (EVP_PKEY_encrypt(ctx, blob.data, &size, clear.data, clear.size) <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encrypt with OAEP");
    *out = buf_move(&blob);
    return SE_OK;
}

se_status key_wrap(se_buf *out, EVP_PKEY *public_key, const struct unwrap_how *how, se_bytes clear,
                   se_error *err)
{
    *out = (se_buf)SE_BUF_INIT;
    if (key_family(public_key) != FAMILY_RSA)
        return error_set(err, SE_ERR_KEY, "the key can't encrypt");
    errors_begin();
    return errors_finish(encrypt_oaep(out, public_key, how, clear, err));
}

static se_status unwrap_held(se_buf *out, EVP_PKEY *key, const struct unwrap_how *how,
                             se_bytes blob, se_error *err)
{
    AUTO(pkey_ctx) ctx = EVP_PKEY_CTX_new_from_pkey(crypto_context(), key, NULL);
    AUTO(se_buf) clear = SE_BUF_INIT;
    size_t size = (size_t)EVP_PKEY_get_size(key);
    OSSL_PARAM params[PARAMS];
    int padding;

    if (blob.size != size)
        return remote_refused(err);
    TRY(buf_new(&clear, size, err));
    oaep_params(params, how, &padding);
    if (!ctx || EVP_PKEY_decrypt_init(ctx) <= 0 || EVP_PKEY_CTX_set_params(ctx, params) <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot decrypt with OAEP");
    if (EVP_PKEY_decrypt(ctx, clear.data, &size, blob.data, blob.size) <= 0)
        return remote_refused(err);
    return buf_copy(out, (se_bytes){ clear.data, size }, err);
}

se_status key_unwrap(se_buf *out, EVP_PKEY *key, const struct unwrap_how *how, se_bytes blob,
                     se_error *err)
{
    const struct provider_key *keydata = provider_key_of(key);

    *out = (se_buf)SE_BUF_INIT;
    if (key_family(key) != FAMILY_RSA)
        return error_set(err, SE_ERR_KEY, "this key only signs");
    errors_begin();
    return errors_finish(keydata ? provider_unwrap(out, keydata, how, blob, err)
                                 : unwrap_held(out, key, how, blob, err));
}

/* ---- padding ---- */

bool padding_set(EVP_PKEY_CTX *context, const struct algorithm *algorithm)
{
    if (algorithm->padding == PADDING_NONE)
        return true;
    if (algorithm->padding == PADDING_PKCS1)
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0;
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0;
}

struct sign_how padding_how(const struct algorithm *algorithm, size_t hash)
{
    return (struct sign_how){ algorithm->digest, algorithm->padding,
                              algorithm->padding == PADDING_PSS ? (int)hash : 0 };
}
