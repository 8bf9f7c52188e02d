/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/settings.h"

enum { CONF_LIMIT = 16 << 20 };

void conf_free(struct conf **conf)
{
    struct conf *c = *conf;

    if (!c)
        return;
    rules_free(&c->rules);
    free(c->path);
    free(c->networks);
    free(c->engine);
    free(c->socket);
    free(c->user);
    audit_sinks_free(&c->audit);
    free(c->metrics);
    free(c->trust_config);
    free(c->config_crls);
    free(c->trust_signers);
    free(c->crls);
    free(c->socket_group);
    free(c);
    *conf = NULL;
}

const se_revocation_params *conf_config_revocation(se_revocation_params *out,
                                                   const struct conf *conf)
{
    *out = (se_revocation_params)SE_REVOCATION_PARAMS_INIT;
    out->crls = conf->config_crls;
    out->required = conf->config_revocation_required;
    return out->crls || out->required ? out : NULL;
}

/* ---- settings: name = value ---- */

static se_status set_networks(struct conf *c, const struct setting *s, se_error *err)
{
    free(c->networks);
    c->network_count = 0;
    if (!(c->networks = calloc(SETTING_WORDS, sizeof *c->networks)))
        return error_memory(err);
    for (size_t i = SETTING_VALUE; i < s->count; i++)
        if (!network_read(&c->networks[c->network_count++], s->words[i]))
            return setting_bad(s, err, "'%s' is no network, as 192.0.2.0/24", s->words[i]);
    return SE_OK;
}

static se_status set_peers(struct conf *c, const struct setting *s, se_error *err)
{
    se_status st = SE_OK;

    c->peers = (struct peers){ .count = 0 };
    for (size_t i = SETTING_VALUE; !st && i < s->count; i++)
        if ((st = peers_add(&c->peers, s->words[i], err)))
            st = setting_place(s, st, err);
    return st;
}

static se_status set_encrypted(struct conf *c, const struct setting *s, se_error *err)
{
    static const char *const words[] = {
        [ENCRYPTED_REFUSE] = "refuse", [ENCRYPTED_SIGN] = "sign", [ENCRYPTED_PASS] = "pass"
    };
    unsigned place;

    TRY(setting_choice(&place, s, words, sizeof words / sizeof *words, err));
    c->encrypted = (enum encrypted)place;
    return SE_OK;
}

/* One for each line. */
static se_status add_sink(struct conf *c, const struct setting *s, se_error *err)
{
    AUTO(writer) text = { 0 };
    se_status st;

    setting_words(&text, s);
    st = text.failed ? error_memory(err) : audit_sinks_add(&c->audit, writer_string(&text), err);
    return st ? setting_place(s, st, err) : SE_OK;
}

/* Takes a setting that is neither a text nor a choice between two. */
static se_status set_special(struct conf *c, const struct setting *s, bool *known, se_error *err)
{
    const char *name = s->words[SETTING_NAME];

    *known = true;
    if (strcmp(name, "local") == 0)
        return set_networks(c, s, err);
    if (strcmp(name, "audit") == 0)
        return add_sink(c, s, err);
    if (strcmp(name, "peers") == 0)
        return set_peers(c, s, err);
    if (strcmp(name, "socket-mode") == 0)
        return setting_mode(&c->socket_mode, s, err);
    if (strcmp(name, "encrypted") == 0)
        return set_encrypted(c, s, err);
    *known = false;
    return SE_OK;
}

static se_status conf_take_setting(struct conf *c, const struct setting *s, se_error *err)
{
    static const char *const names[] = { "engine",   "socket",       "user",
                                         "metrics",  "trust-config", "trust-signers",
                                         "crl",      "socket-group", "config-crl",
                                         "envelope", "bounces",      "lists",
                                         "form",     "headers",      "local",
                                         "peers",    "socket-mode",  "encrypted",
                                         "audit",    "revocation",   "config-revocation" };
    char **const texts[] = { &c->engine,  &c->socket,       &c->user,
                             &c->metrics, &c->trust_config, &c->trust_signers,
                             &c->crls,    &c->socket_group, &c->config_crls };
    const struct {
        const char *name;
        bool *to;
        const char *words[2];
    } switches[] = {
        { "envelope", &c->any_envelope, { "same", "any" } },
        { "bounces", &c->sign_bounces, { "skip", "sign" } },
        { "lists", &c->sign_lists, { "skip", "sign" } },
        { "form", &c->opaque, { "detached", "opaque" } },
        { "headers", &c->protect, { "plain", "protected" } },
        { "revocation", &c->revocation_required, { "optional", "required" } },
        { "config-revocation", &c->config_revocation_required, { "optional", "required" } },
    };
    const char *name = s->words[SETTING_NAME];
    bool known;
    se_status st;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(name, names[i]) == 0)
            return setting_text(texts[i], s, err);
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        if (strcmp(name, switches[i].name) == 0)
            return setting_switch(switches[i].to, s, switches[i].words, err);
    st = set_special(c, s, &known, err);
    return known ? st : setting_unknown(s, names, sizeof names / sizeof *names, err);
}

/* ---- the file ---- */

static se_status conf_take_rule(struct conf *c, const struct setting *s, se_error *err)
{
    se_status st = rules_add(&c->rules, s->words, s->count, s->line, err);

    return st == SE_ERR_CONFIG ? setting_place(s, st, err) : st;
}

static se_status conf_take_line(void *arg, const struct setting *s, se_error *err)
{
    struct conf *c = arg;

    if (policy_read(s->words[SETTING_NAME]))
        return conf_take_rule(c, s, err);
    if (s->count <= SETTING_VALUE || strcmp(s->words[SETTING_EQUALS], "=") != 0)
        return setting_bad(s, err, "neither 'NAME = VALUE' nor a rule: '%s'",
                           s->words[SETTING_NAME]);
    return conf_take_setting(c, s, err);
}

static se_status check_complete(const struct conf *c, const char *path, se_error *err)
{
    if (!c->engine)
        return error_set(err, SE_ERR_CONFIG, "%s: 'engine' is missing: the engineSignEncrypt.xml",
                         path);
    if (!c->socket)
        return error_set(err, SE_ERR_CONFIG, "%s: 'socket' is missing: inet:PORT@HOST or unix:PATH",
                         path);
    return SE_OK;
}

static se_status allow_this_machine(struct conf *c, se_error *err)
{
    c->networks = calloc(2, sizeof *c->networks);
    c->network_count = 2;
    if (!c->networks || !network_read(&c->networks[0], "127.0.0.0/8") ||
        !network_read(&c->networks[1], "::1"))
        return error_memory(err);
    return SE_OK;
}

se_status conf_parse(struct conf **out, se_buf *text, const char *path, se_error *err)
{
    AUTO(conf) conf = calloc(1, sizeof *conf);

    *out = NULL;
    if (!conf || !(conf->path = strdup(path)))
        return error_memory(err);
    conf->socket_mode = 0660;
    peers_default(&conf->peers);
    TRY(allow_this_machine(conf, err));
    TRY(settings_read(text, path, conf_take_line, conf, err));
    TRY(check_complete(conf, path, err));
    *out = MOVE(conf);
    return SE_OK;
}

se_status conf_load(struct conf **out, const char *path, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    *out = NULL;
    TRY(file_read(&text, path, CONF_LIMIT, err));
    return conf_parse(out, &text, path, err);
}
