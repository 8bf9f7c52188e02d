/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/watch.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/metric.h"
#include "base/text.h"
#include "milter/report.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what is found out about keys */

/* By its real version: a rule need not name one. */
static bool is_watched(const struct watch *watch, const struct watched *w)
{
    for (size_t i = 0; i < watch->count; i++)
        if (strcmp(watch->list[i].rule->descriptor, w->rule->descriptor) == 0 &&
            watch->list[i].version == w->version)
            return true;
    return false;
}

/* Notes the key that the configuration names; the store need not be there. */
static void note_key(void *arg, const char *item, const char *property, const char *value)
{
    struct watched *w = arg;
    const char *version = strrchr(item, ':');
    const char *name = text_starts(item, "descriptor ") ? item + strlen("descriptor ") : NULL;
    unsigned long number;

    if (!name || !version || version < name || strcmp(property, "key") != 0 ||
        !text_number(&number, version + 1, UINT_MAX) ||
        (size_t)(version - name) != strlen(w->rule->descriptor) ||
        strncmp(name, w->rule->descriptor, (size_t)(version - name)) != 0)
        return;
    if (w->rule->version ? number != w->rule->version : number < w->version)
        return;
    w->version = (unsigned)number;
    (void)snprintf(w->key, sizeof w->key, "%s", value);
}

static se_status watched_identify(struct watched *w, se_engine *engine, se_error *err)
{
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_signer signer;
    se_error why = SE_ERROR_INIT;
    se_status st;

    params.version = w->rule->version;
    st = se_find_signer(&signer, engine, w->rule->descriptor, &params, &why);
    pthread_mutex_lock(&lock);
    w->up = !st;
    w->not_after = signer.not_after;
    if (!st) {
        w->version = signer.version;
        memcpy(w->key, signer.key, sizeof w->key);
    }
    (void)snprintf(w->why, sizeof w->why, "%.*s", (int)sizeof w->why - 1, why.text);
    pthread_mutex_unlock(&lock);
    return st ? error_set_at(err, st, why.file, why.line, "%s", why.text) : SE_OK;
}

se_status watch_begin(struct watch *out, const struct conf *conf, se_engine *engine, se_error *err)
{
    *out = (struct watch){ .list = calloc(conf->rules.count + 1, sizeof *out->list) };
    if (!out->list)
        return error_memory(err);
    for (size_t i = 0; i < conf->rules.count; i++) {
        const struct rule *rule = &conf->rules.list[i];
        struct watched *w = &out->list[out->count];
        se_status st;

        if (rule->policy == POLICY_SKIP)
            continue;
        *w = (struct watched){ .rule = rule };
        TRY(se_describe(engine, note_key, w, err));
        if (is_watched(out, w))
            continue;
        st = watched_identify(w, engine, err);
        if (st == SE_ERR_NO_DESCRIPTOR || st == SE_ERR_POLICY)
            return error_prefix(err, st, "rule for '%s': ", rule->pattern);
        out->count++; /* a key store that is away comes back */
    }
    return SE_OK;
}

static bool is_up(const struct watched *w)
{
    bool up;

    pthread_mutex_lock(&lock);
    up = w->up;
    pthread_mutex_unlock(&lock);
    return up;
}

/* Another version may be the current one meanwhile. */
void watch_refresh(struct watch *watch, se_engine *engine)
{
    for (size_t i = 0; i < watch->count; i++)
        if (is_up(&watch->list[i]) && (!watch->list[i].rule->version || !watch->list[i].not_after))
            (void)watched_identify(&watch->list[i], engine, NULL);
}

void watch_free(struct watch *watch)
{
    free(watch->list);
    *watch = (struct watch){ .list = NULL };
}

/* `replica`: 0: the key as a whole */
static void log_key(const char *key, unsigned replica, const char *what, const char *why)
{
    AUTO(writer) text = { 0 };

    writer_format(&text, "key '%s' ", key);
    if (replica)
        writer_format(&text, "replica %u ", replica);
    writer_text(&text, what);
    if (!text.failed)
        report_event(writer_string(&text), why);
}

void watch_log(const struct watch *watch)
{
    for (size_t i = 0; i < watch->count; i++)
        if (!is_up(&watch->list[i]))
            log_key(watch->list[i].key, 0, "out of reach", watch->list[i].why);
}

/* Whether that is news. */
static bool watch_set_up(struct watch *watch, const char *key, bool up)
{
    bool changed = false;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < watch->count; i++)
        if (strcmp(watch->list[i].key, key) == 0 && watch->list[i].up != up) {
            watch->list[i].up = up;
            changed = true;
        }
    pthread_mutex_unlock(&lock);
    if (changed)
        metrics_touch();
    return changed;
}

/* Only a status of the store, or of a key in it; a bad message says nothing about the key. */
static bool is_loss(se_status st)
{
    return st == SE_ERR_UNAVAILABLE || st == SE_ERR_STORE || st == SE_ERR_ACCESS ||
           st == SE_ERR_KEY;
}

/* Operations show whether a key is in reach: while one replica is lost, another may serve. */
void watch_event(struct watch *watch, const se_event *event)
{
    if (event->kind != SE_EVENT_OPERATION) {
        log_key(event->key, event->replica, se_event_name(event->kind), event->text);
        return;
    }
    if (!event->status && watch_set_up(watch, event->key, true))
        log_key(event->key, 0, se_event_name(SE_EVENT_KEY_HEALED), "");
    if (is_loss(event->status) && watch_set_up(watch, event->key, false))
        log_key(event->key, 0, se_event_name(SE_EVENT_KEY_LOST), event->text);
}

static const struct metric up_metric = {
    .name = "signengine_key_up",
    .type = "gauge",
    .help = "Whether a key is in reach, as far as its last use told.",
    .labels = { "key" },
};
static const struct metric expiry_metric = {
    .name = "signengine_certificate_expiry_timestamp_seconds",
    .type = "gauge",
    .help = "When the certificate of a descriptor ends.",
    .labels = { "descriptor", "version" },
};

/* A key that several descriptors use is shown once. */
static bool is_first(const struct watch *watch, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(watch->list[i].key, watch->list[at].key) == 0)
            return false;
    return true;
}

/* Two rules may have come to the same version. */
static bool is_first_version(const struct watch *watch, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (watch->list[i].version == watch->list[at].version &&
            strcmp(watch->list[i].rule->descriptor, watch->list[at].rule->descriptor) == 0)
            return false;
    return true;
}

static void put_expiry(struct writer *w, const struct watched *watched)
{
    char version[16];

    (void)snprintf(version, sizeof version, "%u", watched->version);
    metric_put(w, &expiry_metric, (const char *const[]){ watched->rule->descriptor, version },
               (double)watched->not_after);
}

void watch_put_metrics(struct writer *w, const struct watch *watch)
{
    pthread_mutex_lock(&lock);
    metric_begin(w, &up_metric);
    for (size_t i = 0; i < watch->count; i++)
        if (is_first(watch, i))
            metric_put(w, &up_metric, (const char *const[]){ watch->list[i].key },
                       watch->list[i].up);
    metric_begin(w, &expiry_metric);
    for (size_t i = 0; i < watch->count; i++)
        if (watch->list[i].not_after && is_first_version(watch, i))
            put_expiry(w, &watch->list[i]);
    pthread_mutex_unlock(&lock);
}
