/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jwk.h"

#include <openssl/core_names.h>

#include "base/base64.h"
#include "base/json_write.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"

AUTO_KIND(json, json_t *, json_decref(*p))
AUTO_KIND(big_number, BIGNUM *, BN_free(*p))
AUTO_KIND(der, unsigned char *, OPENSSL_free(*p))

/* ---- the members that are the key ---- */

/* `size` 0: as many bytes as it needs. */
static se_status write_number(struct writer *w, const char *name, const EVP_PKEY *key,
                              const char *parameter, size_t size, se_error *err)
{
    AUTO(big_number) number = NULL;
    AUTO(se_buf) bytes = SE_BUF_INIT;

    if (!EVP_PKEY_get_bn_param(key, parameter, &number))
        return crypto_error(err, SE_ERR_CRYPTO, "the public key has no '%s'", parameter);
    size = size ? size : (size_t)BN_num_bytes(number);
    TRY(buf_new(&bytes, size, err));
    if (BN_bn2binpad(number, bytes.data, (int)size) < 0)
        return crypto_error(err, SE_ERR_CRYPTO, "the public key's '%s' is too long", parameter);
    json_write_base64url(w, name, buf_bytes(&bytes));
    return SE_OK;
}

/* In the order of the alphabet, as the thumbprint wants them (RFC 7638, 3.2). */
static se_status write_key(struct writer *w, const EVP_PKEY *key, se_error *err)
{
    const struct key_curve *curve = key_curve(key);

    if (key_family(key) == FAMILY_RSA) {
        TRY(write_number(w, "e", key, OSSL_PKEY_PARAM_RSA_E, 0, err));
        json_write_text(w, "kty", "RSA");
        return write_number(w, "n", key, OSSL_PKEY_PARAM_RSA_N, 0, err);
    }
    if (!curve)
        return error_set(err, SE_ERR_POLICY, "JOSE has no name for this kind of key");
    json_write_text(w, "crv", curve->name);
    json_write_text(w, "kty", "EC");
    TRY(write_number(w, "x", key, OSSL_PKEY_PARAM_EC_PUB_X, curve->bytes, err));
    return write_number(w, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y, curve->bytes, err);
}

static se_status key_to_jwk(se_buf *out, const EVP_PKEY *key, se_error *err)
{
    AUTO(writer) w = { 0 };

    json_write_begin(&w, NULL, '{');
    TRY(write_key(&w, key, err));
    json_write_end(&w, '}');
    return writer_finish(out, &w, err);
}

se_status jwk_thumbprint(char out[JWK_THUMBPRINT], const EVP_PKEY *key, se_error *err)
{
    AUTO(se_buf) jwk = SE_BUF_INIT;
    AUTO(se_buf) text = SE_BUF_INIT;
    unsigned char hash[SHA256_SIZE];

    *out = '\0';
    TRY(key_to_jwk(&jwk, key, err));
    TRY(crypto_sha256(hash, &(se_bytes){ jwk.data, jwk.size }, 1, err));
    TRY(base64url_encode(&text, (se_bytes){ hash, sizeof hash }, err));
    memcpy(out, text.data, JWK_THUMBPRINT);
    return SE_OK;
}

bool jwk_is_of(const json_t *jwk, const EVP_PKEY *key)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(json) own = NULL;
    const char *name;
    json_t *value;

    if (key_to_jwk(&text, key, NULL) ||
        !(own = json_loadb((const char *)text.data, text.size, 0, NULL)))
        return false;
    json_object_foreach(own, name, value)
        if (!json_equal(json_object_get(jwk, name), value))
            return false;
    return true;
}

/* ---- certificates ---- */

static se_status write_certificate(struct writer *w, const X509 *certificate, se_error *err)
{
    AUTO(der) der = NULL;
    const int size = i2d_X509(certificate, &der);

    if (size <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode the certificate");
    json_write_base64(w, NULL, (se_bytes){ der, (size_t)size });
    return SE_OK;
}

se_status jwk_write_chain(struct writer *w, X509 *certificate, const STACK_OF(X509) * issuers,
                          se_error *err)
{
    json_write_begin(w, "x5c", '[');
    TRY(write_certificate(w, certificate, err));
    for (int i = 0; i < sk_X509_num(issuers); i++)
        TRY(write_certificate(w, sk_X509_value(issuers, i), err));
    json_write_end(w, ']');
    return SE_OK;
}

se_status certificate_thumbprint(se_buf *out, const X509 *certificate, enum digest digest,
                                 se_error *err)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size;

    *out = (se_buf)SE_BUF_INIT;
    if (!X509_digest(certificate, crypto_md(digest), hash, &size))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot hash the certificate");
    return buf_copy(out, (se_bytes){ hash, size }, err);
}

se_status jwk_write(struct writer *w, const struct algorithm *algorithm, X509 *certificate,
                    const STACK_OF(X509) * issuers, se_error *err)
{
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    AUTO(se_buf) print = SE_BUF_INIT;
    char id[JWK_THUMBPRINT];

    TRY(jwk_thumbprint(id, key, err));
    json_write_begin(w, NULL, '{');
    TRY(write_key(w, key, err));
    json_write_text(w, "kid", id);
    json_write_text(w, "use", "sig");
    json_write_text(w, "alg", algorithm->name);
    if (!certificate_is_bare(certificate)) {
        TRY(certificate_thumbprint(&print, certificate, DIGEST_SHA256, err));
        json_write_base64url(w, "x5t#S256", buf_bytes(&print));
        TRY(jwk_write_chain(w, certificate, issuers, err));
    }
    json_write_end(w, '}');
    return SE_OK;
}
