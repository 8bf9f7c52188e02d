/* SPDX-License-Identifier: Apache-2.0 */
#include "config/grammar.h"

#include <limits.h>
#include <stddef.h>

#include "config/grammar_values.h"

/* ---- <descriptors> ---- */

enum { CIPHER = 1 << ALGORITHM_CIPHER, WRAP = 1 << ALGORITHM_WRAP };

#define JOB(member)   offsetof(struct descriptor, member)
#define STORE(member) offsetof(struct keyref, member)

#define TIME_WANTED "a time with its zone, like 2026-12-24T00:00:00Z or 2026-12-24T01:00:00+01:00"

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
    {
        .name = "from",
        .must = TIME_WANTED,
        .parse = parse_time,
        .field = JOB(time.from),
    },
    {
        .name = "until",
        .must = TIME_WANTED,
        .parse = parse_time,
        .field = JOB(time.until),
    },
    {
        .name = "signs",
        .must = "true or false",
        .parse = parse_signs,
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
        .name = "secretUntil",
        .must = TIME_WANTED,
        .parse = parse_time,
        .field = STORE(secret_until),
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
        .name = "secretUntil",
        .kinds = STORE_VAULT,
        .must = TIME_WANTED,
        .parse = parse_time,
        .field = STORE(secret_until),
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

/* ---- <access> ---- */

#define CALLER(member) offsetof(struct access_caller, member)
#define TARGET(member) offsetof(struct access_target, member)

const char *const access_operation_names[ACCESS_OPERATIONS + 1] = {
    [ACCESS_SIGN] = "sign",
    [ACCESS_VERIFY] = "verify",
    [ACCESS_ENCRYPT] = "encrypt",
    [ACCESS_DECRYPT] = "decrypt",
    [ACCESS_REKEY] = "rekey",
    [ACCESS_ZIP_SIGN] = "zip-sign",
    [ACCESS_ZIP_VERIFY] = "zip-verify",
    [ACCESS_ZIP_ENCRYPT] = "zip-encrypt",
    [ACCESS_ZIP_DECRYPT] = "zip-decrypt",
    [ACCESS_MAIL_SIGN] = "mail-sign",
    [ACCESS_MAIL_VERIFY] = "mail-verify",
    [ACCESS_CERTIFICATES] = "certificates",
    [ACCESS_HISTORY_APPEND] = "history-append",
    [ACCESS_HISTORY_READ] = "history-read",
    [ACCESS_CHECK] = "check",
    [ACCESS_MONITOR] = "monitor",
};

static const struct attribute_rule named_attributes[] = {
    { .name = "name", .needed = true, .text = CALLER(name) },
    { .name = NULL },
};
const struct element_rule user_rule = { .name = "user", .attributes = named_attributes };
const struct element_rule group_rule = { .name = "group", .attributes = named_attributes };

static const struct attribute_rule certificate_attributes[] = {
    { .name = "subject", .text = CALLER(subject) },
    { .name = "issuer", .text = CALLER(issuer) },
    {
        .name = "san",
        .must = "DNS:HOST without wildcards, URI:URI, IP:ADDRESS or email:ADDRESS",
        .text = CALLER(san),
        .parse = parse_san,
    },
    {
        .name = "sha256",
        .must = "64 hexadecimal digits",
        .parse = parse_fingerprint,
        .field = CALLER(sha256),
    },
    { .name = NULL },
};
const struct element_rule certificate_rule = {
    .name = "certificate",
    .attributes = certificate_attributes,
};

static const struct attribute_rule allowed_descriptor_attributes[] = {
    { .name = "name", .needed = true, .text = TARGET(descriptor) },
    {
        .name = "version",
        .must = "a number from 1 to 2147483647",
        .parse = parse_unsigned,
        .field = TARGET(version),
        .least = 1,
        .most = INT_MAX,
    },
    { .name = NULL },
};
const struct element_rule allowed_descriptor_rule = {
    .name = "descriptor",
    .attributes = allowed_descriptor_attributes,
};

static const struct attribute_rule allowed_history_attributes[] = {
    {
        .name = "name",
        .needed = true,
        .must = "up to 64 letters, digits, dots, dashes and underscores",
        .text = TARGET(history),
        .parse = parse_history,
    },
    { .name = NULL },
};
const struct element_rule allowed_history_rule = {
    .name = "history",
    .attributes = allowed_history_attributes,
};

static const struct attribute_rule allow_attributes[] = {
    { .name = "name", .needed = true, .text = offsetof(struct access_row, name) },
    {
        .name = "operations",
        .needed = true,
        .words = access_operation_names,
        .field = offsetof(struct access_row, operations),
    },
    {
        .name = "perMinute",
        .must = "a number from 1 to 1000000000",
        .parse = parse_unsigned,
        .field = offsetof(struct access_row, per_minute),
        .least = 1,
        .most = 1000000000,
    },
    { .name = NULL },
};
static const struct child_rule allow_children[] = {
    { .element = &user_rule, .several = true, .choice = true },
    { .element = &group_rule, .several = true, .choice = true },
    { .element = &certificate_rule, .several = true, .choice = true },
    { .element = &allowed_descriptor_rule, .several = true },
    { .element = &allowed_history_rule, .several = true },
    { .element = NULL },
};
const struct element_rule allow_rule = {
    .name = "allow",
    .attributes = allow_attributes,
    .children = allow_children,
};

static const struct child_rule access_children[] = {
    { .element = &allow_rule, .several = true },
    { .element = NULL },
};
static const struct element_rule access_rule = { .name = "access", .children = access_children };

/* ---- the root ---- */

static const struct child_rule root_children[] = {
    { .element = &descriptors, .needed = true },
    { .element = &keys, .needed = true },
    { .element = &login_rule, .several = true },
    { .element = &access_rule, .last = true },
    { .element = NULL },
};
const struct element_rule root_rule = {
    .name = "engineSignEncrypt",
    .root = true,
    .children = root_children,
};
