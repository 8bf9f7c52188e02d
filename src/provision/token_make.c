/* Keys and certificates that are new on a token. */
#include <openssl/core_names.h>
#include <openssl/err.h>

#include "crypto/crypto.h"
#include "provision/token_shelf.h"

AUTO_KIND(object, ASN1_OBJECT *, ASN1_OBJECT_free(*p))
AUTO_KIND(octets, ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free(*p))

static const CK_KEY_TYPE type_rsa = CKK_RSA, type_ec = CKK_EC;

static const unsigned char exponent[] = { 1, 0, 1 };

/*
 * Every right that the key is not to have is denied by name: SoftHSM and others grant what is not
 * mentioned.  A TPM takes no denials, and grants what it likes.
 */
enum denials { DENIALS_NAMED, DENIALS_LEFT_OUT };

static void describe_right(struct template *t, CK_ATTRIBUTE_TYPE type, bool may,
                           enum denials denials)
{
    if (may || denials == DENIALS_NAMED)
        template_flag(t, type, may);
}

static void describe_private(struct template *t, const char *label, unsigned uses,
                             enum denials denials)
{
    template_flag(t, CKA_TOKEN, true);
    template_flag(t, CKA_PRIVATE, true);
    template_flag(t, CKA_SENSITIVE, true);
    template_flag(t, CKA_EXTRACTABLE, false);
    template_bytes(t, CKA_LABEL, text_bytes(label));
    describe_right(t, CKA_SIGN, uses & USE_SIGN, denials);
    describe_right(t, CKA_DECRYPT, uses & USE_ENCRYPT, denials);
    describe_right(t, CKA_UNWRAP, uses & USE_ENCRYPT, denials);
}

static void describe_public(struct template *t, const char *label, unsigned uses,
                            enum denials denials)
{
    template_flag(t, CKA_TOKEN, true);
    template_flag(t, CKA_PRIVATE, false);
    template_bytes(t, CKA_LABEL, text_bytes(label));
    describe_right(t, CKA_VERIFY, uses & USE_SIGN, denials);
    describe_right(t, CKA_ENCRYPT, uses & USE_ENCRYPT, denials);
    describe_right(t, CKA_WRAP, uses & USE_ENCRYPT, denials);
}

/* CKA_EC_PARAMS: the curve as an object identifier. */
static void describe_curve(struct template *t, const char *group)
{
    AUTO(object) object = OBJ_txt2obj(group, 0);

    template_der(t, CKA_EC_PARAMS, ASN1_ITEM_rptr(ASN1_OBJECT), object);
}

static CK_RV call_generate(CK_OBJECT_HANDLE out[2], struct token_shelf_open *s,
                           CK_MECHANISM_TYPE type, struct template *public,
                           struct template *private)
{
    CK_MECHANISM mechanism = { type, NULL, 0 };
    CK_RV rv;

    if (public->failed || private->failed)
        return CKR_HOST_MEMORY;
    rv = s->session.calls->C_GenerateKeyPair(s->session.handle, &mechanism, public->list,
                                             public->count, private->list, private->count, &out[0],
                                             &out[1]);
    if (rv != CKR_OK)
        return rv;
    s->made[s->made_count++] = out[0];
    s->made[s->made_count++] = out[1];
    return CKR_OK;
}

/* Even a key for encryption signs once: its own certificate. */
static CK_RV try_pair(CK_OBJECT_HANDLE out[2], struct token_shelf_open *s,
                      const struct key_type *type, unsigned uses, enum denials denials)
{
    const char *label = s->shelf.target->name;
    const CK_ULONG bits = type->bits;
    AUTO(template) public = { .count = 0 };
    AUTO(template) private = { .count = 0 };

    describe_public(&public, label, uses, denials);
    describe_private(&private, label, uses | USE_SIGN, denials);
    if (type->family == FAMILY_EC) {
        describe_curve(&public, type->group);
        return call_generate(out, s, CKM_EC_KEY_PAIR_GEN, &public, &private);
    }
    template_number(&public, CKA_MODULUS_BITS, &bits);
    template_bytes(&public, CKA_PUBLIC_EXPONENT, (se_bytes){ exponent, sizeof exponent });
    return call_generate(out, s, CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private);
}

/* What tokens say to a template that they do not like; tpm2-pkcs11 says no more than
 * CKR_GENERAL_ERROR. */
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

/* The token has the last word on the rights of its keys: one without those that it was made for is
 * none. */
static se_status check_rights(struct token_shelf_open *s, CK_OBJECT_HANDLE private, unsigned uses,
                              se_error *err)
{
    if (uses & USE_SIGN && !object_flag(&s->session, private, CKA_SIGN, true))
        return error_set(err, SE_ERR_STORE, "the token makes a key that may not sign");
    if (uses & USE_ENCRYPT && !object_flag(&s->session, private, CKA_DECRYPT, true))
        return error_set(err, SE_ERR_STORE, "the token makes a key that may not decrypt");
    return SE_OK;
}

static se_status make_pair(CK_OBJECT_HANDLE out[2], struct token_shelf_open *s,
                           const struct key_type *type, unsigned uses, se_error *err)
{
    CK_RV rv = try_pair(out, s, type, uses, DENIALS_NAMED);

    if (is_template_refused(rv))
        rv = try_pair(out, s, type, uses, DENIALS_LEFT_OUT);
    if (rv != CKR_OK)
        return session_error(err, &s->session, rv, "the token does not generate the key pair");
    return check_rights(s, out[1], uses, err);
}

/* What the configuration says, for it is to find the key by that; else the key's own. */
static se_status choose_id(struct token_shelf_open *s, EVP_PKEY *public, se_error *err)
{
    const se_buf *id = &s->shelf.target->ref.id;
    se_status st;

    if (id->size)
        return buf_copy(&s->id, buf_bytes(id), err);
    return (st = buf_new(&s->id, KEY_ID_SIZE, err)) ? st : key_public_id(s->id.data, public, err);
}

/* The ID is known only when the key is.  A token that has IDs of its own (YubiHSM) keeps them, if
 * both halves have the same. */
static se_status set_id(struct token_shelf_open *s, const CK_OBJECT_HANDLE pair[2],
                        EVP_PKEY *public, se_error *err)
{
    AUTO(se_buf) other = SE_BUF_INIT;
    CK_ATTRIBUTE id;
    CK_RV rv = CKR_OK;

    TRY(choose_id(s, public, err));
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

se_status token_generate(struct pair *out, struct shelf *shelf, const struct key_type *type,
                         unsigned uses, se_error *err)
{
    struct token_shelf_open *s = (struct token_shelf_open *)shelf;
    CK_OBJECT_HANDLE pair[2];
    EVP_PKEY *public = NULL;
    se_status st;

    TRY(make_pair(pair, s, type, uses, err));
    TRY(object_public(&public, &s->session, pair[0], err));
    if (!public)
        return error_set(err, SE_ERR_STORE, "the token does not tell the public key that it made");
    s->no_sign = uses & USE_SIGN ? 0 : pair[1];
    if ((st = set_id(s, pair, public, err))) {
        EVP_PKEY_free(public);
        return st;
    }
    return token_pair(out, s, pair[1], public, err);
}

static void describe_rsa(struct template *public, struct template *private, const EVP_PKEY *key)
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
        template_key_number(private, numbers[i].type, key, numbers[i].name);
        if (i < 2)
            template_key_number(public, numbers[i].type, key, numbers[i].name);
    }
}

/* CKA_EC_POINT is the point inside an OCTET STRING. */
static void describe_point(struct template *t, const EVP_PKEY *key)
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
        template_der(t, CKA_EC_POINT, ASN1_ITEM_rptr(ASN1_OCTET_STRING), octets);
}

static void describe_ec(struct template *public, struct template *private, const EVP_PKEY *key)
{
    char group[64] = "";

    if (!EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, NULL))
    public->failed = true;
    describe_curve(public, group);
    describe_curve(private, group);
    describe_point(public, key);
    template_key_number(private, CKA_VALUE, key, OSSL_PKEY_PARAM_PRIV_KEY);
}

static void describe_object(struct template *t, const CK_OBJECT_CLASS *class,
                            const CK_KEY_TYPE *type, const se_buf *id)
{
    template_number(t, CKA_CLASS, class);
    template_number(t, CKA_KEY_TYPE, type);
    template_bytes(t, CKA_ID, buf_bytes(id));
}

se_status token_put_key(struct shelf *shelf, EVP_PKEY *key, unsigned uses, se_error *err)
{
    struct token_shelf_open *s = (struct token_shelf_open *)shelf;
    bool rsa = key_family(key) == FAMILY_RSA;
    AUTO(template) public = { .count = 0 };
    AUTO(template) private = { .count = 0 };

    TRY(choose_id(s, key, err));
    describe_object(&public, &class_public, rsa ? &type_rsa : &type_ec, &s->id);
    describe_object(&private, &class_private, rsa ? &type_rsa : &type_ec, &s->id);
    describe_public(&public, shelf->target->name, uses, DENIALS_NAMED);
    describe_private(&private, shelf->target->name, uses, DENIALS_NAMED);
    (rsa ? describe_rsa : describe_ec)(&public, &private, key);
    TRY(shelf_create(s, &private, "the private key", err));
    return shelf_create(s, &public, "the public key", err);
}
