/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/settings.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/un.h>

#include "base/array.h"
#include "base/file.h"
#include "base/settings.h"
#include "base/text.h"

enum { SETTINGS_LIMIT = 1 << 20 };

#define MANY         (UINT64_C(1) << 40)
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void history_release(struct history_setting *h)
{
    free((char *)h->name);
    free((char *)h->store);
    free((char *)h->chain);
    free((char *)h->descriptor);
}

void settings_free(struct settings **settings)
{
    struct settings *s = *settings;

    if (!s)
        return;
    for (size_t i = 0; i < s->history_count; i++)
        history_release(&s->histories[i]);
    audit_sinks_free(&s->audit);
    free(s->histories);
    free(s->path);
    free(s->config);
    free(s->trust_config);
    free(s->config_crls);
    free(s->verify_crls);
    free(s->user);
    free(s->socket);
    free(s->group);
    free(s->tls);
    free(s->certificate);
    free(s->key);
    free(s->client_ca);
    free(s->crl);
    free(s->spool);
    free(s);
    *settings = NULL;
}

const se_revocation_params *settings_config_revocation(se_revocation_params *out,
                                                       const struct settings *settings)
{
    *out = (se_revocation_params)SE_REVOCATION_PARAMS_INIT;
    out->crls = settings->config_crls;
    out->required = settings->config_revocation_required;
    return out->crls || out->required ? out : NULL;
}

const se_revocation_params *settings_verify_revocation(se_revocation_params *out,
                                                       const struct settings *settings)
{
    const int64_t day = 24 * 3600;

    *out = (se_revocation_params)SE_REVOCATION_PARAMS_INIT;
    out->crls = settings->verify_crls;
    out->max_age = settings->verify_crl_max_age * day;
    out->required = settings->verify_revocation_required;
    out->ask_responders = settings->verify_asks_responders;
    out->fetch_crls = settings->verify_fetches_crls;
    return out->crls || out->max_age || out->required || out->ask_responders || out->fetch_crls
               ? out
               : NULL;
}

/* ---- settings of which there are several ---- */

static bool is_history_name(const char *name)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

    return strlen(name) <= 64 && strspn(name, letters) == strlen(name);
}

/* history NAME = STORE CHAIN DESCRIPTOR */
static se_status take_history(struct settings *to, const struct setting *s, se_error *err)
{
    enum { NAME = 1, EQUALS, STORE, CHAIN, DESCRIPTOR, WORDS };
    struct history_setting *h;
    size_t room = to->history_count;

    if (s->count != WORDS || strcmp(s->words[EQUALS], "=") != 0)
        return setting_bad(s, err, "a history is 'history NAME = STORE CHAIN DESCRIPTOR'");
    if (!is_history_name(s->words[NAME]))
        return setting_bad(s, err, "'%s' is no name of a history: up to 64 of A-Z a-z 0-9 . _ -",
                           s->words[NAME]);
    for (size_t i = 0; i < to->history_count; i++)
        if (strcmp(to->histories[i].name, s->words[NAME]) == 0)
            return setting_bad(s, err, "the history '%s' is there already", s->words[NAME]);
    if (!array_grow(&to->histories, &room, to->history_count))
        return error_memory(err);
    h = &to->histories[to->history_count++];
    h->name = strdup(s->words[NAME]);
    h->store = strdup(s->words[STORE]);
    h->chain = strdup(s->words[CHAIN]);
    h->descriptor = strdup(s->words[DESCRIPTOR]);
    return h->name && h->store && h->chain && h->descriptor ? SE_OK : error_memory(err);
}

static se_status take_audit(struct settings *to, const struct setting *s, se_error *err)
{
    AUTO(writer) text = { 0 };

    setting_words(&text, s);
    if (text.failed)
        return error_memory(err);
    if (audit_sinks_add(&to->audit, writer_string(&text), err))
        return setting_place(s, SE_ERR_CONFIG, err);
    return SE_OK;
}

/* On a network nobody could tell callers apart. */
static se_status take_socket(struct settings *to, const struct setting *s, se_error *err)
{
    const char *value = s->words[SETTING_VALUE];
    AUTO(writer) path = { 0 };

    if (s->count != SETTING_VALUE + 1 || !text_starts(value, "unix:/"))
        return setting_bad(s, err, "listen is unix:PATH, with a path that begins with '/'");
    value += strlen("unix:");
    if (strlen(value) >= sizeof((struct sockaddr_un *)NULL)->sun_path - strlen(".new"))
        return setting_bad(s, err, "the path of the socket is longer than %zu bytes",
                           sizeof((struct sockaddr_un *)NULL)->sun_path - strlen(".new") - 1);
    free(to->socket);
    return (to->socket = strdup(value)) ? SE_OK : error_memory(err);
}

/* A port, and in front of it an address in digits: 192.0.2.1:8700, [2001:db8::1]:8700. */
static bool read_address(struct sockaddr_storage *out, const char *text)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN + 2] = "";
    const size_t size = colon ? (size_t)(colon - text) : 0;
    unsigned long port;

    *out = (struct sockaddr_storage){ .ss_family = AF_INET };
    if (!colon || size >= sizeof host || !text_number(&port, colon + 1, 65535) || !port)
        return false;
    memcpy(host, text, size);
    v4->sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1)
        return true;
    if (size < 2 || host[0] != '[' || host[size - 1] != ']')
        return false;
    host[size - 1] = '\0';
    *v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
    return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1;
}

static se_status take_tls(struct settings *to, const struct setting *s, se_error *err)
{
    TRY(setting_text(&to->tls, s, err));
    return read_address(&to->tls_address, to->tls)
               ? SE_OK
               : setting_bad(s, err,
                             "tls is ADDRESS:PORT in digits, as 192.0.2.1:8700 or [::]:8700");
}

/* ---- one line ---- */

struct number_row {
    const char *name;
    unsigned *to;
    unsigned least, most;
};

static se_status take_number(bool *known, struct settings *to, const struct setting *s,
                             se_error *err)
{
    const struct number_row rows[] = {
        { "threads", &to->threads, 1, 1024 },
        { "io-threads", &to->io_threads, 1, 64 },
        { "queue", &to->queue, 1, 1000000 },
        { "connections", &to->connections, 1, 1000000 },
        { "per-user", &to->per_user, 1, 1000000 },
        { "head-timeout", &to->head_timeout, 1, 3600 },
        { "body-timeout", &to->body_timeout, 1, 3600 },
        { "idle-timeout", &to->idle_timeout, 1, 86400 },
        { "verify-crl-max-age", &to->verify_crl_max_age, 1, 36500 },
    };

    *known = true;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(s->words[SETTING_NAME], rows[i].name) == 0)
            return setting_number(rows[i].to, s, rows[i].least, rows[i].most, err);
    *known = false;
    return SE_OK;
}

static se_status take_text(bool *known, struct settings *to, const struct setting *s, se_error *err)
{
    const struct {
        const char *name;
        char **to;
    } rows[] = {
        { "config", &to->config },
        { "trust-config", &to->trust_config },
        { "user", &to->user },
        { "group", &to->group },
        { "spool", &to->spool },
        { "certificate", &to->certificate },
        { "key", &to->key },
        { "client-ca", &to->client_ca },
        { "crl", &to->crl },
        { "config-crl", &to->config_crls },
        { "verify-crl", &to->verify_crls },
    };

    *known = true;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(s->words[SETTING_NAME], rows[i].name) == 0)
            return setting_text(rows[i].to, s, err);
    *known = false;
    return SE_OK;
}

static se_status take_size(bool *known, struct settings *to, const struct setting *s, se_error *err)
{
    const struct {
        const char *name;
        uint64_t *to;
    } rows[] = {
        { "body", &to->body },
        { "bodies", &to->bodies },
        { "spool-body", &to->spool_body },
        { "spool-size", &to->spool_size },
    };

    *known = true;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(s->words[SETTING_NAME], rows[i].name) == 0)
            return setting_size(rows[i].to, s, MANY, err);
    *known = false;
    return SE_OK;
}

static se_status take_switch(bool *known, struct settings *to, const struct setting *s,
                             se_error *err)
{
    const struct {
        const char *name;
        bool *to;
        const char *words[2];
    } rows[] = {
        { "config-revocation", &to->config_revocation_required, { "optional", "required" } },
        { "verify-revocation", &to->verify_revocation_required, { "optional", "required" } },
        { "verify-ocsp", &to->verify_asks_responders, { "off", "on" } },
        { "verify-fetch-crls", &to->verify_fetches_crls, { "off", "on" } },
    };

    *known = true;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(s->words[SETTING_NAME], rows[i].name) == 0)
            return setting_switch(rows[i].to, s, rows[i].words, err);
    *known = false;
    return SE_OK;
}

static se_status take_other(struct settings *to, const struct setting *s, se_error *err)
{
    static const char *const names[] = {
        /* clang-format off */
        "config", "trust-config", "user", "group", "listen", "mode", "body", "bodies", "audit",
        "history", "threads", "spool", "io-threads", "queue", "connections", "per-user",
        "head-timeout", "body-timeout", "idle-timeout", "tls", "certificate", "key", "client-ca",
        "crl", "spool-body", "spool-size", "config-crl", "config-revocation", "verify-crl",
        "verify-ocsp", "verify-crl-max-age", "verify-fetch-crls", "verify-revocation",
        /* clang-format on */
    };
    const char *name = s->words[SETTING_NAME];

    if (strcmp(name, "listen") == 0)
        return take_socket(to, s, err);
    if (strcmp(name, "tls") == 0)
        return take_tls(to, s, err);
    if (strcmp(name, "mode") == 0)
        return setting_mode(&to->mode, s, err);
    if (strcmp(name, "audit") == 0)
        return take_audit(to, s, err);
    return setting_unknown(s, names, COUNT(names), err);
}

static se_status take_line(void *arg, const struct setting *s, se_error *err)
{
    struct settings *to = arg;
    bool known;
    se_status st;

    if (strcmp(s->words[SETTING_NAME], "history") == 0)
        return take_history(to, s, err);
    TRY(setting_check(s, err));
    st = take_text(&known, to, s, err);
    if (!known)
        st = take_number(&known, to, s, err);
    if (!known)
        st = take_size(&known, to, s, err);
    if (!known)
        st = take_switch(&known, to, s, err);
    return known ? st : take_other(to, s, err);
}

/* ---- the file ---- */

static void set_defaults(struct settings *s)
{
    s->mode = 0660;
    s->threads = 64;
    s->io_threads = 2;
    s->queue = 1000;
    s->connections = 4096;
    s->per_user = 256;
    s->head_timeout = 10;
    s->body_timeout = 30;
    s->idle_timeout = 60;
    s->body = 16 << 20;
    s->bodies = 256 << 20;
    s->spool_body = UINT64_C(1) << 30;
    s->spool_size = UINT64_C(4) << 30;
}

static se_status check_settings(const struct settings *s, se_error *err)
{
    if (!s->socket)
        return error_set(err, SE_ERR_CONFIG,
                         "%s: 'listen' is missing: unix:PATH, as unix:/run/signengine/socket",
                         s->path);
    if (s->tls && (!s->certificate || !s->key || !s->client_ca))
        return error_set(err, SE_ERR_CONFIG,
                         "%s: 'tls' needs 'certificate' and 'key' for the daemon, and 'client-ca', "
                         "which vouches for callers",
                         s->path);
    if (s->bodies < s->body)
        return error_set(err, SE_ERR_CONFIG, "%s: 'bodies', of all together, is less than 'body'",
                         s->path);
    if (s->spool_size < s->spool_body)
        return error_set(err, SE_ERR_CONFIG,
                         "%s: 'spool-size', of all together, is less than 'spool-body'", s->path);
    return SE_OK;
}

se_status settings_parse(struct settings **out, se_buf *text, const char *path, se_error *err)
{
    AUTO(settings) s = calloc(1, sizeof *s);

    *out = NULL;
    if (!s || !(s->path = strdup(path)))
        return error_memory(err);
    set_defaults(s);
    TRY(settings_read(text, path, take_line, s, err));
    TRY(check_settings(s, err));
    *out = MOVE(s);
    return SE_OK;
}

se_status settings_load(struct settings **out, const char *path, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    *out = NULL;
    TRY(file_read(&text, path, SETTINGS_LIMIT, err));
    return settings_parse(out, &text, path, err);
}

/* ---- reload ---- */

static bool is_same_text(const char *one, const char *other)
{
    return one && other ? strcmp(one, other) == 0 : one == other;
}

static bool are_same_sinks(const struct audit_sinks *one, const struct audit_sinks *other)
{
    for (size_t i = 0; i < one->count && i < other->count; i++)
        if (one->list[i].kind != other->list[i].kind ||
            one->list[i].required != other->list[i].required ||
            !is_same_text(one->list[i].place, other->list[i].place))
            return false;
    return one->count == other->count;
}

const char *settings_difference(const struct settings *a, const struct settings *b)
{
    const struct {
        const char *name;
        bool same;
    } rows[] = {
        { "listen", is_same_text(a->socket, b->socket) },
        { "group", is_same_text(a->group, b->group) },
        { "tls", is_same_text(a->tls, b->tls) },
        { "mode", a->mode == b->mode },
        { "user", is_same_text(a->user, b->user) },
        { "threads", a->threads == b->threads },
        { "io-threads", a->io_threads == b->io_threads },
        { "queue", a->queue == b->queue },
        { "connections", a->connections == b->connections },
        { "per-user", a->per_user == b->per_user },
        { "head-timeout", a->head_timeout == b->head_timeout },
        { "body-timeout", a->body_timeout == b->body_timeout },
        { "idle-timeout", a->idle_timeout == b->idle_timeout },
        { "body", a->body == b->body },
        { "bodies", a->bodies == b->bodies },
        { "spool", is_same_text(a->spool, b->spool) },
        { "spool-body", a->spool_body == b->spool_body },
        { "spool-size", a->spool_size == b->spool_size },
        { "audit", are_same_sinks(&a->audit, &b->audit) },
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (!rows[i].same)
            return rows[i].name;
    return NULL;
}
