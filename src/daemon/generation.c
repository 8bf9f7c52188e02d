/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/generation.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/text.h"
#include "base/thread.h"
#include "daemon/log.h"
#include "daemon/record.h"
#include "daemon/tls.h"

enum { RECOVERY_MS = 2000, REFRESH_MS = 3600 * 1000 };

struct generations {
    struct audit *audit;
    pthread_mutex_t lock; /* of the current one, of users, and of what follows */
    pthread_cond_t changed;
    struct generation *current;
    struct generation *unused; /* to be closed by the thread */
    bool is_new, ending;       /* the current one was not looked at; the thread has to end */
    int64_t looked;            /* when, clock_monotonic_ms(); of the thread */
    pthread_t recovery;
};

/* ---- one generation ---- */

/* Histories use the engine, and the engine reports to the keys until it is closed. */
static void generation_free(struct generation *g)
{
    if (!g)
        return;
    histories_free(g->histories);
    se_access_close(&g->access);
    se_close(&g->engine);
    keys_free(g->keys);
    tls_release(g->tls);
    settings_free(&g->settings);
    free(g);
}
AUTO_KIND(generation, struct generation *, generation_free(*p))

static void report_finding(void *arg, const se_report *report)
{
    (void)arg;
    if (!report->error)
        log_line("%s:%d: warning: %s", report->file, report->line, report->text);
}

/*
 * The engine notices that its files are others now, and whether it can use them.  What stands on
 * it, and what the log, the audit and systemd hear of it, is as if somebody had asked.
 */
static void hear_event(void *arg, const se_event *event)
{
    struct generation *g = arg;

    if (event->kind == SE_EVENT_RELOADED || event->kind == SE_EVENT_RELOAD_REFUSED) {
        (void)kill(getpid(), SIGHUP);
        return;
    }
    if (event->kind == SE_EVENT_VERSION_SWITCHED || event->kind == SE_EVENT_VERSION_LATE) {
        log_line("descriptor '%s': %s", event->descriptor, event->text);
        audit_note_event(g->audit, event, g->config);
        keys_note_current(g->keys, event->descriptor, event->version);
        return;
    }
    record_hear(event);
    keys_hear(g->keys, event);
}

/* `before` may be NULL. */
static se_status open_engine(struct generation *g, const struct generation *before, se_error *err)
{
    se_options options = SE_OPTIONS_INIT;
    se_revocation_params revocation;
    char fingerprint[65];

    options.report = report_finding;
    options.event = hear_event;
    options.event_arg = g;
    options.trust_config = g->settings->trust_config;
    options.config_revocation = settings_config_revocation(&revocation, g->settings);
    options.watch = true;
    options.follows = before ? before->engine : NULL;
    TRY(se_open(&g->engine, g->settings->config, &options, err));
    TRY(se_fingerprint(fingerprint, g->engine, err));
    text_copy(g->config, sizeof g->config, fingerprint, CONFIG_DIGITS);
    return SE_OK;
}

static void note_allowed(void *arg, const se_access_row *row)
{
    struct generation *g = arg;

    (void)row;
    g->allows = true;
}

static se_status generation_fill(struct generation *g, const struct generation *before,
                                 se_error *err)
{
    TRY(keys_new(&g->keys, err));
    if (g->settings->tls)
        TRY(tls_load(&g->tls, g->settings, err));
    TRY(open_engine(g, before, err));
    TRY(keys_describe(g->keys, g->engine, err));
    TRY(se_access_open(&g->access, g->engine, report_finding, g, err));
    TRY(se_access_list(g->access, NULL, note_allowed, g, err));
    return histories_new(&g->histories, g->engine, g->settings->histories,
                         g->settings->history_count, err);
}

static se_status generation_open(struct generation **out, struct settings **settings,
                                 const struct generation *before, struct audit *audit,
                                 se_error *err)
{
    AUTO(settings) given = MOVE(*settings);
    AUTO(generation) g = calloc(1, sizeof *g);

    *out = NULL;
    if (!g)
        return error_memory(err);
    g->settings = MOVE(given);
    g->users = 1;
    g->audit = audit;
    TRY(generation_fill(g, before, err));
    *out = MOVE(g);
    return SE_OK;
}

se_status generation_try(struct settings **settings, se_error *err)
{
    AUTO(generation) g = NULL;

    return generation_open(&g, settings, NULL, NULL, err);
}

/* ---- the current one ---- */

struct generation *generation_enter(struct generations *all)
{
    struct generation *g;

    pthread_mutex_lock(&all->lock);
    if ((g = all->current))
        g->users++;
    pthread_mutex_unlock(&all->lock);
    return g;
}

/* Closing an engine may wait for a key store, and whoever leaves last may be a thread that all
 * connections wait for. */
void generation_leave(struct generations *all, struct generation *g)
{
    if (!g)
        return;
    pthread_mutex_lock(&all->lock);
    if (!--g->users) {
        g->next = all->unused;
        all->unused = g;
        pthread_cond_signal(&all->changed);
    }
    pthread_mutex_unlock(&all->lock);
}

static void close_unused(struct generations *all)
{
    struct generation *g;

    pthread_mutex_lock(&all->lock);
    g = all->unused;
    all->unused = NULL;
    pthread_mutex_unlock(&all->lock);
    while (g) {
        struct generation *next = g->next;

        generation_free(g);
        g = next;
    }
}

se_status generations_load(struct generations *all, struct settings **settings, se_error *err)
{
    struct generation *fresh, *old = generation_enter(all);
    const se_status st = generation_open(&fresh, settings, old, all->audit, err);

    generation_leave(all, old);
    if (st)
        return st;
    if (!fresh->allows)
        log_line("'%s' has no <access> with rows: nobody may do anything", fresh->settings->config);
    pthread_mutex_lock(&all->lock);
    old = all->current;
    all->current = fresh;
    all->is_new = true;
    pthread_cond_signal(&all->changed);
    pthread_mutex_unlock(&all->lock);
    generation_leave(all, old);
    return SE_OK;
}

/* ---- recovery ---- */

/*
 * A proxy sends nothing to a service that is not ready, and a key that nobody asks for stays lost:
 * so the service itself asks for it. A new generation is looked at once, that its first caller need
 * not wait for logins, and now and then, for a certificate may be renewed where its key is.
 */
static void look_at_keys(struct generations *all, bool is_new)
{
    struct generation *g = generation_enter(all);
    const bool due = is_new || clock_monotonic_ms() - all->looked > REFRESH_MS;

    if (g && (due || keys_count_lost(g->keys))) {
        keys_check(g->keys, g->engine);
        all->looked = clock_monotonic_ms();
    }
    generation_leave(all, g);
}

static void *run_recovery(void *arg)
{
    struct generations *all = arg;

    pthread_mutex_lock(&all->lock);
    while (!all->ending) {
        const struct timespec next = deadline_in(RECOVERY_MS);
        const bool is_new = all->is_new;

        all->is_new = false;
        pthread_mutex_unlock(&all->lock);
        look_at_keys(all, is_new);
        close_unused(all);
        pthread_mutex_lock(&all->lock);
        while (!all->ending && !all->is_new && !all->unused &&
               pthread_cond_clockwait(&all->changed, &all->lock, CLOCK_MONOTONIC, &next) == 0)
            ;
    }
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

se_status generations_new(struct generations **out, struct audit *audit, se_error *err)
{
    struct generations *all = calloc(1, sizeof *all);

    *out = NULL;
    if (!all)
        return error_memory(err);
    all->audit = audit;
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->changed, NULL);
    if (!thread_start(&all->recovery, run_recovery, all)) {
        free(all);
        return error_memory(err);
    }
    *out = all;
    return SE_OK;
}

void generations_free(struct generations *all)
{
    if (!all)
        return;
    pthread_mutex_lock(&all->lock);
    all->ending = true;
    pthread_cond_signal(&all->changed);
    pthread_mutex_unlock(&all->lock);
    (void)pthread_join(all->recovery, NULL);
    generation_leave(all, all->current);
    close_unused(all);
    pthread_cond_destroy(&all->changed);
    pthread_mutex_destroy(&all->lock);
    free(all);
}
