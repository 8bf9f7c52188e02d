/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/password.h"

#include <limits.h>
#include <openssl/asn1t.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/pkcs12.h>

#include "crypto/crypto.h"

/* ---- the forms of a PIN ---- */

static bool is_ascii(const se_buf *pin)
{
    for (size_t i = 0; i < pin->size; i++)
        if (pin->data[i] & 0x80)
            return false;
    return true;
}

/* As `openssl pkcs12` does it: each byte as a character, and back to UTF-8. */
static bool take_bytewise(struct passwords *out, const se_buf *pin)
{
    unsigned char *wide = NULL;
    int size = 0;
    char *text;

    if (!OPENSSL_asc2uni((const char *)pin->data, (int)pin->size, &wide, &size))
        return false;
    text = OPENSSL_uni2utf8(wide, size);
    OPENSSL_clear_free(wide, (size_t)size);
    if (!text)
        return false;
    out->bytewise = (unsigned char *)text;
    out->bytewise_size = strlen(text);
    out->forms[out->count++] = (struct password){ text, (int)out->bytewise_size };
    return true;
}

se_status passwords_of(struct passwords *out, const se_buf *pin, se_error *err)
{
    *out = (struct passwords){
        { { pin->data ? (const char *)pin->data : "", (int)pin->size } }, 1, NULL, 0
    };
    if (pin->size > INT_MAX / 4)
        return error_set(err, SE_ERR_ACCESS, "the PIN is too long");
    if (!pin->size)
        out->forms[out->count++] = (struct password){ NULL, 0 };
    else if (!is_ascii(pin) && !take_bytewise(out, pin))
        return error_memory(err);
    return SE_OK;
}

void passwords_free(struct passwords *passwords)
{
    OPENSSL_clear_free(passwords->bytewise, passwords->bytewise_size);
    *passwords = (struct passwords){ .count = 0 };
}

/* ---- PBMAC1 (RFC 9579, RFC 8018, 7.1) ---- */

/* RFC 7292, 4; OpenSSL's own type keeps what the MAC is of to itself. */
struct pfx {
    ASN1_INTEGER *version;
    PKCS7 *safes;
    ASN1_TYPE *mac;
};
typedef struct pfx PFX;
ASN1_SEQUENCE(PFX) = {
    ASN1_SIMPLE(PFX, version, ASN1_INTEGER),
    ASN1_SIMPLE(PFX, safes, PKCS7),
    ASN1_OPT(PFX, mac, ASN1_ANY),
} static_ASN1_SEQUENCE_END(PFX)

/* PBMAC1-params are built as PBES2-params are: a derivation, and what uses its key. */
typedef PBE2PARAM PBMAC1PARAM;

AUTO_KIND(pfx, PFX *, ASN1_item_free((ASN1_VALUE *)*p, ASN1_ITEM_rptr(PFX)))
AUTO_KIND(params, PBMAC1PARAM *, PBE2PARAM_free(*p))
AUTO_KIND(pbkdf2, PBKDF2PARAM *, PBKDF2PARAM_free(*p))
AUTO_KIND(kdf, EVP_KDF *, EVP_KDF_free(*p))
AUTO_KIND(kdf_ctx, EVP_KDF_CTX *, EVP_KDF_CTX_free(*p))

static const X509_ALGOR *algorithm_of(const PKCS12 *pkcs12)
{
    const X509_ALGOR *algorithm = NULL;

    PKCS12_get0_mac(NULL, &algorithm, NULL, NULL, pkcs12);
    return algorithm;
}

bool pbmac1_is(const PKCS12 *pkcs12)
{
    const X509_ALGOR *algorithm = algorithm_of(pkcs12);
    const ASN1_OBJECT *id = NULL;

    if (algorithm)
        X509_ALGOR_get0(&id, NULL, NULL, algorithm);
    return id && OBJ_obj2nid(id) == NID_pbmac1;
}

/* The parameters of an algorithm, if it is this one. */
static void *read_parameters(const X509_ALGOR *algorithm, int nid, const ASN1_ITEM *item)
{
    const ASN1_OBJECT *id = NULL;
    const void *value = NULL;
    int type = V_ASN1_UNDEF;

    if (algorithm)
        X509_ALGOR_get0(&id, &type, &value, algorithm);
    return id && OBJ_obj2nid(id) == nid && type == V_ASN1_SEQUENCE ? ASN1_item_unpack(value, item)
                                                                   : NULL;
}

/* The digest of an HMAC; NULL: it is none that is known. */
static const char *digest_of(const X509_ALGOR *hmac)
{
    const ASN1_OBJECT *id = NULL;
    int digest = NID_undef;

    X509_ALGOR_get0(&id, NULL, NULL, hmac);
    return EVP_PBE_find(EVP_PBE_TYPE_PRF, OBJ_obj2nid(id), NULL, &digest, NULL) && digest > 0
               ? OBJ_nid2sn(digest)
               : NULL;
}

static bool derive_key(unsigned char *key, size_t size, const PBKDF2PARAM *how,
                       const struct password *password)
{
    const char *digest = how->prf ? digest_of(how->prf) : "SHA1";
    AUTO(kdf) kdf = EVP_KDF_fetch(crypto_context(), "PBKDF2", NULL);
    AUTO(kdf_ctx) ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    uint64_t rounds = 0;
    OSSL_PARAM params[5];

    if (!ctx || !digest || how->salt->type != V_ASN1_OCTET_STRING ||
        !ASN1_INTEGER_get_uint64(&rounds, how->iter))
        return false;
    /* OSSL_PARAM has one type for what is read and what is written */
    params[0] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (char *)password->text,
                                                  (size_t)password->length);
    params[1] =
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, how->salt->value.octet_string->data,
                                          (size_t)how->salt->value.octet_string->length);
    params[2] = OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_ITER, &rounds);
    params[3] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0);
    params[4] = OSSL_PARAM_construct_end();
    return EVP_KDF_derive(ctx, key, size, params) > 0;
}

/* RFC 9579, 4: the length of the key must be given. */
static bool compute_mac(unsigned char mac[EVP_MAX_MD_SIZE], size_t *size, const PBMAC1PARAM *params,
                        const struct password *password, const ASN1_OCTET_STRING *content)
{
    AUTO(pbkdf2) how = read_parameters(params->keyfunc, NID_id_pbkdf2, ASN1_ITEM_rptr(PBKDF2PARAM));
    const char *digest = digest_of(params->encryption);
    unsigned char key[EVP_MAX_MD_SIZE];
    uint64_t length = 0;
    bool done;

    if (!how || !digest || !how->keylength || !ASN1_INTEGER_get_uint64(&length, how->keylength) ||
        !length || length > sizeof key)
        return false;
    done = derive_key(key, length, how, password) &&
           EVP_Q_mac(crypto_context(), "HMAC", NULL, digest, NULL, key, length, content->data,
                     (size_t)content->length, mac, EVP_MAX_MD_SIZE, size);
    OPENSSL_cleanse(key, sizeof key);
    return done;
}

se_status pbmac1_check(bool *out, const PKCS12 *pkcs12, se_bytes file,
                       const struct password *password, se_error *err)
{
    AUTO(params) params =
        read_parameters(algorithm_of(pkcs12), NID_pbmac1, ASN1_ITEM_rptr(PBE2PARAM));
    const unsigned char *p = file.data;
    AUTO(pfx) pfx = (PFX *)ASN1_item_d2i(NULL, &p, (long)file.size, ASN1_ITEM_rptr(PFX));
    const ASN1_OCTET_STRING *wanted = NULL;
    unsigned char mac[EVP_MAX_MD_SIZE];
    size_t size;

    *out = false;
    PKCS12_get0_mac(&wanted, NULL, NULL, NULL, pkcs12);
    if (!password->text)
        return SE_OK;
    if (!params || !pfx || !wanted || OBJ_obj2nid(pfx->safes->type) != NID_pkcs7_data ||
        !compute_mac(mac, &size, params, password, pfx->safes->d.data))
        return crypto_error(
            err, SE_ERR_STORE,
            "its MAC is a PBMAC1 (RFC 9579) that is not PBKDF2 with an HMAC of a known digest");
    *out = (size_t)wanted->length == size && !CRYPTO_memcmp(wanted->data, mac, size);
    return SE_OK;
}
