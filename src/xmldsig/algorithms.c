/* SPDX-License-Identifier: Apache-2.0 */
#include "xmldsig/algorithms.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <string.h>

#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"

/* ---- their names ---- */

/* RFC 9231, 2.3 */
#define MORE       "http://www.w3.org/2001/04/xmldsig-more#"
#define PSS        "http://www.w3.org/2007/05/xmldsig-more#"
#define ENCRYPTION "http://www.w3.org/2001/04/xmlenc#"

static const struct {
    enum digest digest;
    enum key_family family;
    enum padding padding;
    const char *uri;
} signatures[] = {
    { DIGEST_SHA256, FAMILY_RSA, PADDING_PKCS1, MORE "rsa-sha256" },
    { DIGEST_SHA384, FAMILY_RSA, PADDING_PKCS1, MORE "rsa-sha384" },
    { DIGEST_SHA512, FAMILY_RSA, PADDING_PKCS1, MORE "rsa-sha512" },
    { DIGEST_SHA256, FAMILY_RSA, PADDING_PSS, PSS "sha256-rsa-MGF1" },
    { DIGEST_SHA384, FAMILY_RSA, PADDING_PSS, PSS "sha384-rsa-MGF1" },
    { DIGEST_SHA512, FAMILY_RSA, PADDING_PSS, PSS "sha512-rsa-MGF1" },
    { DIGEST_SHA256, FAMILY_EC, PADDING_NONE, MORE "ecdsa-sha256" },
    { DIGEST_SHA384, FAMILY_EC, PADDING_NONE, MORE "ecdsa-sha384" },
    { DIGEST_SHA512, FAMILY_EC, PADDING_NONE, MORE "ecdsa-sha512" },
};
enum { SIGNATURES = sizeof signatures / sizeof *signatures };

static const char *const digests[] = {
    [DIGEST_SHA256] = ENCRYPTION "sha256",
    [DIGEST_SHA384] = MORE "sha384",
    [DIGEST_SHA512] = ENCRYPTION "sha512",
};

static se_status algorithm_refuse(const char *what, const char *uri, se_error *err)
{
    const char *why = "is not accepted";

    if (strstr(uri, "hmac"))
        why = "is not accepted: an HMAC proves nothing about who made it, for whoever can verify "
              "it can make it";
    else if (strstr(uri, "sha1") || strstr(uri, "md5") || strstr(uri, "ripemd"))
        why = "is too weak";
    return error_set(err, SE_ERR_REJECTED, "the %s %.150s %s", what, uri, why);
}

se_status xmldsig_signature_method(const struct algorithm **out, const char *uri, se_error *err)
{
    for (size_t i = 0; i < SIGNATURES; i++)
        if (!strcmp(uri, signatures[i].uri)) {
            *out = algorithm_signature(signatures[i].digest, signatures[i].family,
                                       signatures[i].padding);
            return SE_OK;
        }
    return algorithm_refuse("SignatureMethod", uri, err);
}

se_status xmldsig_digest_method(enum digest *out, const char *uri, se_error *err)
{
    for (enum digest d = DIGEST_SHA256; d <= DIGEST_SHA512; d++)
        if (!strcmp(uri, digests[d])) {
            *out = d;
            return SE_OK;
        }
    return algorithm_refuse("DigestMethod", uri, err);
}

const char *xmldsig_signature_uri(const struct algorithm *algorithm)
{
    for (size_t i = 0; i < SIGNATURES; i++)
        if (algorithm->digest == signatures[i].digest &&
            algorithm->family == signatures[i].family &&
            algorithm->padding == signatures[i].padding)
            return signatures[i].uri;
    return NULL;
}

const char *xmldsig_digest_uri(enum digest digest)
{
    return digests[digest];
}

/* ---- signature values ---- */

static se_status ecdsa_value_to_der(se_buf *out, const EVP_PKEY *key, se_bytes value, se_error *err)
{
    const size_t size = ecdsa_size(key);

    if (value.size != size)
        return error_set(err, SE_ERR_REJECTED,
                         "the SignatureValue has %zu bytes, %zu would be right", value.size, size);
    return ecdsa_to_der(out, value, err);
}

se_status xmldsig_value_make(se_buf *out, EVP_PKEY *key, const struct algorithm *algorithm,
                             se_bytes signed_info, se_error *err)
{
    AUTO(se_buf) value = SE_BUF_INIT;
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size;
    struct sign_how how;

    *out = (se_buf)SE_BUF_INIT;
    if (!EVP_Digest(signed_info.data, signed_info.size, hash, &size, crypto_md(algorithm->digest),
                    NULL))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot hash with %s",
                            digest_name(algorithm->digest));
    how = padding_how(algorithm, size);
    TRY(key_sign_hash(&value, key, &how, (se_bytes){ hash, size }, err));
    if (algorithm->family == FAMILY_EC)
        return ecdsa_from_der(out, key, buf_bytes(&value), err);
    *out = buf_move(&value);
    return SE_OK;
}

se_status xmldsig_value_check(se_bytes value, EVP_PKEY *key, const struct algorithm *algorithm,
                              se_bytes signed_info, se_error *err)
{
    AUTO(md_context) context = EVP_MD_CTX_new();
    AUTO(se_buf) der = SE_BUF_INIT;
    EVP_PKEY_CTX *parameters;

    if (key_family(key) != algorithm->family)
        return error_set(err, SE_ERR_REJECTED, "%s does not go with the signer's key",
                         algorithm->name);
    if (algorithm->family == FAMILY_EC) {
        TRY(ecdsa_value_to_der(&der, key, value, err));
        value = buf_bytes(&der);
    }
    if (!context ||
        EVP_DigestVerifyInit_ex(context, &parameters, crypto_digest(algorithm->digest),
                                crypto_context(), NULL, key, NULL) <= 0 ||
        !padding_set(parameters, algorithm))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot verify %s", algorithm->name);
    if (EVP_DigestVerify(context, value.data, value.size, signed_info.data, signed_info.size) == 1)
        return SE_OK;
    ERR_clear_error();
    return error_set(
        err, SE_ERR_REJECTED,
        "the SignatureValue is not the signer's: SignedInfo was changed, or another key signed");
}
