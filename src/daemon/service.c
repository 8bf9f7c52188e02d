/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/service.h"

#include <stdlib.h>

#include "base/clock.h"
#include "daemon/acceptor.h"
#include "daemon/http.h"
#include "daemon/log.h"

enum { LAST_JOBS_MS = 2000 };

/* ---- the configuration ---- */

se_status service_read_settings(struct settings **out, const struct service_files *files,
                                se_error *err)
{
    const char *config = files->config;
    struct settings *s;

    TRY(settings_load(out, files->settings, err));
    s = *out;
    if (!config && !s->config)
        config = SYSCONFDIR "/signengine/engineSignEncrypt.xml";
    if (!config)
        return SE_OK;
    free(s->config);
    if ((s->config = strdup(config)))
        return SE_OK;
    settings_free(out);
    return error_memory(err);
}

se_status service_load(struct service *service, const struct service_files *files, se_error *err)
{
    AUTO(settings) settings = NULL;
    const char *fixed;

    TRY(service_read_settings(&settings, files, err));
    if ((fixed = settings_difference(service->settings, settings)))
        log_line("%s: '%s' has changed, which counts from the next start on", files->settings,
                 fixed);
    return generations_load(service->generations, &settings, err);
}

/* ---- what it says about itself ---- */

const char *service_not_ready(const struct service *service)
{
    struct generation *g;
    unsigned lost;

    if (service_is_draining(service))
        return "the service ends";
    if (!(g = generation_enter(service->generations)))
        return "there is no configuration";
    lost = keys_count_lost(g->keys);
    generation_leave(service->generations, g);
    if (lost)
        return "a key is out of reach";
    return audit_can_record(service->audit) ? NULL : "the audit can't record";
}

void service_note(struct service *service, const char *what, se_status status, const char *text)
{
    struct generation *g = service->generations ? generation_enter(service->generations) : NULL;
    const struct audit_record record = {
        .operation = what,
        .result = se_status_name(status),
        .text = text,
        .config = g ? g->config : "",
    };

    if (service->audit)
        audit_note(service->audit, &record);
    if (g)
        generation_leave(service->generations, g);
}

/* ---- the start ---- */

static void report_sink(void *arg, const char *sink, const char *why)
{
    (void)arg;
    if (why)
        log_line("audit to %s fails: %s", sink, why);
    else
        log_line("audit to %s works again", sink);
}

/* Without settings for it, the service manager keeps what is printed. */
static se_status open_audit(struct service *service, se_error *err)
{
    static const struct audit_sink_options standard_output = { .kind = AUDIT_STDOUT };
    const struct audit_sinks *sinks = &service->settings->audit;
    const struct audit_options options = {
        .program = "signengined",
        .sinks = sinks->count ? sinks->list : &standard_output,
        .sink_count = sinks->count ? sinks->count : 1,
        .history = &history_sink_type,
        .report = report_sink,
    };

    return audit_open(&service->audit, &options, err);
}

/* What is read in pieces needs no more memory than this. The folder is for files that may be large
 * (file-hierarchy(7)). */
enum { STREAM_BEGIN = 1 << 20 };

static struct spool choose_spool(const struct settings *s)
{
    return (struct spool){
        .folder = s->spool ? s->spool : "/var/tmp",
        .memory_each = s->body,
        .memory_all = s->bodies,
        .memory_begin = s->body < STREAM_BEGIN ? s->body : STREAM_BEGIN,
        .disk_each = s->spool_body,
        .disk_all = s->spool_size,
    };
}

static se_status start_connections(struct service *service, struct listeners *listeners,
                                   se_error *err)
{
    const struct settings *s = service->settings;
    const struct connection_limits limits = {
        .connections = s->connections_most,
        .per_user = s->per_user,
        .head_s = s->head_timeout,
        .body_s = s->body_timeout,
        .idle_s = s->idle_timeout,
    };

    TRY(connections_new(&service->connections, &limits, err));
    TRY(http_new(&service->http, service, err));
    return acceptor_new(&service->acceptor, listeners, service->connections, http_take,
                        service->http, err);
}

se_status service_start(struct service *service, const struct settings *settings,
                        const struct service_files *files, struct listeners *listeners,
                        se_error *err)
{
    *service = (struct service){ .settings = settings, .started = clock_seconds() };
    service->spool = choose_spool(settings);
    TRY(spool_check(&service->spool, err));
    TRY(open_audit(service, err));
    TRY(limits_new(&service->limits, err));
    TRY(uses_new(&service->uses, err));
    TRY(generations_new(&service->generations, service->audit, err));
    TRY(service_load(service, files, err));
    TRY(jobs_new(&service->jobs, settings->threads, settings->queue, err));
    TRY(start_connections(service, listeners, err));
    service_note(service, "start", SE_OK, "");
    return SE_OK;
}

/* ---- the end ---- */

void service_drain(struct service *service)
{
    __atomic_store_n(&service->draining, true, __ATOMIC_RELEASE);
    acceptor_refuse(service->acceptor);
}

bool service_is_idle(const struct service *service)
{
    return connections_count(service->connections).busy == 0;
}

/* Whoever may still ask for something ends before what he could ask for; the HTTP library must not
 * end while a connection waits for a job. */
bool service_stop(struct service *service)
{
    if (service->jobs) {
        jobs_hurry(service->jobs);
        if (!jobs_finish(service->jobs, LAST_JOBS_MS))
            return false;
    }
    acceptor_stop(service->acceptor);
    http_free(service->http);
    acceptor_free(service->acceptor);
    jobs_free(service->jobs);
    connections_free(service->connections);
    service_note(service, "stop", SE_OK, "");
    generations_free(service->generations);
    limits_free(service->limits);
    uses_free(service->uses);
    return audit_close(service->audit);
}
