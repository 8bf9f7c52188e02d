/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/metrics.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "base/metric.h"
#include "base/process.h"

enum { SINKS_SHOWN = 16 };

/* What is told is read once, so that numbers fit to each other. */
struct page {
    struct writer *w;
    const struct service *service;
    const struct generation *generation;
    const struct metric *metric; /* that is being written */
    struct job_counts jobs;
    struct connection_counts connections;
    struct audit_sink_counts sinks[SINKS_SHOWN];
    size_t sink_count;
};

typedef const char *const label_values[];

static void put_value(const struct page *page, const char *const *labels, double value)
{
    metric_put(page->w, page->metric, labels, value);
}

static uint64_t read_counter(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* ---- uses ---- */

/* Several kinds of failures have one name. */
static uint64_t sum_named(const struct use_counts *u, enum failure_kind kind)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < FAILURE_KINDS; i++)
        if (strcmp(failure_name(i), failure_name(kind)) != 0)
            continue;
        else if (i < kind)
            return 0; /* it is told already */
        else
            sum += u->kinds[i];
    return sum;
}

static void put_results(void *arg, const struct use_counts *u)
{
    for (unsigned kind = 0; kind < FAILURE_KINDS; kind++) {
        const uint64_t sum = sum_named(u, kind);

        if (sum)
            put_value(arg,
                      (label_values){ u->descriptor, u->history, u->operation, failure_name(kind) },
                      (double)sum);
    }
}

static void put_items(void *arg, const struct use_counts *u)
{
    put_value(arg, (label_values){ u->descriptor, u->history, u->operation, "ok" },
              (double)(u->items - u->failed));
    put_value(arg, (label_values){ u->descriptor, u->history, u->operation, "failed" },
              (double)u->failed);
}

static void put_bytes(void *arg, const struct use_counts *u)
{
    put_value(arg, (label_values){ u->descriptor, u->history, u->operation }, (double)u->bytes);
}

static void put_durations(void *arg, const struct use_counts *u)
{
    const struct page *page = arg;
    const struct metric_buckets buckets = {
        .bounds = use_bounds,
        .values = u->durations,
        .count = USE_BOUNDS,
        .sum = (double)u->duration_us / 1e6,
    };

    metric_put_histogram(page->w, page->metric,
                         (label_values){ u->descriptor, u->history, u->operation }, &buckets);
}

static void put_uses(struct page *page)
{
    uses_list(page->service->uses, put_results, page);
}

static void put_use_items(struct page *page)
{
    uses_list(page->service->uses, put_items, page);
}

static void put_use_bytes(struct page *page)
{
    uses_list(page->service->uses, put_bytes, page);
}

static void put_use_durations(struct page *page)
{
    uses_list(page->service->uses, put_durations, page);
}

/* ---- requests, connections, jobs ---- */

static void put_answers(struct page *page)
{
    for (unsigned code = 0; code < HTTP_STATUSES; code++) {
        const uint64_t count = read_counter(&page->service->counters.answers[code]);
        char text[8];

        (void)snprintf(text, sizeof text, "%u", code);
        if (count)
            put_value(page, (label_values){ text }, (double)count);
    }
}

static void put_refusals(struct page *page)
{
    put_value(page, NULL, (double)read_counter(&page->service->counters.refusals));
}

static void put_throttled(struct page *page)
{
    put_value(page, NULL, (double)read_counter(&page->service->counters.throttled));
}

static void put_connections(struct page *page)
{
    for (unsigned kind = 0; kind < LISTENER_KINDS; kind++)
        put_value(page, (label_values){ listener_name(kind) }, page->connections.of[kind]);
}

static void put_connection_limit(struct page *page)
{
    put_value(page, NULL, page->service->settings->connections);
}

static void put_strangers(struct page *page)
{
    put_value(page, NULL, (double)read_counter(&page->service->counters.strangers));
}

static void put_body_bytes(struct page *page)
{
    put_value(page, NULL, (double)read_counter(&page->service->spool.memory));
}

static void put_spool_bytes(struct page *page)
{
    put_value(page, NULL, (double)read_counter(&page->service->spool.disk));
}

static void put_spool_limit(struct page *page)
{
    put_value(page, NULL, (double)page->service->spool.disk_all);
}

/* ---- keys and certificates ---- */

static void put_key_state(const struct page *page, const struct key_state *key, const char *event,
                          double value)
{
    char replica[16];

    (void)snprintf(replica, sizeof replica, "%u", key->replica);
    put_value(page, (label_values){ key->name, replica, event }, value);
}

static void put_up(void *arg, const struct key_state *key)
{
    put_key_state(arg, key, NULL, key->up);
}

static void put_avoided(void *arg, const struct key_state *key)
{
    put_key_state(arg, key, NULL, key->avoided);
}

static void put_sessions(void *arg, const struct key_state *key)
{
    put_key_state(arg, key, NULL, key->sessions);
}

static void put_events(void *arg, const struct key_state *key)
{
    for (unsigned kind = SE_EVENT_OPERATION + 1; kind < KEY_EVENTS; kind++)
        put_key_state(arg, key, se_event_name(kind), (double)key->events[kind]);
}

static void put_not_after(void *arg, const struct certificate_state *certificate)
{
    char version[16];

    (void)snprintf(version, sizeof version, "%u", certificate->version);
    put_value(arg, (label_values){ certificate->descriptor, version },
              (double)certificate->not_after);
}

static void put_keys_up(struct page *page)
{
    keys_list(page->generation->keys, put_up, page);
}

static void put_breakers(struct page *page)
{
    keys_list(page->generation->keys, put_avoided, page);
}

static void put_key_sessions(struct page *page)
{
    keys_list(page->generation->keys, put_sessions, page);
}

static void put_key_events(struct page *page)
{
    keys_list(page->generation->keys, put_events, page);
}

static void put_certificates(struct page *page)
{
    keys_list_certificates(page->generation->keys, put_not_after, page);
}

static void put_current_version(void *arg, const struct current_state *current)
{
    put_value(arg, (label_values){ current->descriptor }, current->version);
}

static void put_current_versions(struct page *page)
{
    keys_list_current(page->generation->keys, put_current_version, page);
}

/* ---- audit ---- */

/* Two sinks may be of one kind; what else tells them apart may be secret. */
static void put_sink(const struct page *page, size_t at, double value)
{
    char number[24];

    (void)snprintf(number, sizeof number, "%zu", at + 1);
    put_value(page, (label_values){ page->sinks[at].name, number }, value);
}

static void put_audit_records(struct page *page)
{
    for (size_t i = 0; i < page->sink_count; i++)
        put_sink(page, i, (double)page->sinks[i].records);
}

static void put_audit_failures(struct page *page)
{
    for (size_t i = 0; i < page->sink_count; i++)
        put_sink(page, i, (double)page->sinks[i].failures);
}

static void put_audit_queue(struct page *page)
{
    for (size_t i = 0; i < page->sink_count; i++)
        put_sink(page, i, (double)page->sinks[i].queued);
}

static void put_audit_up(struct page *page)
{
    for (size_t i = 0; i < page->sink_count; i++)
        put_sink(page, i, page->sinks[i].up);
}

/* ---- the service ---- */

static void put_build(struct page *page)
{
    put_value(page, (label_values){ PACKAGE_VERSION, page->generation->config }, 1);
}

static void put_ready(struct page *page)
{
    put_value(page, NULL, !service_not_ready(page->service));
}

static void put_reloads(struct page *page)
{
    const struct counters *c = &page->service->counters;

    put_value(page, (label_values){ "done" }, (double)read_counter(&c->reloads));
    put_value(page, (label_values){ "failed" }, (double)read_counter(&c->reload_failures));
}

/* ---- the process, as Prometheus' own libraries show it ---- */

static void put_cpu(struct page *page)
{
    struct timespec used = { 0 };

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    put_value(page, NULL, (double)used.tv_sec + (double)used.tv_nsec / 1e9);
}

static void put_resident(struct page *page)
{
    put_value(page, NULL, (double)process_memory(true));
}

static void put_virtual(struct page *page)
{
    put_value(page, NULL, (double)process_memory(false));
}

static void put_open_files(struct page *page)
{
    put_value(page, NULL, process_count_files());
}

static void put_most_files(struct page *page)
{
    struct rlimit limit = { 0 };

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    put_value(page, NULL, (double)limit.rlim_cur);
}

static void put_start(struct page *page)
{
    put_value(page, NULL, (double)page->service->started);
}

/* ---- all of them ---- */

#define USE_LABELS "descriptor", "history", "operation"

#define COUNTED(member) offsetof(struct page, member)

static const struct {
    struct metric metric;
    void (*put)(struct page *page);
    size_t counted; /* without `put`: an unsigned of the page */
} metrics[] = {
    { { "signengine_build_info",
        "gauge",
        "Version, and the fingerprint of the configuration.",
        { "version", "config" } },
      .put = put_build },
    { { "signengine_ready", "gauge", "Whether /health/ready says so.", { NULL } },
      .put = put_ready },
    { { "signengine_operations_total",
        "counter",
        "Operations by result; refused ones name nothing that they asked for.",
        { USE_LABELS, "result" } },
      .put = put_uses },
    { { "signengine_items_total",
        "counter",
        "Items of operations: a batch has several.",
        { USE_LABELS, "result" } },
      .put = put_use_items },
    { { "signengine_operation_bytes_total", "counter", "Bytes of their bodies.", { USE_LABELS } },
      .put = put_use_bytes },
    { { "signengine_operation_duration_seconds",
        "histogram",
        "From the beginning of the work to the record of it.",
        { USE_LABELS } },
      .put = put_use_durations },
    { { "signengine_refusals_total", "counter", "Requests that no row allows.", { NULL } },
      .put = put_refusals },
    { { "signengine_throttled_total", "counter", "Requests beyond the limit of a row.", { NULL } },
      .put = put_throttled },
    { { "signengine_requests_total", "counter", "Answers by the status of HTTP.", { "code" } },
      .put = put_answers },
    { { "signengine_late_requests_total",
        "counter",
        "Requests that did not come in due time.",
        { NULL } },
      .counted = COUNTED(connections.late) },
    { { "signengine_key_up",
        "gauge",
        "Whether a key is in reach, as far as its last use told.",
        { "key", "replica" } },
      .put = put_keys_up },
    { { "signengine_key_breaker_open",
        "gauge",
        "Whether a replica is left alone, but for a look now and then.",
        { "key", "replica" } },
      .put = put_breakers },
    { { "signengine_key_sessions",
        "gauge",
        "Sessions on its token after its last use, for all keys there.",
        { "key", "replica" } },
      .put = put_key_sessions },
    { { "signengine_key_events_total",
        "counter",
        "What happened to a key since the configuration was loaded.",
        { "key", "replica", "event" } },
      .put = put_key_events },
    { { "signengine_certificate_expiry_timestamp_seconds",
        "gauge",
        "When the certificate of a descriptor ends.",
        { "descriptor", "version" } },
      .put = put_certificates },
    { { "signengine_current_version", "gauge", "Which one signs, or encrypts.", { "descriptor" } },
      .put = put_current_versions },
    { { "signengine_queue_jobs", "gauge", "Jobs that wait for a worker.", { NULL } },
      .counted = COUNTED(jobs.waiting) },
    { { "signengine_queue_limit", "gauge", "How many may wait.", { NULL } },
      .counted = COUNTED(jobs.most) },
    { { "signengine_workers", "gauge", "Threads that work on jobs.", { NULL } },
      .counted = COUNTED(jobs.threads) },
    { { "signengine_workers_busy", "gauge", "Those of them that have one.", { NULL } },
      .counted = COUNTED(jobs.running) },
    { { "signengine_connections", "gauge", "Connections that are open.", { "listener" } },
      .put = put_connections },
    { { "signengine_connections_busy",
        "gauge",
        "Those of them with a request under way.",
        { NULL } },
      .counted = COUNTED(connections.busy) },
    { { "signengine_connections_limit", "gauge", "How many there may be.", { NULL } },
      .put = put_connection_limit },
    { { "signengine_connections_refused_total",
        "counter",
        "Connections beyond that, or a user's.",
        { NULL } },
      .counted = COUNTED(connections.refused) },
    { { "signengine_strangers_total",
        "counter",
        "Callers of a network without a certificate that counts.",
        { NULL } },
      .put = put_strangers },
    { { "signengine_body_bytes", "gauge", "Bytes of all bodies that are in memory.", { NULL } },
      .put = put_body_bytes },
    { { "signengine_spool_bytes",
        "gauge",
        "Bytes of bodies in the spool, or for which it has room.",
        { NULL } },
      .put = put_spool_bytes },
    { { "signengine_spool_limit_bytes", "gauge", "How many there may be.", { NULL } },
      .put = put_spool_limit },
    { { "signengine_audit_records_total",
        "counter",
        "Records that a sink took.",
        { "sink", "number" } },
      .put = put_audit_records },
    { { "signengine_audit_failures_total",
        "counter",
        "Records that a sink did not take.",
        { "sink", "number" } },
      .put = put_audit_failures },
    { { "signengine_audit_queue_records",
        "gauge",
        "Records that wait for a sink.",
        { "sink", "number" } },
      .put = put_audit_queue },
    { { "signengine_audit_sink_up",
        "gauge",
        "Whether it took the last one.",
        { "sink", "number" } },
      .put = put_audit_up },
    { { "signengine_config_reloads_total",
        "counter",
        "Configurations loaded again.",
        { "result" } },
      .put = put_reloads },
    { { "process_cpu_seconds_total", "counter", "Processor time.", { NULL } }, .put = put_cpu },
    { { "process_resident_memory_bytes", "gauge", "Memory in use.", { NULL } },
      .put = put_resident },
    { { "process_virtual_memory_bytes", "gauge", "Memory in reach.", { NULL } },
      .put = put_virtual },
    { { "process_open_fds", "gauge", "Files and sockets that are open.", { NULL } },
      .put = put_open_files },
    { { "process_max_fds", "gauge", "How many there may be.", { NULL } }, .put = put_most_files },
    { { "process_start_time_seconds", "gauge", "When it began.", { NULL } }, .put = put_start },
};

void metrics_write(struct writer *w, const struct service *service,
                   const struct generation *generation)
{
    struct page page = { .w = w, .service = service, .generation = generation };

    page.jobs = jobs_count(service->jobs);
    page.connections = connections_count(service->connections);
    page.sink_count = audit_counts(page.sinks, SINKS_SHOWN, service->audit);
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        page.metric = &metrics[i].metric;
        metric_begin(w, page.metric);
        if (metrics[i].put)
            metrics[i].put(&page);
        else
            put_value(&page, NULL, *(const unsigned *)((const char *)&page + metrics[i].counted));
    }
}
