#include "xmldsig/value.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include "crypto/crypto.h"
#include "crypto/padding.h"
#include "crypto/pkey_ops.h"

AUTO_KIND(ecdsa_sig, ECDSA_SIG *, ECDSA_SIG_free(*p))

/* P-521 has 66 bytes, and not 65. */
static int part_size(const EVP_PKEY *key)
{
    return (EVP_PKEY_get_bits(key) + 7) / 8;
}

static se_status from_der(se_buf *out, const EVP_PKEY *key, se_bytes der, se_error *err)
{
    const unsigned char *p = der.data;
    AUTO(ecdsa_sig) parts = d2i_ECDSA_SIG(NULL, &p, (long)der.size);
    int size = part_size(key);

    TRY(buf_new(out, (size_t)size * 2, err));
    if (parts && BN_bn2binpad(ECDSA_SIG_get0_r(parts), out->data, size) == size &&
        BN_bn2binpad(ECDSA_SIG_get0_s(parts), out->data + size, size) == size)
        return SE_OK;
    se_buf_free(out);
    return crypto_error(err, SE_ERR_CRYPTO, "the key made a signature that is none");
}

static se_status to_der(se_buf *out, const EVP_PKEY *key, se_bytes value, se_error *err)
{
    AUTO(ecdsa_sig) parts = ECDSA_SIG_new();
    const unsigned char *p = value.data;
    int size = part_size(key), length;
    BIGNUM *r, *s;
    unsigned char *end;

    if (value.size != (size_t)size * 2)
        return error_set(err, SE_ERR_REJECTED,
                         "the SignatureValue has %zu bytes, %d would be right", value.size,
                         size * 2);
    r = BN_bin2bn(p, size, NULL);
    s = BN_bin2bn(p + size, size, NULL);
    if (!parts || !r || !s || !ECDSA_SIG_set0(parts, r, s)) {
        BN_free(r);
        BN_free(s);
        return error_memory(err);
    }
    if ((length = i2d_ECDSA_SIG(parts, NULL)) < 0)
        return error_memory(err);
    TRY(buf_new(out, (size_t)length, err));
    end = out->data;
    return i2d_ECDSA_SIG(parts, &end) == length ? SE_OK : error_memory(err);
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
        return from_der(out, key, buf_bytes(&value), err);
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
        TRY(to_der(&der, key, value, err));
        value = buf_bytes(&der);
    }
    if (!context ||
        EVP_DigestVerifyInit_ex(context, &parameters, crypto_digest(algorithm->digest),
                                crypto_context(), NULL, key, NULL) <= 0 ||
        !padding_set(parameters, algorithm, false))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot verify %s", algorithm->name);
    if (EVP_DigestVerify(context, value.data, value.size, signed_info.data, signed_info.size) == 1)
        return SE_OK;
    ERR_clear_error();
    return error_set(
        err, SE_ERR_REJECTED,
        "the SignatureValue is not the signer's: SignedInfo was changed, or another key signed");
}
