/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/service.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "milter/report.h"
#include "signengine-mail.h"

struct service service;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of service.setup, and its users */

static void setup_free(struct setup *setup)
{
    se_close(&setup->watching);
    (void)audit_close(setup->audit);
    se_close(&setup->engine);
    watch_free(&setup->watch);
    conf_free(&setup->conf);
    free(setup);
}

/* GMime is made ready here, before any mail comes. */
static se_status check_mail(se_error *err)
{
    AUTO(se_buf) address = SE_BUF_INIT;

    return se_mail_address(&address, "\"Postmaster\" <postmaster@localhost>", err);
}

/* Fails now rather than when mail comes, if the CAs of other signers are missing. */
static se_status check_signers(const char *path, se_error *err)
{
    enum { CERTIFICATES_LIMIT = 16 << 20 };
    AUTO(se_buf) text = SE_BUF_INIT;

    if (!path)
        return SE_OK;
    TRY_PREFIX(file_read(&text, path, CERTIFICATES_LIMIT, err), err, "trust-signers: ");
    return strstr((const char *)text.data, "-----BEGIN CERTIFICATE-----")
               ? SE_OK
               : error_set(err, SE_ERR_CONFIG, "trust-signers: '%s' has no certificate in PEM",
                           path);
}

/* They are read for each message that is verified. */
static se_status check_crls(const char *path, se_error *err)
{
    if (!path || access(path, R_OK) == 0)
        return SE_OK;
    return error_set(err, SE_ERR_CONFIG, "crl: cannot read '%s': %s", path, strerror(errno));
}

struct audit *setup_changes(const struct setup *setup)
{
    return setup->conf->audit.count ? setup->audit : NULL;
}

void service_report_refusal(const struct setup *setup, const char *why)
{
    count_reload(false);
    report_change(setup_changes(setup), "reload", "failed", "the configuration stays as it was",
                  why);
}

static void report_version(const struct setup *setup, const se_event *event)
{
    AUTO(writer) what = { 0 };

    writer_format(&what, "descriptor '%s': %s", event->descriptor, se_event_name(event->kind));
    report_event(writer_string(&what), event->text);
    audit_note_event(setup_changes(setup), event, setup->config);
    metrics_touch();
}

static void hear_event(void *arg, const se_event *event)
{
    struct setup *setup = arg;

    if (event->kind == SE_EVENT_VERSION_SWITCHED || event->kind == SE_EVENT_VERSION_LATE) {
        report_version(setup, event);
        return;
    }
    report_note_event(event);
    watch_event(&setup->watch, event);
}

/* Rules are settled by what the engine has, so that all is loaded again, and not only the engine.
 */
static void hear_change(void *arg, const se_event *event)
{
    if (event->kind == SE_EVENT_RELOADED)
        __atomic_store_n(&service.changed, true, __ATOMIC_RELEASE);
    else if (event->kind == SE_EVENT_RELOAD_REFUSED)
        service_report_refusal(arg, event->text);
}

static se_status setup_watch(struct setup *setup, se_error *err)
{
    se_options options = SE_OPTIONS_INIT;
    se_revocation_params revocation;

    options.event = hear_change;
    options.event_arg = setup;
    options.trust_config = setup->conf->trust_config;
    options.config_revocation = conf_config_revocation(&revocation, setup->conf);
    options.watch = true;
    return se_open(&setup->watching, setup->conf->engine, &options, err);
}

static se_status setup_open_engine(struct setup *setup, se_error *err)
{
    se_options options = SE_OPTIONS_INIT;
    se_revocation_params revocation;
    char fingerprint[65];

    options.event = hear_event;
    options.event_arg = setup;
    options.trust_config = setup->conf->trust_config;
    options.config_revocation = conf_config_revocation(&revocation, setup->conf);
    options.follows = service.setup ? service.setup->engine : NULL;
    TRY(se_open(&setup->engine, setup->conf->engine, &options, err));
    TRY(se_fingerprint(fingerprint, setup->engine, err));
    (void)snprintf(setup->config, sizeof setup->config, "%.*s", (int)sizeof setup->config - 1,
                   fingerprint);
    return SE_OK;
}

/* On a thread of the sink. */
static void report_sink(void *arg, const char *sink, const char *why)
{
    AUTO(writer) what = { 0 };

    (void)arg;
    writer_format(&what, "the audit sink '%s' %s", sink, why ? "has failed" : "is back");
    report_event(writer_string(&what), why ? why : "");
}

static se_status setup_open_audit(struct setup *setup, se_error *err)
{
    static const struct audit_sink_options standard = { .kind = AUDIT_STDOUT };
    const struct audit_sinks *sinks = &setup->conf->audit;
    const struct audit_options options = {
        .program = "signengine-milter",
        .sinks = sinks->count ? sinks->list : &standard,
        .sink_count = sinks->count ? sinks->count : 1,
        .history = &history_sink_type,
        .report = report_sink,
    };

    return audit_open(&setup->audit, &options, err);
}

void service_end_audit(void)
{
    if (__atomic_load_n(&service.busy, __ATOMIC_RELAXED))
        return;
    (void)audit_close(service.setup->audit);
    service.setup->audit = NULL;
}

se_status service_watch(se_error *err)
{
    service.watches = true;
    return setup_watch(service.setup, err);
}

void service_end_watch(void)
{
    service.watches = false;
    se_close(&service.setup->watching);
}

static se_status setup_fill(struct setup *setup, se_error *err)
{
    struct conf *conf;

    TRY(conf_load(&setup->conf, service.path, err));
    conf = setup->conf;
    TRY(setup_open_audit(setup, err));
    TRY(check_mail(err));
    TRY(rules_settle(&conf->rules, conf->path, err));
    TRY(check_signers(conf->trust_signers, err));
    TRY(check_crls(conf->crls, err));
    if (service.watches)
        TRY(setup_watch(setup, err));
    TRY(setup_open_engine(setup, err));
    return watch_begin(&setup->watch, conf, setup->engine, err);
}

se_status service_load(se_error *err)
{
    struct setup *fresh = calloc(1, sizeof *fresh), *old;
    se_status st = fresh ? setup_fill(fresh, err) : error_memory(err);

    if (st) {
        if (fresh)
            setup_free(fresh);
        return st;
    }
    fresh->users = 1;
    pthread_mutex_lock(&lock);
    old = service.setup;
    service.setup = fresh;
    pthread_mutex_unlock(&lock);
    if (old)
        count_reload(true);
    else
        metrics_touch();
    service_leave(old);
    return SE_OK;
}

struct setup *service_enter(void)
{
    struct setup *setup;

    pthread_mutex_lock(&lock);
    setup = service.setup;
    setup->users++;
    pthread_mutex_unlock(&lock);
    return setup;
}

/* Closing an engine may wait for a key store, so it happens outside of the lock. */
void service_leave(struct setup *setup)
{
    bool last;

    if (!setup)
        return;
    pthread_mutex_lock(&lock);
    last = --setup->users == 0;
    pthread_mutex_unlock(&lock);
    if (last)
        setup_free(setup);
}

void service_write_metrics(void)
{
    struct setup *setup = service_enter();
    const char *path = setup->conf->metrics;
    AUTO(output) out = OUTPUT_INIT;
    AUTO(writer) w = { 0 };
    se_error err = SE_ERROR_INIT;

    watch_refresh(&setup->watch, setup->engine);
    if (path && metrics_due()) {
        metrics_put(&w);
        watch_put_metrics(&w, &setup->watch);
        if (output_open(&out, path, 0644, &err) || output_write(&out, buf_bytes(&w.buf), &err) ||
            output_commit(&out, &err))
            report_event("the metrics can't be written", err.text);
    }
    service_leave(setup);
}
