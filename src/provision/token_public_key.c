/* SPDX-License-Identifier: Apache-2.0 */
/* From objects of a token to OpenSSL's keys. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "crypto/provider_keymgmt.h"
#include "keystore/pkcs11/sign.h"
#include "provision/token_keystore.h"

AUTO_KIND(object, ASN1_OBJECT *, ASN1_OBJECT_free(*p))
AUTO_KIND(octets, ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free(*p))
AUTO_KIND(bignum, BIGNUM *, BN_free(*p))
AUTO_KIND(builder, OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free(*p))
AUTO_KIND(params, OSSL_PARAM *, OSSL_PARAM_free(*p))
AUTO_KIND(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free(*p))

static se_status key_from_params(EVP_PKEY **out, const char *type, OSSL_PARAM_BLD *builder,
                                 se_error *err)
{
    AUTO(params) params = OSSL_PARAM_BLD_to_param(builder);
    AUTO(pkey_ctx) context = EVP_PKEY_CTX_new_from_name(crypto_context(), type, NULL);

    if (params && context && EVP_PKEY_fromdata_init(context) > 0 &&
        EVP_PKEY_fromdata(context, out, EVP_PKEY_PUBLIC_KEY, params) > 0)
        return SE_OK;
    return crypto_error(err, SE_ERR_KEY, "the public key on the token can't be read");
}

static se_status rsa_public_key(EVP_PKEY **out, struct session *session, CK_OBJECT_HANDLE object,
                                se_error *err)
{
    AUTO(se_buf) modulus = SE_BUF_INIT;
    AUTO(se_buf) exponent = SE_BUF_INIT;
    AUTO(bignum) n = NULL;
    AUTO(bignum) e = NULL;
    AUTO(builder) builder = OSSL_PARAM_BLD_new();

    TRY(object_bytes(&modulus, session, object, CKA_MODULUS, err));
    TRY(object_bytes(&exponent, session, object, CKA_PUBLIC_EXPONENT, err));
    if (!modulus.size || !exponent.size)
        return SE_OK;
    n = BN_bin2bn(modulus.data, (int)modulus.size, NULL);
    e = BN_bin2bn(exponent.data, (int)exponent.size, NULL);
    if (!builder || !n || !e || !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) ||
        !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
        return error_memory(err);
    return key_from_params(out, "RSA", builder, err);
}

/* CKA_EC_POINT is an OCTET STRING with the point; some tokens leave the OCTET STRING away. */
static se_bytes unwrap_point(ASN1_OCTET_STRING **octets, const se_buf *value)
{
    const unsigned char *p = value->data;

    *octets = d2i_ASN1_OCTET_STRING(NULL, &p, (long)value->size);
    if (*octets && p == value->data + value->size)
        return (se_bytes){ ASN1_STRING_get0_data(*octets), (size_t)ASN1_STRING_length(*octets) };
    ERR_clear_error();
    return buf_bytes(value);
}

static se_status ec_key_from_point(EVP_PKEY **out, const se_buf *curve, const se_buf *point,
                                   se_error *err)
{
    const unsigned char *p = curve->data;
    AUTO(object) oid = d2i_ASN1_OBJECT(NULL, &p, (long)curve->size);
    AUTO(octets) octets = NULL;
    AUTO(builder) builder = OSSL_PARAM_BLD_new();
    const char *group = oid ? OBJ_nid2sn(OBJ_obj2nid(oid)) : NULL;
    se_bytes bare = unwrap_point(&octets, point);

    if (!group)
        return crypto_error(
            err, SE_ERR_KEY,
            "the token tells an EC key's curve in full: only named curves can be used");
    if (!builder ||
        !OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) ||
        !OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, bare.data, bare.size))
        return error_memory(err);
    return key_from_params(out, "EC", builder, err);
}

static se_status ec_public_key(EVP_PKEY **out, struct session *session, CK_OBJECT_HANDLE object,
                               se_error *err)
{
    AUTO(se_buf) curve = SE_BUF_INIT;
    AUTO(se_buf) point = SE_BUF_INIT;

    TRY(object_bytes(&curve, session, object, CKA_EC_PARAMS, err));
    TRY(object_bytes(&point, session, object, CKA_EC_POINT, err));
    if (!curve.size || !point.size)
        return SE_OK;
    return ec_key_from_point(out, &curve, &point, err);
}

se_status token_public_key(EVP_PKEY **out, struct session *session, CK_OBJECT_HANDLE object,
                           se_error *err)
{
    AUTO(se_buf) type = SE_BUF_INIT;
    CK_KEY_TYPE number;
    se_status st = object_bytes(&type, session, object, CKA_KEY_TYPE, err);

    *out = NULL;
    if (st || type.size != sizeof number)
        return st;
    memcpy(&number, type.data, sizeof number);
    if (number == CKK_RSA)
        return rsa_public_key(out, session, object, err);
    return number == CKK_EC ? ec_public_key(out, session, object, err) : SE_OK;
}

/* The private half, behind the provider; it lives no longer than the store's session. */
struct session_signer {
    struct p11_key key;
    struct session *session;
};

static se_status signer_sign(se_buf *out, void *remote, const struct sign_how *how, se_bytes hash,
                             se_error *err)
{
    struct session_signer *signer = remote;

    return p11_key_sign(out, &signer->key, signer->session, how, hash, err);
}

static void signer_close(void *remote)
{
    struct session_signer *signer = remote;

    EVP_PKEY_free(signer->key.public_key);
    free(signer);
}

static const struct remote_ops signer_ops = { .sign = signer_sign, .close = signer_close };

se_status token_key_pair(struct key_pair *out, struct token_keystore *s, CK_OBJECT_HANDLE object,
                         se_error *err)
{
    struct session_signer *signer = calloc(1, sizeof *signer);
    se_status st;

    if (!signer)
        return error_memory(err);
    EVP_PKEY_up_ref(out->public_key);
    *signer = (struct session_signer){
        .key = {
            .token = s->token,
            .ref = &s->keystore.target->ref,
            .part = PART_SIGN,
            .public_key = out->public_key,
            .object = object,
            .always_authenticate =
                object_flag(&s->session, object, CKA_ALWAYS_AUTHENTICATE, false),
        },
        .session = &s->session,
    };
    st = remote_key(&out->private_key, &signer_ops, signer, out->public_key, err);
    if (st)
        signer_close(signer);
    return st;
}
