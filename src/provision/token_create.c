/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates that are new on a token: the attributes that describe them, and the calls
 * that make them. */
#include <openssl/asn1t.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>

#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"
#include "provision/token_keystore.h"

AUTO_KIND(object, ASN1_OBJECT *, ASN1_OBJECT_free(*p))
AUTO_KIND(octets, ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free(*p))

/* ---- templates: the attributes of an object that is to be made ---- */

enum { TEMPLATE_ROOM = 24 };

/* A template that failed stays failed. */
struct p11_template {
    CK_ATTRIBUTE list[TEMPLATE_ROOM];
    CK_ULONG count;
    se_buf kept[TEMPLATE_ROOM]; /* values of its own, wiped with it */
    size_t kept_count;
    bool failed;
};
AUTO_KIND(secret_number, BIGNUM *, BN_clear_free(*p))

static void p11_template_free(struct p11_template *t)
{
    for (size_t i = 0; i < t->kept_count; i++)
        se_buf_free(&t->kept[i]);
    *t = (struct p11_template){ .count = 0 };
}

AUTO_KIND(p11_template, struct p11_template, p11_template_free(p))

/* Borrows `value`. */
static void p11_template_bytes(struct p11_template *t, CK_ATTRIBUTE_TYPE type, se_bytes value)
{
    if (t->count == TEMPLATE_ROOM)
        t->failed = true;
    else /* PKCS #11 has one struct for what is read and what is written: here it is only read */
        t->list[t->count++] = (CK_ATTRIBUTE){ type, (void *)value.data, value.size };
}

static void p11_template_flag(struct p11_template *t, CK_ATTRIBUTE_TYPE type, bool flag)
{
    static const CK_BBOOL values[] = { CK_FALSE, CK_TRUE };

    p11_template_bytes(t, type, (se_bytes){ &values[flag], sizeof values[flag] });
}

static void p11_template_number(struct p11_template *t, CK_ATTRIBUTE_TYPE type,
                                const CK_ULONG *number)
{
    p11_template_bytes(t, type, (se_bytes){ number, sizeof *number });
}

/* Takes `value` over. */
static void p11_template_keep(struct p11_template *t, CK_ATTRIBUTE_TYPE type, se_buf *value)
{
    if (t->kept_count == TEMPLATE_ROOM) {
        t->failed = true;
        se_buf_free(value);
        return;
    }
    t->kept[t->kept_count] = buf_move(value);
    p11_template_bytes(t, type, buf_bytes(&t->kept[t->kept_count++]));
}

/* The DER of `value`, which is what `item` says. */
static void p11_template_der(struct p11_template *t, CK_ATTRIBUTE_TYPE type, const ASN1_ITEM *item,
                             const void *value)
{
    unsigned char *der = NULL;
    int size = value ? ASN1_item_i2d(value, &der, item) : -1;
    se_buf copy = SE_BUF_INIT;

    if (size <= 0 || buf_copy(&copy, (se_bytes){ der, (size_t)size }, NULL))
        t->failed = true;
    else
        p11_template_keep(t, type, &copy);
    OPENSSL_free(der);
}

/* One of the key's numbers, by OpenSSL's name for it. */
static void p11_template_key_number(struct p11_template *t, CK_ATTRIBUTE_TYPE type,
                                    const EVP_PKEY *key, const char *name)
{
    AUTO(secret_number) number = NULL;
    se_buf value = SE_BUF_INIT;

    if (!EVP_PKEY_get_bn_param(key, name, &number) ||
        buf_new(&value, (size_t)BN_num_bytes(number), NULL)) {
        t->failed = true;
        return;
    }
    (void)BN_bn2bin(number, value.data);
    p11_template_keep(t, type, &value);
}

/* The object goes again when the store is closed without commit(). */
static se_status token_object_create(struct token_keystore *s, struct p11_template *t,
                                     const char *what, se_error *err)
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

static const CK_KEY_TYPE type_rsa = CKK_RSA, type_ec = CKK_EC;

static const unsigned char exponent[] = { 1, 0, 1 };

/*
 * Every right that the key is not to have is denied by name: SoftHSM and others grant rights that
 * are not mentioned.  A TPM takes no denials, and grants as it likes.
 */
enum denials { DENIALS_NAMED, DENIALS_LEFT_OUT };

static void describe_right(struct p11_template *t, CK_ATTRIBUTE_TYPE type, bool may,
                           enum denials denials)
{
    if (may || denials == DENIALS_NAMED)
        p11_template_flag(t, type, may);
}

static void describe_private(struct p11_template *t, const char *label, unsigned uses,
                             enum denials denials)
{
    p11_template_flag(t, CKA_TOKEN, true);
    p11_template_flag(t, CKA_PRIVATE, true);
    p11_template_flag(t, CKA_SENSITIVE, true);
    p11_template_flag(t, CKA_EXTRACTABLE, false);
    p11_template_bytes(t, CKA_LABEL, text_bytes(label));
    describe_right(t, CKA_SIGN, uses & USE_SIGN, denials);
    describe_right(t, CKA_DECRYPT, uses & USE_ENCRYPT, denials);
    describe_right(t, CKA_UNWRAP, uses & USE_ENCRYPT, denials);
}

static void describe_public(struct p11_template *t, const char *label, unsigned uses,
                            enum denials denials)
{
    p11_template_flag(t, CKA_TOKEN, true);
    p11_template_flag(t, CKA_PRIVATE, false);
    p11_template_bytes(t, CKA_LABEL, text_bytes(label));
    describe_right(t, CKA_VERIFY, uses & USE_SIGN, denials);
    describe_right(t, CKA_ENCRYPT, uses & USE_ENCRYPT, denials);
    describe_right(t, CKA_WRAP, uses & USE_ENCRYPT, denials);
}

/* CKA_EC_PARAMS: the curve as an object identifier. */
static void describe_curve(struct p11_template *t, const char *group)
{
    AUTO(object) object = OBJ_txt2obj(group, 0);

    p11_template_der(t, CKA_EC_PARAMS, ASN1_ITEM_rptr(ASN1_OBJECT), object);
}

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
    AUTO(p11_template) public_key = { .count = 0 };
    AUTO(p11_template) private_key = { .count = 0 };

    describe_public(&public_key, label, profile->uses, denials);
    describe_private(&private_key, label, profile->uses | USE_SIGN, denials);
    if (type->family == FAMILY_EC) {
        describe_curve(&public_key, type->group);
        return call_generate_key_pair(out, s, CKM_EC_KEY_PAIR_GEN, &public_key, &private_key);
    }
    p11_template_number(&public_key, CKA_MODULUS_BITS, &bits);
    p11_template_bytes(&public_key, CKA_PUBLIC_EXPONENT, (se_bytes){ exponent, sizeof exponent });
    return call_generate_key_pair(out, s, CKM_RSA_PKCS_KEY_PAIR_GEN, &public_key, &private_key);
}

/* Answers to a template that a token dislikes; tpm2-pkcs11 only says CKR_GENERAL_ERROR. */
static bool is_template_refused(CK_RV rv)
{
    static const CK_RV refusals[] = {
        CKR_GENERAL_ERROR,         CKR_FUNCTION_FAILED,        CKR_ARGUMENTS_BAD,
        CKR_ATTRIBUTE_READ_ONLY,   CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID,
        CKR_TEMPLATE_INCONSISTENT, CKR_TEMPLATE_INCOMPLETE,
    };

    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i] == rv)
            return true;
    return false;
}

/* The token has the last word on the rights of its keys: one without the intended rights is
 * useless.
 */
static se_status check_rights(struct token_keystore *s, CK_OBJECT_HANDLE private_key, unsigned uses,
                              se_error *err)
{
    if (uses & USE_SIGN && !object_flag(&s->session, private_key, CKA_SIGN, true))
        return error_set(err, SE_ERR_STORE, "the token makes a key that may not sign");
    if (uses & USE_ENCRYPT && !object_flag(&s->session, private_key, CKA_DECRYPT, true))
        return error_set(err, SE_ERR_STORE, "the token makes a key that may not decrypt");
    return SE_OK;
}

static se_status generate_checked_pair(CK_OBJECT_HANDLE out[2], struct token_keystore *s,
                                       const struct key_profile *profile, se_error *err)
{
    CK_RV rv = generate_pair(out, s, profile, DENIALS_NAMED);

    if (is_template_refused(rv))
        rv = generate_pair(out, s, profile, DENIALS_LEFT_OUT);
    if (rv != CKR_OK)
        return session_error(err, &s->session, rv, "the token does not generate the key pair");
    return check_rights(s, out[1], profile->uses, err);
}

/* The configured ID, by which the key is to be found; else one made from the key. */
static se_status choose_key_id(struct token_keystore *s, EVP_PKEY *public_key, se_error *err)
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

    TRY(choose_key_id(s, public_key, err));
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

static void describe_rsa(struct p11_template *public_key, struct p11_template *private_key,
                         const EVP_PKEY *key)
{
    static const struct {
        CK_ATTRIBUTE_TYPE type;
        const char *name;
    } numbers[] = {
        { CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N },
        { CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E },
        { CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D },
        { CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1 },
        { CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2 },
        { CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1 },
        { CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2 },
        { CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
    };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        p11_template_key_number(private_key, numbers[i].type, key, numbers[i].name);
        if (i < 2)
            p11_template_key_number(public_key, numbers[i].type, key, numbers[i].name);
    }
}

/* CKA_EC_POINT is the point inside an OCTET STRING. */
static void describe_point(struct p11_template *t, const EVP_PKEY *key)
{
    AUTO(octets) octets = ASN1_OCTET_STRING_new();
    unsigned char point[160];
    size_t size;

    if (!octets ||
        !EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
                                         &size) ||
        !ASN1_OCTET_STRING_set(octets, point, (int)size))
        t->failed = true;
    else
        p11_template_der(t, CKA_EC_POINT, ASN1_ITEM_rptr(ASN1_OCTET_STRING), octets);
}

static void describe_ec(struct p11_template *public_key, struct p11_template *private_key,
                        const EVP_PKEY *key)
{
    char group[64] = "";

    if (!EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, NULL))
        public_key->failed = true;
    describe_curve(public_key, group);
    describe_curve(private_key, group);
    describe_point(public_key, key);
    p11_template_key_number(private_key, CKA_VALUE, key, OSSL_PKEY_PARAM_PRIV_KEY);
}

static void describe_object(struct p11_template *t, const CK_OBJECT_CLASS *object_class,
                            const CK_KEY_TYPE *type, const se_buf *id)
{
    p11_template_number(t, CKA_CLASS, object_class);
    p11_template_number(t, CKA_KEY_TYPE, type);
    p11_template_bytes(t, CKA_ID, buf_bytes(id));
}

/*
 * Before anything else uses it: only a signature shows that its numbers went over whole, and a
 * single faulty one gives an RSA key away (Boneh, DeMillo, Lipton).
 */
static se_status try_signing(struct token_keystore *s, CK_OBJECT_HANDLE object, EVP_PKEY *key,
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

se_status token_put_key(struct keystore *keystore, EVP_PKEY *key, const struct key_profile *profile,
                        se_error *err)
{
    struct token_keystore *s = (struct token_keystore *)keystore;
    bool rsa = key_family(key) == FAMILY_RSA;
    AUTO(p11_template) public_key = { .count = 0 };
    AUTO(p11_template) private_key = { .count = 0 };

    TRY(choose_key_id(s, key, err));
    describe_object(&public_key, &class_public, rsa ? &type_rsa : &type_ec, &s->id);
    describe_object(&private_key, &class_private, rsa ? &type_rsa : &type_ec, &s->id);
    describe_public(&public_key, keystore->target->name, profile->uses, DENIALS_NAMED);
    describe_private(&private_key, keystore->target->name, profile->uses, DENIALS_NAMED);
    (rsa ? describe_rsa : describe_ec)(&public_key, &private_key, key);
    TRY(token_object_create(s, &private_key, "the private key", err));
    if (profile->uses & USE_SIGN)
        TRY(try_signing(s, s->made[s->made_count - 1], key, err));
    return token_object_create(s, &public_key, "the public key", err);
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

se_status token_put_certificates(struct keystore *keystore, X509 *certificate,
                                 const STACK_OF(X509) * chain, se_error *err)
{
    struct token_keystore *s = (struct token_keystore *)keystore;
    bool there;

    X509_up_ref(certificate);
    X509_free(s->renewed);
    s->renewed = certificate;
    TRY(is_on_token(&there, s, certificate, err));
    if (!there)
        TRY(put_certificate(s, certificate, keystore->target->name, &s->id, err));
    for (int i = 0; i < sk_X509_num(chain); i++)
        TRY(put_issuer(s, sk_X509_value(chain, i), err));
    return SE_OK;
}
