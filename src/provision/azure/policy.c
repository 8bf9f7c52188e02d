/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/azure/policy.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "crypto/crypto.h"
#include "provision/azure/keystore.h"

AUTO_KIND(bio, BIO *, BIO_free(*p))
AUTO_KIND(extensions, STACK_OF(X509_EXTENSION) *,
          sk_X509_EXTENSION_pop_free(*p, X509_EXTENSION_free))
AUTO_KIND(bits, ASN1_BIT_STRING *, ASN1_BIT_STRING_free(*p))

/* ---- parts ---- */

/* keyUsage (RFC 5280, 4.2.1.3).  A vault's key may encrypt or decrypt only with dataEncipherment;
 * keyEncipherment is for what it calls wrapping. */
static const struct {
    unsigned use;
    int bit;
    const char *name;
} usages[] = {
    { USE_SIGN, 0, "digitalSignature" },
    { USE_ENCRYPT, 2, "keyEncipherment" },
    { USE_ENCRYPT, 3, "dataEncipherment" },
};

static json_t *usage_json(unsigned uses)
{
    AUTO(json) list = json_array();

    for (size_t i = 0; i < sizeof usages / sizeof *usages; i++)
        if (uses & usages[i].use && json_array_append_new(list, json_string(usages[i].name)))
            return NULL;
    return MOVE(list);
}

/* As Windows reads names: RFC 4514's order, and quotes instead of backslashes. */
static json_t *subject_json(const X509_NAME *subject)
{
    const unsigned long form = XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_DN_REV | XN_FLAG_FN_SN |
                               ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_ESC_QUOTE |
                               ASN1_STRFLGS_UTF8_CONVERT | ASN1_STRFLGS_ESC_2253;
    AUTO(bio) text = BIO_new(BIO_s_mem());
    char *data;
    long size;

    if (!text || X509_NAME_print_ex(text, subject, 0, form) < 0)
        return NULL;
    size = BIO_get_mem_data(text, &data);
    return json_stringn(data, (size_t)size);
}

static const struct {
    int type;
    const char *member;
} name_kinds[] = { { GEN_DNS, "dns_names" }, { GEN_EMAIL, "emails" } };

static const char *name_member(const GENERAL_NAME *name)
{
    for (size_t i = 0; i < sizeof name_kinds / sizeof *name_kinds; i++)
        if (name_kinds[i].type == name->type)
            return name_kinds[i].member;
    return NULL;
}

static se_status add_name(json_t *names, const GENERAL_NAME *name, se_error *err)
{
    const char *member = name_member(name);
    const ASN1_IA5STRING *text = member ? name->d.ia5 : NULL;
    json_t *list = member ? json_object_get(names, member) : NULL;

    if (!member)
        return error_set(err, SE_ERR_USAGE,
                         "a vault's certificates have alternative names as DNS:host and "
                         "email:a@example.org only; in mode=\"key\" they have all kinds");
    if (!list) {
        list = json_array();
        if (json_object_set_new(names, member, list))
            return error_memory(err);
    }
    return json_array_append_new(list, json_stringn((const char *)ASN1_STRING_get0_data(text),
                                                    (size_t)ASN1_STRING_length(text)))
               ? error_memory(err)
               : SE_OK;
}

static se_status names_json(json_t **out, const GENERAL_NAMES *alternatives, se_error *err)
{
    AUTO(json) names = json_object();

    *out = NULL;
    for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); i++)
        TRY(add_name(names, sk_GENERAL_NAME_value(alternatives, i), err));
    *out = MOVE(names);
    return *out ? SE_OK : error_memory(err);
}

unsigned vault_policy_months(unsigned days)
{
    const unsigned months = (days * 12 + 182) / 365;

    return months ? months : 1;
}

static se_status key_json(json_t **out, const struct vault_session *session,
                          const struct key_profile *key, se_error *err)
{
    TRY(vault_key_properties(out, session, key, err));
    if (!json_object_set_new(*out, "exportable", json_false()) &&
        !json_object_set_new(*out, "reuse_key", json_false()))
        return SE_OK;
    json_decref(*out);
    *out = NULL;
    return error_memory(err);
}

/* ---- policies ---- */

static se_status x509_json(json_t **out, const struct cert_profile *certificate, se_error *err)
{
    AUTO(json) names = NULL;

    *out = NULL;
    TRY(names_json(&names, certificate->alternatives, err));
    *out = json_pack("{so so so s[] si s{sb}}", "subject", subject_json(certificate->subject),
                     "sans", MOVE(names), "key_usage", usage_json(certificate->uses), "ekus",
                     "validity_months", (int)vault_policy_months(certificate->days),
                     "basic_constraints", "ca", 0);
    return *out ? SE_OK : error_memory(err);
}

se_status vault_policy_make(json_t **out, const struct vault_session *session,
                            const struct key_profile *key, const struct cert_profile *certificate,
                            const char *issuer, se_error *err)
{
    AUTO(json) properties = NULL;
    AUTO(json) x509 = NULL;

    *out = NULL;
    TRY(key_json(&properties, session, key, err));
    TRY(x509_json(&x509, certificate, err));
    /* a vault's usual action is to make a new key some day */
    *out = json_pack("{so s{ss} so s{ss} s[{s{si} s{ss}}]}", "key_props", MOVE(properties),
                     "secret_props", "contentType", "application/x-pkcs12", "x509_props",
                     MOVE(x509), "issuer", "name", issuer, "lifetime_actions", "trigger",
                     "lifetime_percentage", 80, "action", "action_type", "EmailContacts");
    return *out ? SE_OK : error_memory(err);
}

se_status vault_policy_import(json_t **out, const struct vault_session *session,
                              const struct key_profile *key, se_error *err)
{
    AUTO(json) properties = NULL;

    *out = NULL;
    TRY(key_json(&properties, session, key, err));
    *out = json_pack("{so s{ss}}", "key_props", MOVE(properties), "secret_props", "contentType",
                     "application/x-pkcs12");
    return *out ? SE_OK : error_memory(err);
}

/* ---- requests ---- */

static bool is_key_as_wished(const EVP_PKEY *key, const struct key_type *wished)
{
    char group[64] = "";

    if (key_family(key) != wished->family)
        return false;
    if (wished->family == FAMILY_RSA)
        return EVP_PKEY_get_bits(key) == (int)wished->bits;
    return EVP_PKEY_get_group_name(key, group, sizeof group, NULL) && !strcmp(group, wished->group);
}

static bool has_name(const GENERAL_NAMES *names, const GENERAL_NAME *wished)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        if (!GENERAL_NAME_cmp(sk_GENERAL_NAME_value(names, i), (GENERAL_NAME *)wished))
            return true;
    return false;
}

static bool are_names_as_wished(const STACK_OF(X509_EXTENSION) * extensions,
                                const GENERAL_NAMES *wished)
{
    AUTO(general_names) names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    const int count = wished ? sk_GENERAL_NAME_num(wished) : 0;

    if ((names ? sk_GENERAL_NAME_num(names) : 0) != count)
        return false;
    for (int i = 0; i < count; i++)
        if (!has_name(names, sk_GENERAL_NAME_value(wished, i)))
            return false;
    return true;
}

static bool are_uses_as_wished(const STACK_OF(X509_EXTENSION) * extensions, unsigned uses)
{
    AUTO(bits) bits = X509V3_get_d2i(extensions, NID_key_usage, NULL, NULL);

    for (size_t i = 0; i < sizeof usages / sizeof *usages; i++)
        if (!bits || !ASN1_BIT_STRING_get_bit(bits, usages[i].bit) != !(uses & usages[i].use))
            return false;
    return X509v3_get_ext_by_NID(extensions, NID_ext_key_usage, -1) < 0;
}

/* What differs; NULL: nothing. */
static const char *find_difference(X509_REQ *request, const struct key_profile *key,
                                   const struct cert_profile *certificate)
{
    AUTO(extensions) extensions = X509_REQ_get_extensions(request);

    if (!is_key_as_wished(X509_REQ_get0_pubkey(request), &key->type))
        return "key";
    if (X509_NAME_cmp(X509_REQ_get_subject_name(request), certificate->subject))
        return "subject";
    if (!are_names_as_wished(extensions, certificate->alternatives))
        return "alternative names";
    return are_uses_as_wished(extensions, certificate->uses) ? NULL : "key usage";
}

se_status vault_request_check(X509_REQ *request, const struct key_profile *key,
                              const struct cert_profile *certificate, se_error *err)
{
    EVP_PKEY *own = X509_REQ_get0_pubkey(request);
    const char *difference;

    if (!own || X509_REQ_verify_ex(request, own, crypto_context(), NULL) != 1)
        return crypto_error(err, SE_ERR_STORE, "the vault's request is not signed by its own key");
    difference = find_difference(request, key, certificate);
    return difference
               ? error_set(err, SE_ERR_STORE,
                           "the vault's request has another %s than what is asked for", difference)
               : SE_OK;
}
