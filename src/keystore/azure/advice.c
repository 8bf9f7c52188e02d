/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person should know of a key in a vault, and do about it, for `check`.  All of it is asked
 * for by reading; what the login may not read is not spoken of.
 */
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/certificate.h"
#include "keystore/azure/hsm_role.h"
#include "keystore/azure/key.h"
#include "keystore/azure/objects.h"
#include "keystore/azure/principal.h"

enum { DAY = 24 * 60 * 60, SOON_DAYS = 30, RECOVERABLE_DAYS = 90 };

struct advising {
    const struct vault_key *key;
    struct vault_caller caller;
    struct object_id id;
    int64_t date; /* of what is said */
    remote_advice_fn fn;
    void *arg;
};

static void give_advice(const struct advising *a, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void give_advice(const struct advising *a, const char *kind, const char *format, ...)
{
    char text[512];
    const struct remote_advice advice = { .kind = kind, .date = a->date, .text = text };
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text_clean(text);
    a->fn(a->arg, &advice);
}

/* *out stays NULL where nothing can be seen. */
static void fetch_quietly(json_t **out, const struct advising *a, const char *collection,
                          const char *below)
{
    (void)!vault_fetch_object(out, &a->caller, collection, a->id.name, below, NULL);
}

static bool is_managed_hsm(const struct advising *a)
{
    return vault_place(a->key->vault)->kind == VAULT_MANAGED_HSM;
}

/* ---- what protects it from being lost ---- */

static void advise_recovery(const struct advising *a, const struct vault_attributes *attributes)
{
    const char *vault = is_managed_hsm(a) ? "the Managed HSM" : "the vault";

    if (strstr(attributes->recovery, "Purgeable"))
        give_advice(a, "purge-protection",
                    "%s has no purge protection: who may purge can destroy the key for good, at "
                    "once; switch it on",
                    vault);
    if (attributes->recover_days >= 0 && attributes->recover_days < RECOVERABLE_DAYS)
        give_advice(a, "retention",
                    "a deleted key is kept for %ld days only, not %d: %s needs a longer retention, "
                    "which only a new one can get",
                    attributes->recover_days, RECOVERABLE_DAYS, vault);
}

/* ---- what protects it from being taken ---- */

static void advise_protection(const struct advising *a, const struct vault_key_answer *key)
{
    const bool is_hsm = strstr(key->type, "-HSM");

    if (key->attributes.is_exportable)
        give_advice(a, "exportable",
                    "the key is exportable, it can leave the vault: make one that is not");
    if (!is_managed_hsm(a) && !is_hsm)
        give_advice(a, "no-hsm",
                    "software protects the key, no HSM: make one with `--protection hsm` in a "
                    "Premium vault");
}

/* ---- its life ---- */

static int64_t certificate_end(const struct advising *a)
{
    AUTO(certificates) configured = { .own = NULL };

    if (store_configured_certificate(&configured, a->key->ref, NULL) || !configured.own)
        return 0;
    return certificate_not_after(configured.own);
}

static void advise_end(const struct advising *a, const struct vault_attributes *attributes)
{
    const int64_t left = attributes->expires - clock_seconds(), certificate = certificate_end(a);
    struct advising dated = *a;
    char date[TIME_TEXT_ROOM];

    if (!attributes->expires)
        return;
    dated.date = attributes->expires;
    (void)time_format(date, TIME_DATE, attributes->expires);
    if (left < 0)
        give_advice(&dated, "vault-key",
                    "the key has expired on %s: the vault does not sign with it any more; `key "
                    "rotate` makes a new version",
                    date);
    else if (left < (int64_t)SOON_DAYS * DAY)
        give_advice(&dated, "vault-key",
                    "the key itself expires on %s, in %lld days, and then does not sign: `key "
                    "rotate` makes a new version, or its 'exp' can be moved",
                    date, (long long)left / DAY);
    else if (certificate && attributes->expires < certificate)
        give_advice(&dated, "vault-key",
                    "the key itself expires on %s, before its certificate: move its 'exp' behind "
                    "that",
                    date);
}

static void advise_newer(const struct advising *a)
{
    AUTO(json) json = NULL;
    struct vault_key_answer newest;
    struct object_id id;

    fetch_quietly(&json, a, "keys", "");
    if (!json || answer_key(&newest, json, NULL) ||
        object_id_parse(&id, vault_place(a->key->vault), "keys", newest.id, NULL) ||
        strcasecmp(id.version, a->id.version) == 0)
        return;
    give_advice(a, "newer-version",
                "the vault has a newer version of the key, %s: this one, %s, goes on being used "
                "until a <key> with the newer one and its certificate takes its place",
                id.version, a->id.version);
}

static void advise_rotation(const struct advising *a)
{
    AUTO(json) policy = NULL;

    fetch_quietly(&policy, a, "keys", "rotationpolicy");
    if (answer_rotates(policy))
        give_advice(a, "rotation-policy",
                    "a rotation policy makes new versions of the key, which have no certificate "
                    "and are not used: take it away, and use `key rotate`");
}

/* ---- what it may do ---- */

/* What the configuration does with it: KEY_OP_SIGN, KEY_OP_DECRYPT; 0: it is not known. */
static unsigned configured_uses(const struct keyref *ref)
{
    unsigned uses = 0;

    for (size_t i = 0; ref->config && i < ref->config->descriptor_count; i++) {
        const struct descriptor *d = &ref->config->descriptors[i];
        const enum algorithm_kind kind = d->algorithm.kind;

        if (d->key == ref->entry)
            uses |=
                kind == ALGORITHM_CIPHER || kind == ALGORITHM_WRAP ? KEY_OP_DECRYPT : KEY_OP_SIGN;
    }
    return uses;
}

static void advise_operations(const struct advising *a, const struct vault_key_answer *key)
{
    enum { UNWRAPS = KEY_OP_DECRYPT | KEY_OP_UNWRAP };
    const unsigned uses = configured_uses(a->key->ref), may = key->operations;

    if (!uses || !may)
        return;
    if (uses & KEY_OP_SIGN && !(may & KEY_OP_SIGN))
        give_advice(a, "key-operations",
                    "a descriptor signs with the key, and its key_ops lack 'sign': add it");
    if (uses & KEY_OP_DECRYPT && !(may & UNWRAPS))
        give_advice(a, "key-operations",
                    "a descriptor decrypts with the key, and its key_ops lack 'decrypt' and "
                    "'unwrapKey': add one");
    if (!(uses & KEY_OP_DECRYPT) && may & UNWRAPS)
        give_advice(a, "key-operations",
                    "no descriptor decrypts with the key, and its key_ops allow it: take "
                    "'decrypt' and 'unwrapKey' out");
    if (!(uses & KEY_OP_SIGN) && may & KEY_OP_SIGN)
        give_advice(a, "key-operations",
                    "no descriptor signs with the key, and its key_ops allow it: take 'sign' "
                    "out");
}

static void advise_speed(const struct advising *a, const struct vault_key_answer *key)
{
    const int bits = EVP_PKEY_get_bits(a->key->public_key);
    const unsigned usual = vault_speed(0, true), speed = vault_speed((unsigned)bits, true);

    if (!is_managed_hsm(a) && strcmp(key->type, "RSA-HSM") == 0 && speed < usual)
        give_advice(a, "speed",
                    "a Key Vault does %u operations a second with RSA-HSM keys of %d bits, for all "
                    "its callers together: EC-HSM or 2048 bits do %u",
                    speed, bits, usual);
}

/* ---- its certificate's issuers ---- */

/*
 * Roots need not be sent, and only who trusts one knows which they are: the certificate's own
 * issuer is what has to be there, unless it is a root itself.
 */
static bool has_issuer(X509 *certificate, const STACK_OF(X509) * chain)
{
    for (int i = 0; i < sk_X509_num(chain); i++)
        if (certificate_has_issued(sk_X509_value(chain, i), certificate))
            return true;
    return certificate_is_self_issued(certificate);
}

static void advise_configured_chain(const struct advising *a, const struct certificates *configured)
{
    char issuer[256];

    if (has_issuer(configured->own, configured->chain))
        return;
    certificate_issuer(issuer, sizeof issuer, configured->own);
    give_advice(a, "no-issuer",
                "the certificate's issuer, %.200s, is not in the configuration: append its "
                "certificate, and those above it, to the file that 'certificate' names",
                issuer);
}

static void advise_vault_chain(const struct advising *a)
{
    AUTO(json) json = NULL;
    AUTO(vault_certificate_answer) answer = { .id = "" };
    AUTO(x509) certificate = NULL;
    char issuer[256];

    fetch_quietly(&json, a, "certificates", "");
    if (!json || answer_certificate(&answer, json, NULL) ||
        certificate_parse(&certificate, buf_bytes(&answer.certificate), NULL) ||
        certificate_is_self_issued(certificate))
        return;
    certificate_issuer(issuer, sizeof issuer, certificate);
    give_advice(a, "no-issuer",
                "the vault gives the certificate without its issuer, %.200s: put both into a file, "
                "and name that by 'certificate', beside mode=\"certificate\"",
                issuer);
}

static void advise_chain(const struct advising *a)
{
    AUTO(certificates) configured = { .own = NULL };

    if (store_configured_certificate(&configured, a->key->ref, NULL))
        return;
    if (configured.own)
        advise_configured_chain(a, &configured);
    else if (!is_managed_hsm(a))
        advise_vault_chain(a);
}

/* ---- its own rights, in a Managed HSM ---- */

struct role_search {
    const struct advising *advising;
    char principal[64];
};

static se_status judge_assignment(void *arg, const json_t *item, bool *stop, se_error *err)
{
    const struct role_search *search = arg;
    const struct role_assignment assignment = role_assignment_read(item);
    const struct hsm_role *role = hsm_role_find(assignment.role_id);

    (void)stop;
    (void)err;
    if (!role || strcasecmp(assignment.principal, search->principal) != 0)
        return SE_OK;
    if (strcmp(role->id, ROLE_ADMINISTRATOR) == 0)
        give_advice(search->advising, "role",
                    "the login is Managed HSM Administrator, which has no rights on keys at all, "
                    "and all on roles and backups: take that role away from it");
    else if (role->has_keys &&
             (strcmp(assignment.scope, "/") == 0 || strcmp(assignment.scope, "/keys") == 0))
        give_advice(search->advising, "role",
                    "the login has the role '%s' at '%s', and so for every key: `key roles grant` "
                    "gives it for this key, '/keys/%s', alone",
                    role->name, assignment.scope, search->advising->id.name);
    return SE_OK;
}

static void advise_roles(const struct advising *a)
{
    struct role_search search = { .advising = a };
    AUTO(writer) path = { 0 };

    if (!is_managed_hsm(a) ||
        vault_principal(search.principal, a->key->vault, a->caller.until, NULL))
        return;
    writer_format(&path, "/keys/%s/" ROLE_ASSIGNMENTS, a->id.name);
    if (!path.failed)
        (void)!vault_list(&a->caller, writer_string(&path), "roles", judge_assignment, &search,
                          NULL);
}

/* ---- all ---- */

static void advise_version(const struct advising *a)
{
    AUTO(json) json = NULL;
    struct vault_key_answer answer;

    fetch_quietly(&json, a, "keys", a->id.version);
    if (!json || answer_key(&answer, json, NULL))
        return;
    advise_recovery(a, &answer.attributes);
    advise_protection(a, &answer);
    advise_end(a, &answer.attributes);
    advise_operations(a, &answer);
    advise_speed(a, &answer);
}

void vault_key_advise(void *remote, remote_advice_fn fn, void *arg)
{
    const struct vault_key *key = remote;
    struct advising a = {
        .key = key,
        .caller = { key->vault, key->ref, vault_deadline(key->ref) },
        .fn = fn,
        .arg = arg,
    };

    if (object_id_parse(&a.id, vault_place(key->vault), "keys", key->id, NULL))
        return;
    advise_version(&a);
    advise_newer(&a);
    advise_rotation(&a);
    advise_chain(&a);
    advise_roles(&a);
}
