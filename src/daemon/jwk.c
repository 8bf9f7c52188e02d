/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/jwk.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/json_write.h"

AUTO_KIND(public_key, EVP_PKEY *, EVP_PKEY_free(*p))
AUTO_KIND(big_number, BIGNUM *, BN_free(*p))

static void write_base64url(struct writer *w, const char *name, se_bytes bytes)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    if (base64url_encode(&text, bytes, NULL))
        w->failed = true;
    else
        json_write_bytes(w, name, buf_bytes(&text));
}

/* `size` 0: as many bytes as it needs. */
static se_status write_number(struct writer *w, const char *name, const EVP_PKEY *key,
                              const char *parameter, size_t size, se_error *err)
{
    AUTO(big_number) number = NULL;
    AUTO(se_buf) bytes = SE_BUF_INIT;

    if (!EVP_PKEY_get_bn_param(key, parameter, &number))
        return error_set(err, SE_ERR_CRYPTO, "the public key has no '%s'", parameter);
    size = size ? size : (size_t)BN_num_bytes(number);
    TRY(buf_new(&bytes, size, err));
    if (BN_bn2binpad(number, bytes.data, (int)size) < 0)
        return error_set(err, SE_ERR_CRYPTO, "the public key's '%s' is too long", parameter);
    write_base64url(w, name, buf_bytes(&bytes));
    return SE_OK;
}

struct curve {
    const char *name, *group;
    size_t size; /* of a coordinate */
};

static const struct curve *find_curve(const EVP_PKEY *key)
{
    static const struct curve curves[] = {
        { "P-256", "prime256v1", 32 },
        { "P-384", "secp384r1", 48 },
        { "P-521", "secp521r1", 66 },
    };
    char group[40];

    if (!EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, NULL))
        return NULL;
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        if (strcmp(curves[i].group, group) == 0)
            return &curves[i];
    return NULL;
}

static se_status write_key(struct writer *w, const EVP_PKEY *key, se_error *err)
{
    const struct curve *curve;

    if (EVP_PKEY_is_a(key, "RSA")) {
        json_write_text(w, "kty", "RSA");
        TRY(write_number(w, "n", key, OSSL_PKEY_PARAM_RSA_N, 0, err));
        return write_number(w, "e", key, OSSL_PKEY_PARAM_RSA_E, 0, err);
    }
    if (!(curve = find_curve(key)))
        return error_set(err, SE_ERR_POLICY, "JOSE has no name for this kind of key");
    json_write_text(w, "kty", "EC");
    json_write_text(w, "crv", curve->name);
    TRY(write_number(w, "x", key, OSSL_PKEY_PARAM_EC_PUB_X, curve->size, err));
    return write_number(w, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y, curve->size, err);
}

/* Raw signatures by RSA are those of JOSE; by ECDSA they are not (RFC 7518, 3.4), and the key says
 * nothing of an algorithm then. */
static const char *algorithm_name(const char *algorithm)
{
    static const char *const names[][2] = {
        { "SHA256withRSA", "RS256" },        { "SHA384withRSA", "RS384" },
        { "SHA512withRSA", "RS512" },        { "SHA256withRSAandMGF1", "PS256" },
        { "SHA384withRSAandMGF1", "PS384" }, { "SHA512withRSAandMGF1", "PS512" },
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], algorithm) == 0)
            return names[i][1];
    return NULL;
}

static void write_certificate(struct writer *w, se_bytes der)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];

    json_write_begin(w, "x5c", '[');
    json_write_base64(w, NULL, der);
    json_write_end(w, ']');
    SHA256(der.data, der.size, hash);
    write_base64url(w, "x5t#S256", (se_bytes){ hash, sizeof hash });
}

se_status jwk_write(struct writer *w, const char *descriptor, const se_verifier *verifier,
                    se_error *err)
{
    const se_bytes der = se_verifier_key(verifier);
    const unsigned char *at = der.data;
    AUTO(public_key) key = d2i_PUBKEY(NULL, &at, (long)der.size);
    AUTO(writer) id = { 0 };
    se_signer signer;

    if (!key)
        return error_set(err, SE_ERR_CRYPTO, "the certificate's public key can't be read");
    se_verifier_signer(&signer, verifier);
    writer_format(&id, "%s:%u", descriptor, signer.version);
    json_write_begin(w, NULL, '{');
    TRY(write_key(w, key, err));
    json_write_text(w, "kid", writer_string(&id));
    json_write_text(w, "use", "sig");
    if (algorithm_name(signer.algorithm))
        json_write_text(w, "alg", algorithm_name(signer.algorithm));
    write_certificate(w, se_verifier_certificate(verifier));
    json_write_end(w, '}');
    return SE_OK;
}
