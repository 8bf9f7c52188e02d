/* SPDX-License-Identifier: Apache-2.0 */
#include "config/grammar.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/text.h"

/* ---- values ---- */

static void store_number(void *out, const struct attribute_rule *rule, unsigned long number)
{
    memcpy((char *)out + rule->field, &number, sizeof number);
    if (rule->given)
        *((bool *)out + rule->given) = true;
}

static se_status parse_number(void *out, const char *value, const struct attribute_rule *rule)
{
    unsigned long number;

    if (!text_number(&number, value, rule->most) || number < rule->least)
        return SE_ERR_CONFIG;
    store_number(out, rule, number);
    return SE_OK;
}

/* For fields of the type unsigned. */
static se_status parse_unsigned(void *out, const char *value, const struct attribute_rule *rule)
{
    unsigned long number;
    unsigned small;

    if (!text_number(&number, value, rule->most) || number < rule->least)
        return SE_ERR_CONFIG;
    small = (unsigned)number;
    memcpy((char *)out + rule->field, &small, sizeof small);
    return SE_OK;
}

static se_status parse_deadline(void *out, const char *value, const struct attribute_rule *rule)
{
    struct keyref *ref = out;

    ref->no_deadline = !strcmp(value, "none");
    return ref->no_deadline ? SE_OK : parse_unsigned(out, value, rule);
}

static se_status parse_failback(void *out, const char *value, const struct attribute_rule *rule)
{
    struct keyref *ref = out;

    (void)rule;
    ref->failback = !strcmp(value, "true");
    return ref->failback || !strcmp(value, "false") ? SE_OK : SE_ERR_CONFIG;
}

static se_status parse_bits(void *out, const char *value, const struct attribute_rule *rule)
{
    return strcmp(value, "128") && strcmp(value, "192") && strcmp(value, "256")
               ? SE_ERR_CONFIG
               : parse_unsigned(out, value, rule);
}

static se_status parse_result(void *out, const char *value, const struct attribute_rule *rule)
{
    struct descriptor *d = out;

    (void)rule;
    return result_parse(&d->algorithm.result, value) ? SE_OK : SE_ERR_CONFIG;
}

static se_status parse_mgf1(void *out, const char *value, const struct attribute_rule *rule)
{
    struct descriptor *d = out;

    (void)rule;
    return digest_parse(&d->algorithm.mgf1, value) ? SE_OK : SE_ERR_CONFIG;
}

static int hex_digit(char c)
{
    const char digits[] = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* The byte that two digits say; -1: these are none. */
static int hex_byte(const char *text)
{
    int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

    return low < 0 ? -1 : high << 4 | low;
}

/* Whether it is as long as the cipher wants, the loader sees. */
static se_status parse_iv(void *out, const char *value, const struct attribute_rule *rule)
{
    struct algorithm *a = &((struct descriptor *)out)->algorithm;
    size_t size = strlen(value) / 2;

    (void)rule;
    if (strspn(value, HEX_DIGITS) != strlen(value))
        return SE_ERR_CONFIG;
    for (size_t i = 0; i < size && i < sizeof a->iv; i++)
        a->iv[i] = (unsigned char)hex_byte(value + 2 * i);
    return SE_OK;
}

/* "0a1b", or "0a:1b" as some tools print it */
static se_status parse_id(void *out, const char *value, const struct attribute_rule *rule)
{
    struct keyref *ref = out;
    AUTO(writer) id = { 0 };

    (void)rule;
    for (; *value; value += value[2] == ':' && value[3] ? 3 : 2) {
        int byte = hex_byte(value);

        if (byte < 0)
            return SE_ERR_CONFIG;
        writer_put(&id, &(unsigned char){ (unsigned char)byte }, 1);
    }
    return writer_finish(&ref->id, &id, NULL);
}

bool certificate_is_file(const char *value)
{
    return text_starts(value, "file:") || text_starts(value, "classpath:");
}

/* Base64 may be folded: XML has made spaces of the line ends (XML 1.0, 3.3.3). */
static se_status parse_certificate(void *out, const char *value, const struct attribute_rule *rule)
{
    se_buf *der = &((struct keyref *)out)->certificate_der;
    AUTO(writer) dense = { 0 };
    se_status st;

    (void)rule;
    if (certificate_is_file(value))
        return SE_OK;
    for (; *value; value++)
        if (*value != ' ')
            writer_put(&dense, value, 1);
    st = dense.failed ? SE_ERR_MEMORY : base64_decode(der, buf_bytes(&dense.buf), NULL);
    if (st)
        return st == SE_ERR_MEMORY ? st : SE_ERR_CONFIG;
    return der->size > 2 && der->data[0] == 0x30 ? SE_OK : SE_ERR_CONFIG; /* SEQUENCE */
}

static const struct {
    const char *name;
    unsigned kind;
} stores[] = {
    { "pkcs12", STORE_PKCS12 },
    { "pem", STORE_PEM },
    { "HSM", STORE_HSM },
    { "AzureKeyVault", STORE_VAULT },
    { "AzureManagedHSM", STORE_VAULT },
};

const char *store_parse(unsigned *kind, const char *name)
{
    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++)
        if (!strcasecmp(stores[i].name, name)) {
            *kind = stores[i].kind;
            return stores[i].name;
        }
    *kind = 0;
    return NULL;
}

static se_status parse_store(void *out, const char *value, const struct attribute_rule *rule)
{
    struct keyref *ref = out;
    unsigned kind;
    const char *name = store_parse(&kind, value);

    (void)rule;
    if (name)
        ref->store = name;
    return name ? SE_OK : SE_ERR_CONFIG;
}

static se_status parse_mode(void *out, const char *value, const struct attribute_rule *rule)
{
    struct keyref *ref = out;

    (void)rule;
    if (!strcmp(value, "key"))
        ref->mode = VAULT_MODE_KEY;
    else if (!strcmp(value, "certificate"))
        ref->mode = VAULT_MODE_CERTIFICATE;
    return ref->mode ? SE_OK : SE_ERR_CONFIG;
}

const char *vault_mode_name(enum vault_mode mode)
{
    static const char *const names[] = {
        [VAULT_MODE_NONE] = "",
        [VAULT_MODE_KEY] = "key",
        [VAULT_MODE_CERTIFICATE] = "certificate",
    };

    return names[mode];
}

static const char *const credentials[] = {
    [CREDENTIAL_NONE] = "",
    [CREDENTIAL_SECRET] = "secret",
    [CREDENTIAL_CERTIFICATE] = "certificate",
    [CREDENTIAL_MANAGED_IDENTITY] = "managedIdentity",
    [CREDENTIAL_WORKLOAD_IDENTITY] = "workloadIdentity",
    [CREDENTIAL_ENVIRONMENT] = "environment",
};

const char *credential_name(enum credential credential)
{
    return credentials[credential];
}

static se_status parse_credential(void *out, const char *value, const struct attribute_rule *rule)
{
    struct keyref *ref = out;

    (void)rule;
    for (size_t i = CREDENTIAL_SECRET; i < sizeof credentials / sizeof *credentials; i++)
        if (!strcmp(value, credentials[i]))
            ref->credential = (enum credential)i;
    return ref->credential ? SE_OK : SE_ERR_CONFIG;
}

static se_status parse_key_version(void *out, const char *value, const struct attribute_rule *rule)
{
    (void)out;
    (void)rule;
    return strlen(value) == 32 && strspn(value, HEX_DIGITS) == 32 ? SE_OK : SE_ERR_CONFIG;
}

/* A tenant is a part of a URL's path: a GUID, or one of its domains. */
static se_status parse_tenant(void *out, const char *value, const struct attribute_rule *rule)
{
    (void)out;
    (void)rule;
    return value[strspn(value, TENANT_LETTERS)] || !value[strspn(value, ".")] ? SE_ERR_CONFIG
                                                                              : SE_OK;
}

/* "https://host", "https://host:8443/" */
bool is_origin(const char *value, const char *scheme)
{
    const char *host = value + strlen(scheme), *end;

    if (!text_starts(value, scheme))
        return false;
    end = host + strspn(host, HOST_LETTERS);
    if (*end == ':')
        end += 1 + strspn(end + 1, "0123456789");
    return end > host && (!*end || !strcmp(end, "/"));
}

static se_status parse_origin(void *out, const char *value, const struct attribute_rule *rule)
{
    (void)out;
    (void)rule;
    return is_origin(value, "https://") ? SE_OK : SE_ERR_CONFIG;
}

/* One with a password is refused by the loader, in words that do not show it. */
static se_status parse_proxy(void *out, const char *value, const struct attribute_rule *rule)
{
    (void)out;
    (void)rule;
    if (strchr(value, '@'))
        return SE_OK;
    return is_origin(value, "http://") || is_origin(value, "https://") ? SE_OK : SE_ERR_CONFIG;
}

static se_status parse_api_version(void *out, const char *value, const struct attribute_rule *rule)
{
    (void)out;
    (void)rule;
    return value[strspn(value, "0123456789.-abcdefghijklmnopqrstuvwxyz")] ? SE_ERR_CONFIG : SE_OK;
}

/* ---- <descriptors> ---- */

enum { CIPHER = 1 << ALGORITHM_CIPHER, WRAP = 1 << ALGORITHM_WRAP };

#define JOB(member)   offsetof(struct descriptor, member)
#define STORE(member) offsetof(struct keyref, member)

static const struct attribute_rule job_attributes[] = {
    { .name = "algorithm" }, /* not for bare RSA-OAEP */
    {
        .name = "size",
        .kinds = CIPHER,
        .must = "128, 192 or 256",
        .parse = parse_bits,
        .field = JOB(algorithm.bits),
        .most = 256,
    },
    {
        .name = "result",
        .kinds = CIPHER,
        .must = "NX02, CMS or JWE",
        .parse = parse_result,
    },
    { .name = "key", .needed = true },
    { .name = "asymCipher", .kinds = CIPHER | WRAP },
    {
        .name = "mgf1",
        .kinds = CIPHER | WRAP,
        .must = "SHA-1, SHA-256, SHA-384 or SHA-512",
        .parse = parse_mgf1,
    },
    {
        .name = "initVector",
        .kinds = CIPHER,
        .must = "hexadecimal digits",
        .parse = parse_iv,
    },
    {
        .name = "dataKeyUses",
        .kinds = CIPHER,
        .must = "a number from 1 to 16777216",
        .parse = parse_number,
        .field = JOB(limits.uses),
        .least = 1,
        .most = DATA_KEY_USES_MAX,
    },
    {
        .name = "dataKeyBytes",
        .kinds = CIPHER,
        .must = "a number of bytes from 1",
        .parse = parse_number,
        .field = JOB(limits.bytes),
        .least = 1,
        .most = LONG_MAX,
    },
    {
        .name = "cacheSize",
        .kinds = CIPHER,
        .must = "a number of data keys up to 16384",
        .parse = parse_number,
        .field = JOB(limits.cache_size),
        .given = JOB(limits.has_cache_size),
        .most = DATA_KEY_CACHE_SIZE_MAX,
    },
    {
        .name = "cacheAge",
        .kinds = CIPHER,
        .must = "a number of seconds up to 86400",
        .parse = parse_number,
        .field = JOB(limits.cache_age),
        .given = JOB(limits.has_cache_age),
        .most = DATA_KEY_CACHE_AGE_MAX,
    },
    { .name = NULL },
};
const struct element_rule job_rule = { .name = "type", .attributes = job_attributes };

static const struct attribute_rule descriptor_attributes[] = {
    { .name = "name", .needed = true, .text = JOB(name) },
    {
        .name = "version",
        .must = "a number from 1 to 2147483647",
        .parse = parse_unsigned,
        .field = JOB(version),
        .least = 1,
        .most = INT_MAX,
    },
    { .name = NULL },
};
static const struct child_rule descriptor_children[] = {
    { .element = &job_rule, .needed = true },
    { .element = NULL },
};
const struct element_rule descriptor_rule = {
    .name = "descriptor",
    .attributes = descriptor_attributes,
    .children = descriptor_children,
};

static const struct child_rule descriptors_children[] = {
    { .element = &descriptor_rule, .several = true },
    { .element = NULL },
};
static const struct element_rule descriptors = {
    .name = "descriptors",
    .children = descriptors_children,
};

/* ---- <login>: what a <type> may say as well ---- */

static const struct attribute_rule login_attributes[] = {
    { .name = "name", .needed = true, .text = STORE(login) },
    { .name = "pin" },
    { .name = "pin.encrypted" },
    { .name = "pin.source" },
    {
        .name = "credential",
        .must = "secret, certificate, managedIdentity, workloadIdentity or environment",
        .parse = parse_credential,
    },
    {
        .name = "tenant",
        .must = "a GUID or a domain",
        .text = STORE(tenant),
        .parse = parse_tenant,
    },
    { .name = "client", .text = STORE(client) },
    { .name = "credentialKey", .text = STORE(credential_key) },
    {
        .name = "authority",
        .must = "https://HOST",
        .text = STORE(authority),
        .parse = parse_origin,
    },
    { .name = "caFile", .text = STORE(ca_file_written) },
    {
        .name = "proxy",
        .must = "http://HOST:PORT or https://HOST:PORT",
        .text = STORE(proxy),
        .parse = parse_proxy,
    },
    { .name = NULL },
};
const struct element_rule login_rule = { .name = "login", .attributes = login_attributes };

/* ---- <keys> ---- */

static const struct attribute_rule store_attributes[] = {
    {
        .name = "name",
        .needed = true,
        .must = "pkcs12, pem, HSM, AzureKeyVault or AzureManagedHSM",
        .parse = parse_store,
    },
    { .name = "locationValue", .needed = true, .text = STORE(location_written) },
    { .name = "pin" },
    { .name = "pin.encrypted" },
    { .name = "pin.source" },
    {
        .name = "credential",
        .kinds = STORE_VAULT,
        .must = "secret, certificate, managedIdentity, workloadIdentity or environment",
        .parse = parse_credential,
    },
    {
        .name = "tenant",
        .kinds = STORE_VAULT,
        .must = "a GUID or a domain",
        .text = STORE(tenant),
        .parse = parse_tenant,
    },
    { .name = "client", .kinds = STORE_VAULT, .text = STORE(client) },
    { .name = "credentialKey", .kinds = STORE_VAULT, .text = STORE(credential_key) },
    {
        .name = "authority",
        .kinds = STORE_VAULT,
        .must = "https://HOST",
        .text = STORE(authority),
        .parse = parse_origin,
    },
    { .name = "caFile", .kinds = STORE_VAULT, .text = STORE(ca_file_written) },
    {
        .name = "proxy",
        .kinds = STORE_VAULT,
        .must = "http://HOST:PORT or https://HOST:PORT",
        .text = STORE(proxy),
        .parse = parse_proxy,
    },
    { .name = "login", .kinds = STORE_VAULT, .text = STORE(login) },
    {
        .name = "resource",
        .kinds = STORE_VAULT,
        .must = "https://HOST",
        .text = STORE(resource),
        .parse = parse_origin,
    },
    {
        .name = "mode",
        .kinds = STORE_VAULT,
        .must = "key or certificate",
        .parse = parse_mode,
    },
    {
        .name = "keyVersion",
        .kinds = STORE_VAULT,
        .must = "32 hexadecimal digits",
        .text = STORE(key_version),
        .parse = parse_key_version,
    },
    {
        .name = "apiVersion",
        .kinds = STORE_VAULT,
        .must = "a version like 7.4 or 2025-07-01",
        .text = STORE(api_version),
        .parse = parse_api_version,
    },
    {
        .name = "alias",
        .kinds = STORE_PKCS12 | STORE_HSM | STORE_VAULT,
        .text = STORE(alias),
    },
    {
        .name = "id",
        .kinds = STORE_HSM,
        .must = "pairs of hexadecimal digits",
        .parse = parse_id,
    },
    {
        .name = "slot",
        .kinds = STORE_HSM,
        .must = "a number",
        .parse = parse_number,
        .field = STORE(slot),
        .given = STORE(has_slot),
        .most = ULONG_MAX,
    },
    {
        .name = "slotIndex",
        .kinds = STORE_HSM,
        .must = "a number",
        .parse = parse_number,
        .field = STORE(slot_index),
        .given = STORE(has_slot_index),
        .most = ULONG_MAX,
    },
    { .name = "tokenLabel", .kinds = STORE_HSM, .text = STORE(token_label) },
    { .name = "tokenSerial", .kinds = STORE_HSM, .text = STORE(token_serial) },
    { .name = "initArgs", .kinds = STORE_HSM, .text = STORE(init_args) },
    {
        .name = "maxSessions",
        .kinds = STORE_HSM | STORE_VAULT,
        .must = "a number from 1 to 65535",
        .parse = parse_unsigned,
        .field = STORE(max_sessions),
        .least = 1,
        .most = 65535,
    },
    {
        .name = "keepAlive",
        .kinds = STORE_HSM | STORE_VAULT,
        .must = "a number of seconds from 1 to 86400",
        .parse = parse_unsigned,
        .field = STORE(keep_alive),
        .least = 1,
        .most = 86400,
    },
    {
        .name = "failback",
        .kinds = STORE_HSM | STORE_VAULT,
        .must = "true or false",
        .parse = parse_failback,
    },
    {
        .name = "deadline",
        .kinds = STORE_HSM | STORE_VAULT,
        .must = "a number of seconds from 1 to 3600, or none",
        .parse = parse_deadline,
        .field = STORE(deadline),
        .least = 1,
        .most = 3600,
    },
    {
        .name = "certificate",
        .must = "file:PATH or a certificate in base64",
        .text = STORE(certificate_written),
        .parse = parse_certificate,
    },
    { .name = NULL },
};
const struct element_rule store_rule = { .name = "type", .attributes = store_attributes };

static const struct attribute_rule key_attributes[] = {
    { .name = "name", .needed = true, .text = offsetof(struct key_entry, name) },
    { .name = NULL },
};
static const struct child_rule key_children[] = {
    { .element = &store_rule, .needed = true, .several = true },
    { .element = NULL },
};
const struct element_rule key_rule = {
    .name = "key",
    .attributes = key_attributes,
    .children = key_children,
};

static const struct child_rule keys_children[] = {
    { .element = &key_rule, .several = true },
    { .element = NULL },
};
static const struct element_rule keys = { .name = "keys", .children = keys_children };

/* ---- the root ---- */

static const struct child_rule root_children[] = {
    { .element = &descriptors, .needed = true },
    { .element = &keys, .needed = true },
    { .element = &login_rule, .several = true },
    { .element = NULL },
};
const struct element_rule root_rule = {
    .name = "engineSignEncrypt",
    .root = true,
    .children = root_children,
};
