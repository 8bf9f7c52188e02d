/* SPDX-License-Identifier: Apache-2.0 */
/* The values of attributes, from text into structs. */
#include "config/grammar_values.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/text.h"
#include "config/cert_names.h"
#include "config/grammar.h"

enum { SHA256_BYTES = 32, HISTORY_NAME_MAX = 64 };

static void store_number(void *out, const struct attribute_rule *rule, unsigned long number)
{
    memcpy((char *)out + rule->field, &number, sizeof number);
    if (rule->given)
        *((bool *)out + rule->given) = true;
}

se_status parse_number(void *out, const char *value, const struct attribute_rule *rule)
{
    unsigned long number;

    if (!text_number(&number, value, rule->most) || number < rule->least)
        return SE_ERR_CONFIG;
    store_number(out, rule, number);
    return SE_OK;
}

/* For fields of the type unsigned. */
se_status parse_unsigned(void *out, const char *value, const struct attribute_rule *rule)
{
    unsigned long number;
    unsigned small;

    if (!text_number(&number, value, rule->most) || number < rule->least)
        return SE_ERR_CONFIG;
    small = (unsigned)number;
    memcpy((char *)out + rule->field, &small, sizeof small);
    return SE_OK;
}

se_status parse_deadline(void *out, const char *value, const struct attribute_rule *rule)
{
    struct keyref *ref = out;

    ref->no_deadline = !strcmp(value, "none");
    return ref->no_deadline ? SE_OK : parse_unsigned(out, value, rule);
}

static se_status parse_boolean(bool *out, const char *value)
{
    *out = !strcmp(value, "true");
    return *out || !strcmp(value, "false") ? SE_OK : SE_ERR_CONFIG;
}

se_status parse_failback(void *out, const char *value, const struct attribute_rule *rule)
{
    struct keyref *ref = out;

    (void)rule;
    return parse_boolean(&ref->failback, value);
}

se_status parse_signs(void *out, const char *value, const struct attribute_rule *rule)
{
    struct descriptor *d = out;
    bool signs;

    (void)rule;
    TRY(parse_boolean(&signs, value));
    d->time.verify_only = !signs;
    return SE_OK;
}

/* Seconds; 0 stands for no time at all. */
se_status parse_time(void *out, const char *value, const struct attribute_rule *rule)
{
    int64_t seconds;

    if (!time_parse(&seconds, value) || !seconds)
        return SE_ERR_CONFIG;
    memcpy((char *)out + rule->field, &seconds, sizeof seconds);
    return SE_OK;
}

se_status parse_bits(void *out, const char *value, const struct attribute_rule *rule)
{
    return strcmp(value, "128") && strcmp(value, "192") && strcmp(value, "256")
               ? SE_ERR_CONFIG
               : parse_unsigned(out, value, rule);
}

se_status parse_result(void *out, const char *value, const struct attribute_rule *rule)
{
    struct descriptor *d = out;

    (void)rule;
    return result_parse(&d->algorithm.result, value) ? SE_OK : SE_ERR_CONFIG;
}

se_status parse_mgf1(void *out, const char *value, const struct attribute_rule *rule)
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
se_status parse_iv(void *out, const char *value, const struct attribute_rule *rule)
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
se_status parse_id(void *out, const char *value, const struct attribute_rule *rule)
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

/* As parse_id(), of 32 bytes. */
se_status parse_fingerprint(void *out, const char *value, const struct attribute_rule *rule)
{
    char *digits = (char *)out + rule->field;
    size_t size = 0;

    for (; *value; value += value[2] == ':' && value[3] ? 3 : 2, size++) {
        int byte = hex_byte(value);

        if (byte < 0 || size == SHA256_BYTES) {
            *digits = '\0';
            return SE_ERR_CONFIG;
        }
        (void)snprintf(digits + 2 * size, 3, "%02x", (unsigned char)byte);
    }
    if (size == SHA256_BYTES)
        return SE_OK;
    *digits = '\0';
    return SE_ERR_CONFIG;
}

/* Exact names only: a wildcard would let in whoever gets a certificate below it. */
se_status parse_san(void *out, const char *value, const struct attribute_rule *rule)
{
    AUTO(general_name) name = NULL;

    (void)out;
    (void)rule;
    if (alternative_name_parse(&name, value, NULL) || (name->type == GEN_DNS && strchr(value, '*')))
        return SE_ERR_CONFIG;
    return SE_OK;
}

/* The daemon's settings say where it is. */
se_status parse_history(void *out, const char *value, const struct attribute_rule *rule)
{
    (void)out;
    (void)rule;
    return strlen(value) > HISTORY_NAME_MAX || value[strspn(value, HISTORY_LETTERS)] ? SE_ERR_CONFIG
                                                                                     : SE_OK;
}

bool certificate_is_file(const char *value)
{
    return text_starts(value, "file:") || text_starts(value, "classpath:");
}

/* Base64 may be folded: XML has made spaces of the line ends (XML 1.0, 3.3.3). */
se_status parse_certificate(void *out, const char *value, const struct attribute_rule *rule)
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

se_status parse_store(void *out, const char *value, const struct attribute_rule *rule)
{
    struct keyref *ref = out;
    unsigned kind;
    const char *name = store_parse(&kind, value);

    (void)rule;
    if (name)
        ref->store = name;
    return name ? SE_OK : SE_ERR_CONFIG;
}

se_status parse_mode(void *out, const char *value, const struct attribute_rule *rule)
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

se_status parse_credential(void *out, const char *value, const struct attribute_rule *rule)
{
    struct keyref *ref = out;

    (void)rule;
    for (size_t i = CREDENTIAL_SECRET; i < sizeof credentials / sizeof *credentials; i++)
        if (!strcmp(value, credentials[i]))
            ref->credential = (enum credential)i;
    return ref->credential ? SE_OK : SE_ERR_CONFIG;
}

se_status parse_key_version(void *out, const char *value, const struct attribute_rule *rule)
{
    (void)out;
    (void)rule;
    return strlen(value) == 32 && strspn(value, HEX_DIGITS) == 32 ? SE_OK : SE_ERR_CONFIG;
}

/* A tenant is a part of a URL's path: a GUID, or one of its domains. */
se_status parse_tenant(void *out, const char *value, const struct attribute_rule *rule)
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

se_status parse_origin(void *out, const char *value, const struct attribute_rule *rule)
{
    (void)out;
    (void)rule;
    return is_origin(value, "https://") ? SE_OK : SE_ERR_CONFIG;
}

/* One with a password is refused by the loader, in words that do not show it. */
se_status parse_proxy(void *out, const char *value, const struct attribute_rule *rule)
{
    (void)out;
    (void)rule;
    if (strchr(value, '@'))
        return SE_OK;
    return is_origin(value, "http://") || is_origin(value, "https://") ? SE_OK : SE_ERR_CONFIG;
}

se_status parse_api_version(void *out, const char *value, const struct attribute_rule *rule)
{
    (void)out;
    (void)rule;
    return value[strspn(value, "0123456789.-abcdefghijklmnopqrstuvwxyz")] ? SE_ERR_CONFIG : SE_OK;
}
