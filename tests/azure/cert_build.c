/* SPDX-License-Identifier: Apache-2.0 */
/* Policies, requests and certificates. */
#include "tests/azure/store.h"

#include <openssl/bn.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const usages[] = { "digitalSignature", "nonRepudiation", "keyEncipherment",
                                      "dataEncipherment", "keyAgreement",   "keyCertSign",
                                      "cRLSign",          "encipherOnly",   "decipherOnly" };

static const char *text_of(const json_t *json, const char *part, const char *name)
{
    return json_string_value(json_object_get(part ? json_object_get(json, part) : json, name));
}

/* ---- policies ---- */

static void set_default(json_t *object, const char *name, json_t *value)
{
    if (json_object_get(object, name))
        json_decref(value);
    else
        json_object_set_new(object, name, value);
}

static json_t *part_copy(const json_t *given, const json_t *old, const char *name)
{
    json_t *part =
        json_object_get(given, name) ? json_object_get(given, name) : json_object_get(old, name);
    return part ? json_deep_copy(part) : json_object();
}

/* Recorded: what a policy gets that nobody asked for, EKUs and key usage among it. */
json_t *policy_complete(const json_t *given, const char *id, const json_t *old)
{
    json_t *policy = json_pack("{ss}", "id", id), *key = part_copy(given, old, "key_props");
    json_t *secret = part_copy(given, old, "secret_props"),
           *x509 = part_copy(given, old, "x509_props");
    size_t i;
    json_t *entry, *issuer = part_copy(given, old, "issuer"),
                   *attributes = part_copy(NULL, old, "attributes");
    const char *kty = text_of(key, NULL, "kty");
    bool ec = kty && strncmp(kty, "EC", 2) == 0;
    set_default(key, "exportable", json_true());
    set_default(key, "kty", json_string("RSA"));
    if (ec)
        set_default(key, "crv", json_string("P-256"));
    set_default(key, "key_size", json_integer(ec ? 256 : 2048));
    set_default(key, "reuse_key", json_false());
    set_default(secret, "contentType", json_string("application/x-pkcs12"));
    set_default(x509, "ekus", json_pack("[ss]", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"));
    set_default(x509, "key_usage", json_pack("[ss]", "digitalSignature", "keyEncipherment"));
    set_default(x509, "validity_months", json_integer(12));
    set_default(x509, "basic_constraints", json_pack("{sb}", "ca", 0));
    set_default(issuer, "name", json_string("Unknown"));
    json_reorder(issuer, "name");
    bool self = strcasecmp(text_of(issuer, NULL, "name"), "Self") == 0;
    set_default(attributes, "enabled", json_true());
    set_default(attributes, "created", json_time(clock_seconds()));
    json_object_set_new(attributes, "updated", json_time(clock_seconds()));
    json_reorder(key, "exportable kty key_size reuse_key crv");
    json_reorder(x509, "subject sans ekus key_usage validity_months basic_constraints");
    json_object_set_new(policy, "key_props", key);
    json_object_set_new(policy, "secret_props", secret);
    json_object_set_new(policy, "x509_props", x509);
    json_t *actions = json_object_get(given, "lifetime_actions");
    if (!actions)
        actions = json_object_get(old, "lifetime_actions");
    actions = actions ? json_deep_copy(actions)
                      : json_pack("[{s{si}s{ss}}]", "trigger", "lifetime_percentage", 80, "action",
                                  "action_type", self ? "AutoRenew" : "EmailContacts");
    json_array_foreach(actions, i, entry)
        json_reorder(entry, "trigger action");
    json_object_set_new(policy, "lifetime_actions", actions);
    json_object_set_new(policy, "issuer", issuer);
    json_object_set_new(policy, "attributes", attributes);
    return policy;
}

static json_t *usage_list(X509 *certificate)
{
    json_t *list = json_array();
    ASN1_BIT_STRING *bits = X509_get_ext_d2i(certificate, NID_key_usage, NULL, NULL);
    for (int i = 0; bits && i < 9; i++)
        if (ASN1_BIT_STRING_get_bit(bits, i))
            json_array_append_new(list, json_string(usages[i]));
    ASN1_BIT_STRING_free(bits);
    return list;
}

static json_t *eku_list(X509 *certificate)
{
    json_t *list = json_array();
    EXTENDED_KEY_USAGE *ekus = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
    for (int i = 0; i < sk_ASN1_OBJECT_num(ekus); i++) {
        char oid[80];
        OBJ_obj2txt(oid, sizeof oid, sk_ASN1_OBJECT_value(ekus, i), 1);
        json_array_append_new(list, json_string(oid));
    }
    EXTENDED_KEY_USAGE_free(ekus);
    return list;
}

/* Recorded: of what is imported the certificate is the policy. */
json_t *policy_of_certificate(X509 *certificate, const struct version *version, const json_t *given)
{
    char *subject = NULL;
    BIO *memory = BIO_new(BIO_s_mem());
    X509_NAME_print_ex(memory, X509_get_subject_name(certificate), 0,
                       XN_FLAG_RFC2253 | XN_FLAG_SEP_CPLUS_SPC);
    char *data;
    long size = BIO_get_mem_data(memory, &data);
    subject = strndup(data, (size_t)size);
    BIO_free(memory);
    int64_t seconds = asn1_seconds(X509_get0_notAfter(certificate)) -
                      asn1_seconds(X509_get0_notBefore(certificate));
    json_t *key =
        json_pack("{sb ss si sb}", "exportable", version->exportable, "kty",
                  *version->crv ? "EC" : "RSA", "key_size", version->bits, "reuse_key", 0);
    if (*version->crv)
        json_object_set_new(key, "crv", json_string(version->crv));
    json_t *x509 = json_pack("{ss so so sI s{sb}}", "subject", subject, "ekus",
                             eku_list(certificate), "key_usage", usage_list(certificate),
                             "validity_months", (json_int_t)(seconds / 2628000),
                             "basic_constraints", "ca", X509_check_ca(certificate) > 0);
    json_t *secret = part_copy(given, NULL, "secret_props");
    json_t *made =
        json_pack("{so so so}", "key_props", key, "x509_props", x509, "secret_props", secret);
    json_t *policy = policy_complete(made, "", NULL);
    json_decref(made);
    free(subject);
    return policy;
}

static bool has_usage(const json_t *policy, const char *wanted)
{
    size_t i;
    json_t *usage;
    json_array_foreach(json_object_get(json_object_get(policy, "x509_props"), "key_usage"), i,
                       usage)
        if (strcmp(json_string_value(usage), wanted) == 0)
            return true;
    return false;
}

json_t *policy_key_ops(const json_t *policy)
{
    json_t *ops = json_array();
    bool none =
        !json_array_size(json_object_get(json_object_get(policy, "x509_props"), "key_usage"));
    if (none || has_usage(policy, "digitalSignature") || has_usage(policy, "nonRepudiation")) {
        json_array_append_new(ops, json_string("sign"));
        json_array_append_new(ops, json_string("verify"));
    }
    if (none || has_usage(policy, "keyEncipherment")) {
        json_array_append_new(ops, json_string("wrapKey"));
        json_array_append_new(ops, json_string("unwrapKey"));
    }
    if (none || has_usage(policy, "dataEncipherment")) {
        json_array_append_new(ops, json_string("encrypt"));
        json_array_append_new(ops, json_string("decrypt"));
    }
    return ops;
}

/* ---- names and extensions ---- */

/* The end of a value: a comma, but not one in quotes. */
static char *value_end(char *at)
{
    bool quoted = false;
    for (; *at && (quoted || *at != ','); at++)
        quoted ^= *at == '"';
    return at;
}

/* Takes the quotes off, in place. */
static const unsigned char *unquote(char *value)
{
    size_t size = strlen(value);
    if (size < 2 || *value != '"' || value[size - 1] != '"')
        return (const unsigned char *)value;
    value[size - 1] = 0;
    return (const unsigned char *)value + 1;
}

/* "CN=a, O=\"b, c\"": as Windows reads it, what is encoded first comes last, which recorded
 * policies of imported certificates show. */
static X509_NAME *parse_subject(const char *text)
{
    X509_NAME *name = X509_NAME_new();
    char *copy = text_copy(text ? text : ""), *part = copy, *next;
    for (; *part; part = next) {
        char *end = value_end(part), *equals;
        next = *end ? end + 1 : end;
        *end = 0;
        part += strspn(part, " ");
        if (!(equals = strchr(part, '=')))
            continue;
        *equals = 0;
        X509_NAME_add_entry_by_txt(name, strcmp(part, "S") == 0 ? "ST" : part, MBSTRING_UTF8,
                                   unquote(equals + 1), -1, 0, 0);
    }
    free(copy);
    return name;
}

static void join_list(struct buffer *out, const json_t *list, const char *prefix)
{
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry)
        buffer_format(out, "%s%s%s", out->size ? "," : "", prefix, json_string_value(entry));
}

static void add_extension(STACK_OF(X509_EXTENSION) * list, int nid, const char *value)
{
    X509_EXTENSION *extension =
        value && *value ? X509V3_EXT_conf_nid(NULL, NULL, nid, value) : NULL;
    if (extension)
        sk_X509_EXTENSION_push(list, extension);
}

static STACK_OF(X509_EXTENSION) * policy_extensions(const json_t *policy)
{
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    const json_t *x509 = json_object_get(policy, "x509_props"),
                 *sans = json_object_get(x509, "sans");
    struct buffer usage = { 0 }, ekus = { 0 }, names = { 0 };
    join_list(&usage, json_object_get(x509, "key_usage"), "");
    join_list(&ekus, json_object_get(x509, "ekus"), "");
    join_list(&names, json_object_get(sans, "dns_names"), "DNS:");
    join_list(&names, json_object_get(sans, "emails"), "email:");
    join_list(&names, json_object_get(sans, "upns"), "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:");
    if (usage.size) {
        char *critical = text_format("critical,%s", usage.data);
        add_extension(list, NID_key_usage, critical);
        free(critical);
    }
    add_extension(list, NID_ext_key_usage, ekus.data);
    add_extension(list, NID_subject_alt_name, names.data);
    add_extension(list, NID_basic_constraints,
                  json_is_true(json_object_get(json_object_get(x509, "basic_constraints"), "ca"))
                      ? "CA:TRUE"
                      : "CA:FALSE");
    free(usage.data);
    free(ekus.data);
    free(names.data);
    return list;
}

static const EVP_MD *signing_digest(EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "RSA")      ? EVP_sha256()
           : EVP_PKEY_get_bits(key) > 384 ? EVP_sha512()
           : EVP_PKEY_get_bits(key) > 256 ? EVP_sha384()
                                          : EVP_sha256();
}

char *csr_make(EVP_PKEY *key, const json_t *policy)
{
    X509_REQ *request = X509_REQ_new();
    X509_NAME *subject = parse_subject(text_of(policy, "x509_props", "subject"));
    STACK_OF(X509_EXTENSION) *extensions = policy_extensions(policy);
    unsigned char *der = NULL;
    char *text = NULL;
    X509_REQ_set_version(request, X509_REQ_VERSION_1);
    X509_REQ_set_subject_name(request, subject);
    X509_REQ_set_pubkey(request, key);
    X509_REQ_add_extensions(request, extensions);
    if (X509_REQ_sign(request, key, signing_digest(key))) {
        int size = i2d_X509_REQ(request, &der);
        text = base64_encode(der, (size_t)size);
    }
    OPENSSL_free(der);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_NAME_free(subject);
    X509_REQ_free(request);
    return text;
}

X509 *certificate_self_signed(EVP_PKEY *key, const json_t *policy)
{
    X509 *certificate = X509_new();
    X509_NAME *subject = parse_subject(text_of(policy, "x509_props", "subject"));
    STACK_OF(X509_EXTENSION) *extensions = policy_extensions(policy);
    long months = (long)json_integer_value(
        json_object_get(json_object_get(policy, "x509_props"), "validity_months"));
    unsigned char serial[16];
    RAND_bytes(serial, sizeof serial);
    serial[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    X509_set_version(certificate, X509_VERSION_3);
    X509_set_subject_name(certificate, subject);
    X509_set_issuer_name(certificate, subject);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -600); /* recorded: ten minutes ago */
    X509_gmtime_adj(X509_getm_notAfter(certificate), months * 2629800 - 600);
    X509_set_pubkey(certificate, key);
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++)
        X509_add_ext(certificate, sk_X509_EXTENSION_value(extensions, i), -1);
    X509_sign(certificate, key, signing_digest(key));
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_NAME_free(subject);
    return certificate;
}

int64_t asn1_seconds(const ASN1_TIME *time)
{
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    ASN1_TIME_diff(&days, &seconds, epoch, time);
    ASN1_TIME_free(epoch);
    return (int64_t)days * 86400 + seconds;
}
