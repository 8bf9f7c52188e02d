/* SPDX-License-Identifier: Apache-2.0 */
/* <login>s, and what keys in vaults take from them. */
#include <stdlib.h>

#include "base/text.h"
#include "config/grammar.h"
#include "config/load.h"

enum { LOGINS_MAX = 256, SIGNERS_DEEP = 8 };

/* Places of keys are shown, and so would be a password in one. */
static void check_proxy(struct loading *l, const xmlNode *node)
{
    if (strchr(xml_value(node, "proxy"), '@'))
        findings_error(&l->findings, xml_attribute_line(node, "proxy"),
                       "'proxy' may not hold a user or a password, because it is shown; it must be "
                       "http://HOST:PORT");
}

/* ---- <login> ---- */

static void load_login(struct loading *l, struct loaded_login *login, const xmlNode *node)
{
    struct keyref *says = &login->says;

    says->line = xml_line(node);
    says->config = l->config;
    says->pin_source = "";
    element_load(l, &login_rule, node, says);
    load_pin(l, says, node);
    check_proxy(l, node);
    for (size_t i = 0; i < l->login_count; i++)
        if (*says->login && !strcmp(says->login, l->logins[i].says.login))
            findings_error(&l->findings, says->line, "login '%.64s' is already in line %d",
                           says->login, l->logins[i].says.line);
}

void load_logins(struct loading *l, const xmlNode *root)
{
    size_t count = xml_count(root, "login");

    if (count > LOGINS_MAX) {
        findings_error(&l->findings, xml_line(root), "%zu logins: more than %d", count, LOGINS_MAX);
        return;
    }
    if (!(l->logins = calloc(count + 1, sizeof *l->logins))) {
        l->findings.failed = true;
        return;
    }
    for (const xmlNode *node = xml_child(root, "login"); node; node = xml_next(node)) {
        load_login(l, &l->logins[l->login_count], node);
        l->login_count++;
    }
}

void free_logins(struct loading *l)
{
    for (size_t i = 0; i < l->login_count; i++)
        se_buf_free(&l->logins[i].says.pin);
    free(l->logins);
}

void check_logins(struct loading *l)
{
    for (size_t i = 0; i < l->login_count && !l->findings.errors; i++)
        if (!l->logins[i].is_used)
            findings_warning(&l->findings, l->logins[i].says.line, "no key uses login '%.64s'",
                             l->logins[i].says.login);
}

/* ---- what a key takes from it ---- */

static struct loaded_login *find_login(struct loading *l, const char *name)
{
    for (size_t i = 0; i < l->login_count; i++)
        if (!strcmp(l->logins[i].says.login, name))
            return &l->logins[i];
    return NULL;
}

static void report_no_login(struct loading *l, const xmlNode *type, const char *name)
{
    const char *names[LOGINS_MAX] = { NULL }, *nearest;

    for (size_t i = 0; i < l->login_count; i++)
        names[i] = l->logins[i].says.login;
    nearest = text_nearest(name, names, l->login_count);
    findings_error(&l->findings, xml_attribute_line(type, "login"),
                   "there is no <login> '%.64s'%s%.64s%s", name, nearest ? "; did you mean '" : "",
                   nearest ? nearest : "", nearest ? "'?" : "");
}

static void report_both(struct loading *l, const xmlNode *type, const char *attribute,
                        const struct keyref *login)
{
    findings_error(&l->findings, xml_attribute_line(type, attribute),
                   "'%s' and the login '%.64s' (line %d) say the same: keep one", attribute,
                   login->login, login->line);
}

static void inherit_texts(struct loading *l, struct keyref *ref, const struct keyref *login,
                          const xmlNode *type)
{
    for (const struct attribute_rule *a = login_rule.attributes; a->name; a++) {
        const char *theirs =
            a->text ? *(const char *const *)(const void *)((const char *)login + a->text) : "";

        if (!*theirs || !strcmp(a->name, "name"))
            continue;
        if (*xml_value(type, a->name))
            report_both(l, type, a->name, login);
        *(const char **)(void *)((char *)ref + a->text) = theirs;
    }
}

/* All keys of a login have its secret. */
static void inherit_pin(struct loading *l, struct keyref *ref, const struct keyref *login,
                        const xmlNode *type)
{
    if (!keyref_has_pin(login))
        return;
    if (keyref_has_pin(ref)) {
        report_both(l, type, "pin", login);
        return;
    }
    ref->pin_source = login->pin_source;
    ref->pin_scrambled = login->pin_scrambled;
    if (buf_copy(&ref->pin, buf_bytes(&login->pin), NULL))
        l->findings.failed = true;
}

static void inherit_login(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    struct loaded_login *login = find_login(l, ref->login);

    if (!login) {
        report_no_login(l, type, ref->login);
        return;
    }
    login->is_used = true;
    inherit_texts(l, ref, &login->says, type);
    inherit_pin(l, ref, &login->says, type);
    if (ref->credential && login->says.credential)
        report_both(l, type, "credential", &login->says);
    if (login->says.credential)
        ref->credential = login->says.credential;
    if (ref->secret_until && login->says.secret_until)
        report_both(l, type, "secretUntil", &login->says);
    if (login->says.secret_until)
        ref->secret_until = login->says.secret_until;
}

/* ---- a key in a vault ---- */

static void check_secret_until(struct loading *l, const struct keyref *ref)
{
    const bool has_secret = ref->credential == CREDENTIAL_SECRET ||
                            ref->credential == CREDENTIAL_ENVIRONMENT ||
                            (ref->credential == CREDENTIAL_NONE && keyref_has_pin(ref));

    if (ref->secret_until && !has_secret)
        findings_error(&l->findings, ref->line,
                       "'secretUntil' says when a client secret ends, and this login has none");
}

void load_vault(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    const bool is_hsm = !strcmp(ref->store, "AzureManagedHSM");

    check_proxy(l, type);
    if (*ref->login)
        inherit_login(l, ref, type);
    check_secret_until(l, ref);
    ref->ca_file = loading_keep_path(l, ref->ca_file_written);
    if (*ref->location && !is_origin(ref->location, "https://"))
        findings_error(&l->findings, xml_attribute_line(type, "locationValue"),
                       text_starts(ref->location, "https://")
                           ? "'locationValue' of %s must be https://HOST, and nothing behind it"
                           : "'locationValue' of %s must begin with https://",
                       ref->store);
    if (is_hsm && ref->mode == VAULT_MODE_CERTIFICATE)
        findings_error(&l->findings, xml_attribute_line(type, "mode"),
                       "AzureManagedHSM holds no certificates: 'mode' can only be key");
    if (ref->mode == VAULT_MODE_CERTIFICATE && *ref->key_version)
        findings_error(&l->findings, xml_attribute_line(type, "keyVersion"),
                       "'keyVersion' is the certificate's with the mode 'certificate'");
}

/* ---- <key>s that sign for others to log in ---- */

static void find_signer(struct loading *l, struct keyref *ref)
{
    se_error why = SE_ERROR_INIT;

    if (*ref->credential_key && config_key(&ref->signer, l->config, ref->credential_key, &why))
        findings_error(&l->findings, ref->line, "'credentialKey': %s", why.text);
}

static bool all_signers_open(const struct config *config, const struct key_entry *key,
                             const bool *opens)
{
    for (size_t i = 0; i < key->count; i++) {
        const struct key_entry *signer = key->replicas[i].signer;

        if (signer && !opens[signer - config->keys])
            return false;
    }
    return true;
}

/* A login that needs a key that needs the login would never end: a key opens if its signers do. */
static void check_circles(struct loading *l, bool *opens)
{
    const struct config *config = l->config;

    for (unsigned depth = 0; depth < SIGNERS_DEEP; depth++)
        for (size_t i = 0; i < config->key_count; i++)
            opens[i] = opens[i] || all_signers_open(config, &config->keys[i], opens);
    for (size_t i = 0; i < config->key_count; i++)
        if (!opens[i])
            findings_error(&l->findings, config->keys[i].line,
                           "key '%.64s' can't log in: the keys that sign for its login need each "
                           "other, or are more than %d one after the other",
                           config->keys[i].name, SIGNERS_DEEP);
}

void load_signers(struct loading *l)
{
    const size_t errors = l->findings.errors;
    bool *opens = calloc(l->config->key_count + 1, sizeof *opens);

    for (size_t i = 0; i < l->config->key_count; i++)
        for (size_t j = 0; j < l->config->keys[i].count; j++)
            find_signer(l, &l->config->keys[i].replicas[j]);
    if (!opens)
        l->findings.failed = true;
    else if (l->findings.errors == errors)
        check_circles(l, opens);
    free(opens);
}
