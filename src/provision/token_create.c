/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates that are new on a token. */
#include <openssl/asn1t.h>
#include <openssl/err.h>

#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"
#include "provision/token_keystore.h"

se_status token_object_create(struct token_keystore *s, struct p11_template *t, const char *what,
                              se_error *err)
{
    CK_OBJECT_HANDLE handle;
    CK_RV rv;

    if (t->failed)
        return crypto_error(err, SE_ERR_CRYPTO, "preparing %s for the token", what);
    if (s->made_count == MADE_MOST)
        return error_set(err, SE_ERR_USAGE, "more than %d objects at once", MADE_MOST);
    rv = s->session.calls->C_CreateObject(s->session.handle, t->list, t->count, &handle);
    if (rv != CKR_OK)
        return session_error(err, &s->session, rv, "the token does not take %s", what);
    s->made[s->made_count++] = handle;
    return SE_OK;
}

/* ---- key pairs that the token generates ---- */

static const unsigned char exponent[] = { 1, 0, 1 };

static CK_RV call_generate_key_pair(CK_OBJECT_HANDLE out[2], struct token_keystore *s,
                                    CK_MECHANISM_TYPE type, struct p11_template *public_key,
                                    struct p11_template *private_key)
{
    CK_MECHANISM mechanism = { type, NULL, 0 };
    CK_RV rv;

    if (public_key->failed || private_key->failed)
        return CKR_HOST_MEMORY;
    rv = s->session.calls->C_GenerateKeyPair(s->session.handle, &mechanism, public_key->list,
                                             public_key->count, private_key->list,
                                             private_key->count, &out[0], &out[1]);
    if (rv != CKR_OK)
        return rv;
    s->made[s->made_count++] = out[0];
    s->made[s->made_count++] = out[1];
    return CKR_OK;
}

/* Even a key for encryption signs once: its own certificate. */
static CK_RV generate_pair(CK_OBJECT_HANDLE out[2], struct token_keystore *s,
                           const struct key_profile *profile, enum denials denials)
{
    const char *label = s->keystore.target->name;
    const struct key_type *type = &profile->type;
    const CK_ULONG bits = type->bits;
    struct key_profile signing = *profile;
    AUTO(p11_template) public_key = { .count = 0 };
    AUTO(p11_template) private_key = { .count = 0 };

    signing.uses |= USE_SIGN;
    describe_public(&public_key, label, profile->uses, denials);
    describe_private(&private_key, label, &signing, denials);
    if (type->family == FAMILY_EC) {
        describe_curve(&public_key, type->group);
        return call_generate_key_pair(out, s, CKM_EC_KEY_PAIR_GEN, &public_key, &private_key);
    }
    p11_template_number(&public_key, CKA_MODULUS_BITS, &bits);
    p11_template_bytes(&public_key, CKA_PUBLIC_EXPONENT, (se_bytes){ exponent, sizeof exponent });
    return call_generate_key_pair(out, s, CKM_RSA_PKCS_KEY_PAIR_GEN, &public_key, &private_key);
}

se_status token_check_leaving(struct token_keystore *s, CK_OBJECT_HANDLE private_key,
                              const struct key_profile *profile, se_error *err)
{
    if (!profile->is_exportable)
        return SE_OK;
    if (!object_flag(&s->session, private_key, CKA_SENSITIVE, true))
        return error_set(err, SE_ERR_STORE,
                         "--exportable: the token makes a key that anybody with its PIN can read");
    if (!object_flag(&s->session, private_key, CKA_EXTRACTABLE, false))
        return error_set(err, SE_ERR_STORE,
                         "--exportable: the token makes a key that may not leave it");
    return SE_OK;
}

/* The token has the last word on the rights of its keys: one without the intended rights is
 * useless.
 */
static se_status check_rights(struct token_keystore *s, CK_OBJECT_HANDLE private_key,
                              const struct key_profile *profile, se_error *err)
{
    if (profile->uses & USE_SIGN && !object_flag(&s->session, private_key, CKA_SIGN, true))
        return error_set(err, SE_ERR_STORE, "the token makes a key that may not sign");
    if (profile->uses & USE_ENCRYPT && !object_flag(&s->session, private_key, CKA_DECRYPT, true))
        return error_set(err, SE_ERR_STORE, "the token makes a key that may not decrypt");
    return token_check_leaving(s, private_key, profile, err);
}

static se_status generate_checked_pair(CK_OBJECT_HANDLE out[2], struct token_keystore *s,
                                       const struct key_profile *profile, se_error *err)
{
    CK_RV rv = generate_pair(out, s, profile, DENIALS_NAMED);

    if (is_template_refused(rv))
        rv = generate_pair(out, s, profile, DENIALS_LEFT_OUT);
    if (rv != CKR_OK && profile->is_exportable)
        return session_error(err, &s->session, rv,
                             "--exportable: the token does not generate a key pair that may leave "
                             "it, encrypted");
    if (rv != CKR_OK)
        return session_error(err, &s->session, rv, "the token does not generate the key pair");
    return check_rights(s, out[1], profile, err);
}

se_status token_choose_id(struct token_keystore *s, EVP_PKEY *public_key, se_error *err)
{
    const se_buf *id = &s->keystore.target->ref.id;

    if (id->size)
        return buf_copy(&s->id, buf_bytes(id), err);
    TRY(buf_new(&s->id, KEY_ID_SIZE, err));
    return key_public_id(s->id.data, public_key, err);
}

/* The ID is known only when the key is.  A token that has IDs of its own (YubiHSM) keeps them, if
 * both halves have the same. */
static se_status set_pair_id(struct token_keystore *s, const CK_OBJECT_HANDLE pair[2],
                             EVP_PKEY *public_key, se_error *err)
{
    AUTO(se_buf) other = SE_BUF_INIT;
    CK_ATTRIBUTE id;
    CK_RV rv = CKR_OK;

    TRY(token_choose_id(s, public_key, err));
    id = (CK_ATTRIBUTE){ CKA_ID, s->id.data, s->id.size };
    for (int i = 0; i < 2 && rv == CKR_OK; i++)
        rv = s->session.calls->C_SetAttributeValue(s->session.handle, pair[i], &id, 1);
    if (rv == CKR_OK)
        return SE_OK;
    se_buf_free(&s->id);
    TRY(object_bytes(&s->id, &s->session, pair[0], CKA_ID, err));
    TRY(object_bytes(&other, &s->session, pair[1], CKA_ID, err));
    if (s->id.size && s->id.size == other.size &&
        !CRYPTO_memcmp(s->id.data, other.data, other.size))
        return SE_OK;
    return session_error(err, &s->session, rv, "the token does not take a CKA_ID for the key pair");
}

se_status token_generate(struct key_pair *out, struct keystore *keystore,
                         const struct key_profile *profile, se_error *err)
{
    struct token_keystore *s = (struct token_keystore *)keystore;
    CK_OBJECT_HANDLE pair[2];

    TRY(generate_checked_pair(pair, s, profile, err));
    TRY(token_public_key(&out->public_key, &s->session, pair[0], err));
    if (!out->public_key)
        return error_set(err, SE_ERR_STORE, "the token does not tell the public key that it made");
    s->no_sign = profile->uses & USE_SIGN ? 0 : pair[1];
    TRY(set_pair_id(s, pair, out->public_key, err));
    return token_key_pair(out, s, pair[1], err);
}

/* ---- keys that are brought in ---- */

se_status token_try_signing(struct token_keystore *s, CK_OBJECT_HANDLE object, EVP_PKEY *key,
                            se_error *err)
{
    static const unsigned char hash[SHA256_SIZE] = "signengine tries an imported key";
    const bool rsa = key_family(key) == FAMILY_RSA;
    const struct sign_how how = { DIGEST_SHA256, rsa ? PADDING_PKCS1 : PADDING_NONE, 0 };
    AUTO(key_pair) pair = { NULL, key };
    AUTO(se_buf) signature = SE_BUF_INIT;

    EVP_PKEY_up_ref(key);
    TRY(token_key_pair(&pair, s, object, err));
    TRY_PREFIX(
        key_sign_hash(&signature, pair.private_key, &how, (se_bytes){ hash, sizeof hash }, err),
        err, "the key that was brought in does not sign: ");
    if (key_verify_hash(key, &how, (se_bytes){ hash, sizeof hash }, buf_bytes(&signature), NULL))
        return error_set(err, SE_ERR_STORE,
                         "what the token signs with the key that was brought in does not verify");
    return SE_OK;
}

se_status token_put_public(struct token_keystore *s, EVP_PKEY *key, unsigned uses, se_error *err)
{
    AUTO(p11_template) t = { .count = 0 };

    describe_object(&t, &class_public, key_family(key), &s->id);
    describe_public(&t, s->keystore.target->name, uses, DENIALS_NAMED);
    describe_public_numbers(&t, key);
    return token_object_create(s, &t, "the public key", err);
}

se_status token_put_key(struct keystore *keystore, EVP_PKEY *key, const struct key_profile *profile,
                        se_error *err)
{
    struct token_keystore *s = (struct token_keystore *)keystore;
    AUTO(p11_template) t = { .count = 0 };

    TRY(token_choose_id(s, key, err));
    describe_object(&t, &class_private, key_family(key), &s->id);
    describe_private(&t, keystore->target->name, profile, DENIALS_NAMED);
    describe_private_numbers(&t, key);
    TRY(token_object_create(s, &t, "the private key", err));
    if (profile->uses & USE_SIGN)
        TRY(token_try_signing(s, s->made[s->made_count - 1], key, err));
    return token_put_public(s, key, profile->uses, err);
}

/* ---- certificates ---- */

static const CK_CERTIFICATE_TYPE type_x509 = CKC_X_509;

static se_status put_certificate(struct token_keystore *s, X509 *certificate, const char *label,
                                 const se_buf *id, se_error *err)
{
    AUTO(p11_template) t = { .count = 0 };

    p11_template_number(&t, CKA_CLASS, &class_certificate);
    p11_template_number(&t, CKA_CERTIFICATE_TYPE, &type_x509);
    p11_template_flag(&t, CKA_TOKEN, true);
    p11_template_flag(&t, CKA_PRIVATE, false);
    p11_template_bytes(&t, CKA_LABEL, text_bytes(label));
    p11_template_bytes(&t, CKA_ID, buf_bytes(id));
    p11_template_der(&t, CKA_SUBJECT, ASN1_ITEM_rptr(X509_NAME),
                     X509_get_subject_name(certificate));
    p11_template_der(&t, CKA_ISSUER, ASN1_ITEM_rptr(X509_NAME), X509_get_issuer_name(certificate));
    p11_template_der(&t, CKA_SERIAL_NUMBER, ASN1_ITEM_rptr(ASN1_INTEGER),
                     X509_get0_serialNumber(certificate));
    p11_template_der(&t, CKA_VALUE, ASN1_ITEM_rptr(X509), certificate);
    return token_object_create(s, &t, "the certificate", err);
}

static se_status is_on_token(bool *out, struct token_keystore *s, X509 *certificate, se_error *err)
{
    struct query query = query_class(&class_certificate);
    struct objects found;
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der);
    se_status st;

    *out = false;
    if (size <= 0)
        return error_memory(err);
    query_add(&query, CKA_VALUE, (se_bytes){ der, (size_t)size });
    st = object_find(&found, &s->session, &query, err);
    OPENSSL_free(der);
    *out = !st && found.count;
    return st;
}

/* Issuers are called what they are: under the alias are the key's own. */
static se_status put_issuer(struct token_keystore *s, X509 *issuer, se_error *err)
{
    AUTO(se_buf) id = SE_BUF_INIT;
    char label[256];
    bool there;

    TRY(is_on_token(&there, s, issuer, err));
    if (there)
        return SE_OK;
    certificate_subject(label, sizeof label, issuer);
    TRY(buf_new(&id, KEY_ID_SIZE, err));
    TRY(key_public_id(id.data, X509_get0_pubkey(issuer), err));
    return put_certificate(s, issuer, label, &id, err);
}

se_status token_put_renewed(struct token_keystore *s, se_error *err)
{
    return put_certificate(s, s->renewed, s->keystore.target->name, &s->id, err);
}

se_status token_put_certificates(struct keystore *keystore, X509 *certificate,
                                 const STACK_OF(X509) * chain, se_error *err)
{
    struct token_keystore *s = (struct token_keystore *)keystore;

    X509_up_ref(certificate);
    X509_free(s->renewed);
    s->renewed = certificate;
    TRY(is_on_token(&s->is_renewed_there, s, certificate, err));
    if (!s->is_renewed_there)
        TRY(token_put_renewed(s, err));
    for (int i = 0; i < sk_X509_num(chain); i++)
        TRY(put_issuer(s, sk_X509_value(chain, i), err));
    return SE_OK;
}
