#include "keystore/pkcs11/match.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/crypto.h"
#include "keystore/pkcs11/object.h"
#include "keystore/pkcs11/sign.h"
#include "keystore/pkcs11/unwrap.h"

AUTO_KIND(bignum, BIGNUM *, BN_free(*p))
AUTO_KIND(octets, ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free(*p))
AUTO_KIND(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free(*p))

enum { PROBE = 32, POINT_MOST = 256 };

static bool equal(const void *a, size_t a_size, const void *b, size_t b_size)
{
    return a_size == b_size && !CRYPTO_memcmp(a, b, a_size);
}

static se_status compare_type(enum evidence *out, const struct token_key *key,
                              struct session *session, se_error *err)
{
    CK_KEY_TYPE type, wanted = key_family(key->public) == FAMILY_RSA ? CKK_RSA : CKK_EC;
    AUTO(se_buf) value = SE_BUF_INIT;
    se_status st = object_bytes(&value, session, key->object, CKA_KEY_TYPE, err);

    *out = UNKNOWN;
    if (st || value.size != sizeof type)
        return st;
    memcpy(&type, value.data, sizeof type);
    *out = type == wanted ? UNKNOWN : OTHER;
    return SE_OK;
}

static se_status compare_modulus(enum evidence *out, const struct token_key *key,
                                 struct session *session, se_error *err)
{
    AUTO(se_buf) value = SE_BUF_INIT;
    AUTO(bignum) ours = NULL;
    AUTO(bignum) its = NULL;
    se_status st = object_bytes(&value, session, key->object, CKA_MODULUS, err);

    *out = UNKNOWN;
    if (st || !value.size)
        return st;
    its = BN_bin2bn(value.data, (int)value.size, NULL);
    if (!its || !EVP_PKEY_get_bn_param(key->public, OSSL_PKEY_PARAM_RSA_N, &ours))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot compare key and certificate");
    *out = BN_cmp(ours, its) ? OTHER : SAME;
    return SE_OK;
}

/* CKA_EC_POINT is an OCTET STRING in DER; some tokens give the bare point. */
static bool same_point(const EVP_PKEY *public, const se_buf *value)
{
    const unsigned char *p = value->data;
    AUTO(octets) string = d2i_ASN1_OCTET_STRING(NULL, &p, (long)value->size);
    unsigned char point[POINT_MOST];
    size_t size = 0;

    ERR_clear_error();
    if (!EVP_PKEY_get_octet_string_param(public, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
                                         &size))
        return false;
    return equal(point, size, value->data, value->size) ||
           (string &&
            equal(point, size, ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string)));
}

/* Another point proves nothing: the object may be a stray one. */
static se_status compare_point(enum evidence *out, const struct token_key *key,
                               struct session *session, se_error *err)
{
    struct query query = query_class(&class_public);
    AUTO(se_buf) id = SE_BUF_INIT;
    struct objects found;
    se_status st = object_bytes(&id, session, key->object, CKA_ID, err);

    *out = UNKNOWN;
    if (st)
        return st;
    query_add(&query, id.size ? CKA_ID : CKA_LABEL,
              id.size ? buf_bytes(&id) : text_bytes(key->ref->alias));
    st = object_find(&found, session, &query, err);
    for (size_t i = 0; !st && *out == UNKNOWN && i < found.count; i++) {
        AUTO(se_buf) value = SE_BUF_INIT;

        st = object_bytes(&value, session, found.list[i], CKA_EC_POINT, err);
        if (!st && value.size && same_point(key->public, &value))
            *out = SAME;
    }
    return st;
}

static bool verifies(EVP_PKEY *public, const struct sign_how *how, se_bytes signature,
                     se_bytes hash)
{
    AUTO(pkey_ctx) ctx = EVP_PKEY_CTX_new_from_pkey(crypto_context(), public, NULL);
    EVP_MD *md = EVP_MD_fetch(crypto_context(), crypto_digest(how->digest), NULL);
    bool good = ctx && md && EVP_PKEY_verify_init(ctx) > 0 &&
                EVP_PKEY_CTX_set_signature_md(ctx, md) > 0 &&
                EVP_PKEY_verify(ctx, signature.data, signature.size, hash.data, hash.size) > 0;

    EVP_MD_free(md);
    ERR_clear_error();
    return good;
}

/* OpenSSL's default padding for RSA is PKCS #1 v1.5. */
static se_status probe_signing(bool *out, struct token_key *key, struct session *session,
                               se_error *err)
{
    static const unsigned char hash[PROBE] = "signengine: is this the key of?";
    const struct sign_how how = {
        DIGEST_SHA256, key_family(key->public) == FAMILY_EC ? PADDING_NONE : PADDING_PKCS1, 0
    };
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_status st =
        token_key_sign(&signature, key, session, &how, (se_bytes){ hash, sizeof hash }, err);

    if (!st)
        *out = verifies(key->public, &how, buf_bytes(&signature), (se_bytes){ hash, sizeof hash });
    return st;
}

se_status key_compare(enum evidence *out, const struct token_key *key, struct session *session,
                      se_error *err)
{
    se_status st = compare_type(out, key, session, err);

    if (st || *out == OTHER)
        return st;
    return (key_family(key->public) == FAMILY_RSA ? compare_modulus : compare_point)(out, key,
                                                                                     session, err);
}

se_status key_matches(bool *out, struct token_key *key, struct session *session, se_error *err)
{
    bool rsa = key_family(key->public) == FAMILY_RSA;
    enum evidence evidence;
    se_status st = key_compare(&evidence, key, session, err);

    *out = !st && evidence == SAME;
    if (st || evidence != UNKNOWN)
        return st;
    return (rsa && key->part == PART_DECRYPT ? token_key_decrypts : probe_signing)(out, key,
                                                                                   session, err);
}
