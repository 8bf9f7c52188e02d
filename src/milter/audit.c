/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { HOUR = 3600, REASONS_MOST = 64 };

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

static int open_log(const char *path)
{
    return path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640) : STDOUT_FILENO;
}

se_status audit_check(const char *path, se_error *err)
{
    int fd = open_log(path);

    if (fd < 0)
        return error_set(err, SE_ERR_CONFIG, "cannot write the audit log '%s': %s", path,
                         strerror(errno));
    if (fd > STDERR_FILENO)
        close(fd);
    return SE_OK;
}

static json_t *audit_text(const char *value)
{
    json_t *json = value ? json_string(value) : NULL;

    return json ? json : json_string(value ? "(not UTF-8)" : "");
}

static void write_line(const char *path, json_t *line)
{
    char *dumped = json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    AUTO(writer) w = { 0 };
    int fd = open_log(path);

    writer_text(&w, dumped ? dumped : "{}");
    writer_text(&w, "\n");
    if (write_all(fd >= 0 ? fd : STDOUT_FILENO, w.buf.data, w.buf.size))
        (void)fprintf(stderr, "signengine-milter: cannot write the audit log: %s\n",
                      strerror(errno));
    if (fd > STDERR_FILENO)
        close(fd);
    free(dumped);
    json_decref(line);
}

/* Our texts and statuses are few: no sender decides how many reasons there are. */
static void count_reason(const struct audit *a)
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

/* A message is signed on the thread that writes its line. */
static _Thread_local struct {
    char sent[64], answered[64];
} request;

void audit_note_request(const char *sent, const char *answered)
{
    (void)snprintf(request.sent, sizeof request.sent, "%s", sent);
    (void)snprintf(request.answered, sizeof request.answered, "%s", answered);
}

static void add_request(json_t *line)
{
    if (line && *request.sent)
        (void)json_object_update_new(line, json_pack("{s:o, s:o}", "requestSent",
                                                     audit_text(request.sent), "requestAnswered",
                                                     audit_text(request.answered)));
    *request.sent = *request.answered = '\0';
}

void audit_message(const char *path, const struct audit *a)
{
    char when[TIME_TEXT_ROOM];
    json_t *line;

    pthread_mutex_lock(&lock);
    counters.outcomes[a->outcome]++;
    counters.microseconds += a->outcome == OUTCOME_SIGNED ? (uint64_t)a->microseconds : 0;
    count_reason(a);
    counters.changed = true;
    pthread_mutex_unlock(&lock);
    line = json_pack("{s:s, s:o, s:o, s:o, s:o, s:i, s:s, s:o, s:f}", "time",
                     time_format_us(when, clock_microseconds()), "queueId", audit_text(a->queue_id),
                     "client", audit_text(a->client), "sender", audit_text(a->sender), "descriptor",
                     audit_text(a->descriptor), "version", (int)a->version, "result",
                     names[a->outcome], "reason", audit_text(a->reason), "ms",
                     (double)a->microseconds / 1000);
    add_request(line);
    write_line(path, line);
}

void audit_event(const char *what, const char *why)
{
    char when[TIME_TEXT_ROOM];

    write_line(NULL,
               json_pack("{s:s, s:s, s:o}", "time", time_format_us(when, clock_microseconds()),
                         "event", what, "reason", audit_text(why)));
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
    static int64_t written;
    const int64_t now = clock_seconds();
    bool due;

    pthread_mutex_lock(&lock);
    due = counters.changed || now - written >= HOUR;
    written = due ? now : written;
    counters.changed = false;
    pthread_mutex_unlock(&lock);
    return due;
}

static void put_head(struct writer *w, const char *name, const char *type, const char *help)
{
    writer_format(w, "# HELP signengine_milter_%s %s\n# TYPE signengine_milter_%s %s\n", name, help,
                  name, type);
}

void metrics_put(struct writer *w)
{
    pthread_mutex_lock(&lock);
    put_head(w, "messages_total", "counter", "Messages, by what became of them.");
    for (size_t i = 0; i < OUTCOMES; i++)
        writer_format(w, "signengine_milter_messages_total{result=\"%s\"} %" PRIu64 "\n", names[i],
                      counters.outcomes[i]);
    put_head(w, "reasons_total", "counter",
             "Messages with a reason, by what became of them and why.");
    for (size_t i = 0; i < REASONS_MOST && counters.reasons[i].text; i++)
        writer_format(w,
                      "signengine_milter_reasons_total{result=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
                      names[counters.reasons[i].outcome], counters.reasons[i].text,
                      counters.reasons[i].count);
    put_head(w, "sign_seconds", "summary", "Time that signing took.");
    writer_format(
        w,
        "signengine_milter_sign_seconds_sum %.6f\nsignengine_milter_sign_seconds_count %" PRIu64
        "\n",
        (double)counters.microseconds / 1e6, counters.outcomes[OUTCOME_SIGNED]);
    put_head(w, "reloads_total", "counter", "Configurations loaded since the start.");
    writer_format(w,
                  "signengine_milter_reloads_total{result=\"done\"} %" PRIu64
                  "\nsignengine_milter_reloads_total{result=\"failed\"} %" PRIu64 "\n",
                  counters.reloads, counters.reload_failures);
    put_head(w, "connections_refused_total", "counter", "Connections of those who are no peers.");
    writer_format(w, "signengine_milter_connections_refused_total %" PRIu64 "\n", counters.refused);
    pthread_mutex_unlock(&lock);
}
