/* SPDX-License-Identifier: Apache-2.0 */
/* Records, to all sinks: in one order, and waited for where a sink is required. */
#include "audit/audit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/sink.h"
#include "base/deadline.h"

enum { SINKS_MOST = 16 };

struct audit {
    const char *program;
    unsigned deadline_ms;
    pid_t process;
    pthread_mutex_t order; /* records have their numbers in the order of the lines */
    struct sink **sinks;
    size_t count;
};

/* Of the process, whatever is opened and closed in it: a gap shows. */
static uint64_t numbers;

/* ---- open and close ---- */

static const struct sink_type *find_type(const struct audit_options *options,
                                         enum audit_sink_kind kind, se_error *err)
{
    const struct sink_type *const types[] = {
        [AUDIT_FILE] = &file_sink_type,     [AUDIT_JOURNAL] = &journal_sink_type,
        [AUDIT_SYSLOG] = &syslog_sink_type, [AUDIT_STDOUT] = &stdout_sink_type,
        [AUDIT_HISTORY] = options->history,
    };

    if (!types[kind])
        (void)error_set(err, SE_ERR_CONFIG,
                        "the audit sink 'history': %s keeps no histories; signengined, "
                        "signengine-milter and `signengine history` do",
                        options->program);
    return types[kind];
}

static se_status open_sinks(struct audit *a, const struct audit_options *options, se_error *err)
{
    for (; a->count < options->sink_count; a->count++) {
        const struct audit_sink_options *sink = &options->sinks[a->count];
        const struct sink_type *type = find_type(options, sink->kind, err);

        if (!type)
            return SE_ERR_CONFIG;
        TRY_PREFIX(sink_open(&a->sinks[a->count], type, sink, options, err), err,
                   "the audit sink '%s': ", type->name);
    }
    return SE_OK;
}

se_status audit_open(struct audit **out, const struct audit_options *options, se_error *err)
{
    AUTO(audit) a = calloc(1, sizeof *a);

    *out = NULL;
    if (options->sink_count > SINKS_MOST)
        return error_set(err, SE_ERR_CONFIG, "%zu audit sinks; there can be %d",
                         options->sink_count, SINKS_MOST);
    if (!a)
        return error_memory(err);
    a->program = options->program;
    a->deadline_ms = options->deadline_ms ? (unsigned)options->deadline_ms : 2000;
    a->process = getpid();
    pthread_mutex_init(&a->order, NULL);
    if (!(a->sinks = calloc(options->sink_count + 1, sizeof(struct sink *))))
        return error_memory(err);
    TRY(open_sinks(a, options, err));
    *out = MOVE(a);
    return SE_OK;
}

bool audit_close(struct audit *a)
{
    bool ended = true;

    if (!a)
        return true;
    /* the threads of a parent are not here */
    for (size_t i = 0; a->process == getpid() && i < a->count; i++)
        ended = sink_close(a->sinks[i]) && ended;
    pthread_mutex_destroy(&a->order);
    free(a->sinks);
    free(a);
    return ended;
}

static se_status check_process(const struct audit *a, se_error *err)
{
    return a->process == getpid()
               ? SE_OK
               : error_set(err, SE_ERR_USAGE, "the audit was opened before a fork: open it again");
}

/* ---- room ---- */

static void release_room(struct audit *a, size_t count, unsigned records)
{
    for (size_t i = 0; i < count; i++)
        if (sink_is_required(a->sinks[i]))
            sink_release(a->sinks[i], records);
}

se_status audit_reserve(struct audit *a, unsigned records, se_error *err)
{
    const struct timespec deadline = deadline_in(a->deadline_ms);

    TRY(check_process(a, err));
    for (size_t i = 0; i < a->count; i++) {
        se_status st = sink_is_required(a->sinks[i])
                           ? sink_reserve(a->sinks[i], records, &deadline, err)
                           : SE_OK;

        if (st) {
            release_room(a, i, records);
            return st;
        }
    }
    return SE_OK;
}

void audit_release(struct audit *a, unsigned records)
{
    if (!check_process(a, NULL))
        release_room(a, a->count, records);
}

void audit_reopen(struct audit *a)
{
    for (size_t i = 0; !check_process(a, NULL) && i < a->count; i++)
        sink_renew(a->sinks[i]);
}

/* ---- records ---- */

static struct sink_line *put_line(struct sink *sink, const struct audit_record *record,
                                  const char *program, const struct writer *json, bool reserved)
{
    const struct sink_type *type = sink_kind(sink);
    AUTO(writer) w = { 0 };

    if (json->failed || !type->format)
        return sink_put(sink, json->failed ? (se_bytes){ NULL, 0 } : buf_bytes(&json->buf),
                        reserved);
    type->format(&w, record, program, writer_string(json));
    return sink_put(sink, w.failed ? (se_bytes){ NULL, 0 } : buf_bytes(&w.buf), reserved);
}

/* lines[i] is what sink_put() of sink i gave. */
static void put_lines(struct sink_line **lines, struct audit *a, const struct audit_record *record,
                      bool reserved)
{
    AUTO(writer) json = { 0 };

    pthread_mutex_lock(&a->order);
    audit_format(&json, record, a->program, __atomic_add_fetch(&numbers, 1, __ATOMIC_RELAXED));
    for (size_t i = 0; i < a->count; i++)
        lines[i] = put_line(a->sinks[i], record, a->program, &json,
                            reserved && sink_is_required(a->sinks[i]));
    pthread_mutex_unlock(&a->order);
}

static se_status write_lines(struct audit *a, const struct audit_record *record, se_error *err)
{
    const struct timespec deadline = deadline_in(a->deadline_ms);
    struct sink_line *lines[SINKS_MOST];
    se_status st = SE_OK;

    put_lines(lines, a, record, true);
    for (size_t i = 0; i < a->count; i++)
        if (st || !sink_is_required(a->sinks[i]))
            sink_forget(a->sinks[i], lines[i]);
        else
            st = sink_wait(a->sinks[i], lines[i], &deadline, err);
    return st;
}

/* Other sinks have a record then of what is not handed out: one more tells that. */
se_status audit_write(struct audit *a, const struct audit_record *record, se_error *err)
{
    struct audit_record unrecorded = *record;
    se_error why = SE_ERROR_INIT;
    se_status st;

    TRY(check_process(a, err));
    st = write_lines(a, record, &why);
    if (!st)
        return SE_OK;
    unrecorded.time_us = 0;
    unrecorded.result = "unrecorded";
    unrecorded.text = why.text;
    audit_note(a, &unrecorded);
    return error_copy(err, st, &why);
}

void audit_note(struct audit *a, const struct audit_record *record)
{
    struct sink_line *lines[SINKS_MOST];

    if (check_process(a, NULL))
        return;
    put_lines(lines, a, record, false);
    for (size_t i = 0; i < a->count; i++)
        sink_forget(a->sinks[i], lines[i]);
}

void audit_note_event(struct audit *a, const se_event *event, const char *config)
{
    const struct audit_record record = {
        .operation = se_event_name(event->kind),
        .descriptor = event->descriptor,
        .version = event->version,
        .key = event->key,
        .result = se_status_name(SE_OK),
        .text = event->text,
        .config = config,
    };

    if (a)
        audit_note(a, &record);
}

size_t audit_counts(struct audit_sink_counts *out, size_t room, struct audit *a)
{
    size_t count = 0;

    for (; count < a->count && count < room; count++)
        out[count] = sink_counts(a->sinks[count]);
    return count;
}

bool audit_can_record(struct audit *a)
{
    bool can = true;

    for (size_t i = 0; i < a->count; i++) {
        const struct audit_sink_counts counts = sink_counts(a->sinks[i]);

        can = can && (counts.up || !counts.required);
    }
    return can;
}
