/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/token_template.h"

#include <openssl/asn1t.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>

#include "keystore/pkcs11/object.h"

AUTO_KIND(object, ASN1_OBJECT *, ASN1_OBJECT_free(*p))
AUTO_KIND(octets, ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free(*p))
AUTO_KIND(secret_number, BIGNUM *, BN_clear_free(*p))

/* ---- attributes ---- */

void p11_template_free(struct p11_template *t)
{
    for (size_t i = 0; i < t->kept_count; i++)
        se_buf_free(&t->kept[i]);
    *t = (struct p11_template){ .count = 0 };
}

void p11_template_bytes(struct p11_template *t, CK_ATTRIBUTE_TYPE type, se_bytes value)
{
    if (t->count == TEMPLATE_ROOM)
        t->failed = true;
    else /* PKCS #11 has one struct for what is read and what is written: here it is only read */
        t->list[t->count++] = (CK_ATTRIBUTE){ type, (void *)value.data, value.size };
}

void p11_template_flag(struct p11_template *t, CK_ATTRIBUTE_TYPE type, bool flag)
{
    static const CK_BBOOL values[] = { CK_FALSE, CK_TRUE };

    p11_template_bytes(t, type, (se_bytes){ &values[flag], sizeof values[flag] });
}

void p11_template_number(struct p11_template *t, CK_ATTRIBUTE_TYPE type, const CK_ULONG *number)
{
    p11_template_bytes(t, type, (se_bytes){ number, sizeof *number });
}

void p11_template_drop(struct p11_template *t, CK_ATTRIBUTE_TYPE type)
{
    CK_ULONG kept = 0;

    for (CK_ULONG i = 0; i < t->count; i++)
        if (t->list[i].type != type)
            t->list[kept++] = t->list[i];
    t->count = kept;
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

void p11_template_der(struct p11_template *t, CK_ATTRIBUTE_TYPE type, const ASN1_ITEM *item,
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

/* ---- what a key may do ---- */

static void describe_right(struct p11_template *t, CK_ATTRIBUTE_TYPE type, bool may,
                           enum denials denials)
{
    if (may || denials == DENIALS_NAMED)
        p11_template_flag(t, type, may);
}

/* One that may leave does so under another key only: it is sensitive all the same. */
void describe_private(struct p11_template *t, const char *label, const struct key_profile *profile,
                      enum denials denials)
{
    p11_template_flag(t, CKA_TOKEN, true);
    p11_template_flag(t, CKA_PRIVATE, true);
    p11_template_flag(t, CKA_SENSITIVE, true);
    p11_template_flag(t, CKA_EXTRACTABLE, profile->is_exportable);
    p11_template_bytes(t, CKA_LABEL, text_bytes(label));
    describe_right(t, CKA_SIGN, profile->uses & USE_SIGN, denials);
    describe_right(t, CKA_DECRYPT, profile->uses & USE_ENCRYPT, denials);
    describe_right(t, CKA_UNWRAP, profile->uses & USE_ENCRYPT, denials);
}

void describe_public(struct p11_template *t, const char *label, unsigned uses, enum denials denials)
{
    p11_template_flag(t, CKA_TOKEN, true);
    p11_template_flag(t, CKA_PRIVATE, false);
    p11_template_bytes(t, CKA_LABEL, text_bytes(label));
    describe_right(t, CKA_VERIFY, uses & USE_SIGN, denials);
    describe_right(t, CKA_ENCRYPT, uses & USE_ENCRYPT, denials);
    describe_right(t, CKA_WRAP, uses & USE_ENCRYPT, denials);
}

void describe_object(struct p11_template *t, const CK_OBJECT_CLASS *object_class,
                     enum key_family family, const se_buf *id)
{
    static const CK_KEY_TYPE type_rsa = CKK_RSA, type_ec = CKK_EC;

    p11_template_number(t, CKA_CLASS, object_class);
    p11_template_number(t, CKA_KEY_TYPE, family == FAMILY_RSA ? &type_rsa : &type_ec);
    if (id->size)
        p11_template_bytes(t, CKA_ID, buf_bytes(id));
}

/* ---- what a key is ---- */

void describe_curve(struct p11_template *t, const char *group)
{
    AUTO(object) object = OBJ_txt2obj(group, 0);

    p11_template_der(t, CKA_EC_PARAMS, ASN1_ITEM_rptr(ASN1_OBJECT), object);
}

void describe_point(struct p11_template *t, CK_ATTRIBUTE_TYPE type, const EVP_PKEY *key)
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
        p11_template_der(t, type, ASN1_ITEM_rptr(ASN1_OCTET_STRING), octets);
}

static void describe_curve_of(struct p11_template *t, const EVP_PKEY *key)
{
    char group[64] = "";

    if (!EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, NULL))
        t->failed = true;
    describe_curve(t, group);
}

static void describe_modulus(struct p11_template *t, const EVP_PKEY *key)
{
    p11_template_key_number(t, CKA_MODULUS, key, OSSL_PKEY_PARAM_RSA_N);
    p11_template_key_number(t, CKA_PUBLIC_EXPONENT, key, OSSL_PKEY_PARAM_RSA_E);
}

void describe_public_numbers(struct p11_template *t, const EVP_PKEY *key)
{
    if (key_family(key) == FAMILY_RSA) {
        describe_modulus(t, key);
        return;
    }
    describe_curve_of(t, key);
    describe_point(t, CKA_EC_POINT, key);
}

void describe_private_numbers(struct p11_template *t, const EVP_PKEY *key)
{
    static const struct {
        CK_ATTRIBUTE_TYPE type;
        const char *name;
    } numbers[] = {
        { CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D },
        { CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1 },
        { CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2 },
        { CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1 },
        { CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2 },
        { CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
    };

    if (key_family(key) == FAMILY_EC) {
        describe_curve_of(t, key);
        p11_template_key_number(t, CKA_VALUE, key, OSSL_PKEY_PARAM_PRIV_KEY);
        return;
    }
    describe_modulus(t, key);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        p11_template_key_number(t, numbers[i].type, key, numbers[i].name);
}

bool is_template_refused(CK_RV rv)
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
