/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/report.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/metric.h"
#include "base/text.h"

enum { REASONS_MOST = 64 };

static const char *const names[OUTCOMES] = {
    [OUTCOME_SIGNED] = "signed",     [OUTCOME_ALREADY] = "already signed",
    [OUTCOME_SKIPPED] = "skipped",   [OUTCOME_UNKNOWN] = "unknown sender",
    [OUTCOME_FOREIGN] = "foreign",   [OUTCOME_UNSIGNED] = "unsigned",
    [OUTCOME_DEFERRED] = "deferred", [OUTCOME_REFUSED] = "refused",
};

/* How often, and why, as far as there is a reason. */
struct reason {
    enum outcome outcome;
    const char *text; /* static */
    uint64_t count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    uint64_t outcomes[OUTCOMES], microseconds, reloads, reload_failures, refused;
    struct reason reasons[REASONS_MOST];
    bool changed; /* since the metrics were written */
} counters;

/* ---- the log ---- */

void report_event(const char *what, const char *why)
{
    char when[TIME_TEXT_ROOM];
    AUTO(se_buf) text = SE_BUF_INIT;
    json_t *line;
    char *dumped;

    if (buf_copy(&text, text_bytes(why), NULL))
        return;
    text_clean((char *)text.data);
    line = json_pack("{s:s, s:s, s:s}", "time", time_format_us(when, clock_microseconds()), "event",
                     what, "reason", (char *)text.data);
    dumped = json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER);
    printf("%s\n", dumped ? dumped : "{}");
    (void)fflush(stdout);
    free(dumped);
    json_decref(line);
}

void report_change(struct audit *audit, const char *operation, const char *result, const char *what,
                   const char *why)
{
    report_event(what, why);
    if (audit)
        audit_note(audit,
                   &(struct audit_record){ .operation = operation, .result = result, .text = why });
}

/* ---- messages ---- */

/* Our texts and statuses are few: no sender decides how many reasons there are. */
static void count_reason(const struct report *a)
{
    const char *text = a->status ? se_status_name(a->status) : a->reason;

    for (size_t i = 0; text && *text && i < REASONS_MOST; i++) {
        struct reason *r = &counters.reasons[i];

        if (r->text && (r->outcome != a->outcome || strcmp(r->text, text) != 0))
            continue;
        *r = (struct reason){ a->outcome, text, r->count + 1 };
        return;
    }
}

/* A message is signed on the thread that reports it. */
static _Thread_local struct {
    char key[256], digest[72], sent[64], answered[64];
    unsigned replica;
    uint64_t bytes;
} used;

void report_note_event(const se_event *event)
{
    if (event->kind != SE_EVENT_OPERATION || strcmp(event->operation, "sign") != 0)
        return;
    text_copy(used.key, sizeof used.key, event->key, strlen(event->key));
    text_copy(used.digest, sizeof used.digest, event->digest, strlen(event->digest));
    text_copy(used.sent, sizeof used.sent, event->request_sent, strlen(event->request_sent));
    text_copy(used.answered, sizeof used.answered, event->request_answered,
              strlen(event->request_answered));
    used.replica = event->replica;
    used.bytes = event->bytes;
}

static void count_message(const struct report *r)
{
    pthread_mutex_lock(&lock);
    counters.outcomes[r->outcome]++;
    counters.microseconds += r->outcome == OUTCOME_SIGNED ? (uint64_t)r->microseconds : 0;
    count_reason(r);
    counters.changed = true;
    pthread_mutex_unlock(&lock);
}

static bool is_failure(enum outcome outcome)
{
    return outcome == OUTCOME_UNSIGNED || outcome == OUTCOME_DEFERRED || outcome == OUTCOME_REFUSED;
}

void report_message(struct audit *audit, struct report *r, se_error *err)
{
    const struct audit_record record = {
        .operation = "mail sign",
        .descriptor = r->descriptor,
        .version = r->version,
        .key = used.key,
        .replica = used.replica,
        .items = 1,
        .failed = is_failure(r->outcome),
        .bytes = used.bytes,
        .digest = used.digest,
        .result = names[r->outcome],
        .text = r->reason,
        .duration_us = r->microseconds,
        .request_sent = used.sent,
        .request_answered = used.answered,
        .config = r->config,
        .queue_id = r->queue_id,
        .client = r->client,
        .sender = r->sender,
    };

    if (!r->reserved)
        audit_note(audit, &record);
    else if (audit_write(audit, &record, err)) {
        r->outcome = OUTCOME_DEFERRED;
        r->reason = err->text;
        r->status = err->status;
    }
    count_message(r);
    memset(&used, 0, sizeof used);
}

/* ---- counters ---- */

static void count_up(uint64_t *counter)
{
    pthread_mutex_lock(&lock);
    ++*counter;
    counters.changed = true;
    pthread_mutex_unlock(&lock);
}

void count_reload(bool done)
{
    count_up(done ? &counters.reloads : &counters.reload_failures);
}

void count_refused(void)
{
    count_up(&counters.refused);
}

void metrics_touch(void)
{
    pthread_mutex_lock(&lock);
    counters.changed = true;
    pthread_mutex_unlock(&lock);
}

bool metrics_due(void)
{
    bool due;

    pthread_mutex_lock(&lock);
    due = counters.changed;
    counters.changed = false;
    pthread_mutex_unlock(&lock);
    return due;
}

/* ---- the metrics ---- */

static const struct metric messages_metric = { .name = "signengine_milter_messages_total",
                                               .type = "counter",
                                               .help = "Messages, by what became of them.",
                                               .labels = { "result" } };
static const struct metric reasons_metric = {
    .name = "signengine_milter_reasons_total",
    .type = "counter",
    .help = "Messages with a reason, by what became of them and why.",
    .labels = { "result", "reason" },
};
static const struct metric sign_metric = { .name = "signengine_milter_sign_seconds",
                                           .type = "summary",
                                           .help = "Time that signing took." };
static const struct metric reloads_metric = { .name = "signengine_milter_reloads_total",
                                              .type = "counter",
                                              .help = "Configurations loaded since the start.",
                                              .labels = { "result" } };
static const struct metric refused_metric = { .name = "signengine_milter_connections_refused_total",
                                              .type = "counter",
                                              .help = "Connections of those who are no peers." };

static void put_messages(struct writer *w)
{
    metric_begin(w, &messages_metric);
    for (size_t i = 0; i < OUTCOMES; i++)
        metric_put(w, &messages_metric, &names[i], (double)counters.outcomes[i]);
    metric_begin(w, &reasons_metric);
    for (size_t i = 0; i < REASONS_MOST && counters.reasons[i].text; i++) {
        const struct reason *r = &counters.reasons[i];

        metric_put(w, &reasons_metric, (const char *const[]){ names[r->outcome], r->text },
                   (double)r->count);
    }
    metric_begin(w, &sign_metric);
    metric_put_sum(w, &sign_metric, NULL, (double)counters.microseconds / 1e6,
                   counters.outcomes[OUTCOME_SIGNED]);
}

void metrics_put(struct writer *w)
{
    pthread_mutex_lock(&lock);
    put_messages(w);
    metric_begin(w, &reloads_metric);
    metric_put(w, &reloads_metric, (const char *const[]){ "done" }, (double)counters.reloads);
    metric_put(w, &reloads_metric, (const char *const[]){ "failed" },
               (double)counters.reload_failures);
    metric_begin(w, &refused_metric);
    metric_put(w, &refused_metric, NULL, (double)counters.refused);
    pthread_mutex_unlock(&lock);
}
