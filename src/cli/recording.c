/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recording.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

/* What is the same in all records. The strings are the recording's. */
static struct audit_record record_of(const struct recording *r)
{
    return (struct audit_record){
        .has_uid = true,
        .uid = getuid(),
        .user = r->user,
        .pid = getpid(),
        .operation = r->command,
        .descriptor = r->descriptor,
        .history = r->chain,
        .config = r->config,
    };
}

se_status recording_open(struct recording *r, const char *const *sinks, size_t count, se_error *err)
{
    const struct passwd *user = getpwuid(getuid());
    struct audit_options options = {
        .program = "signengine",
        .history = r->history,
        .report = r->report,
        .report_arg = r->report_arg,
    };

    if (!count)
        return SE_OK;
    for (size_t i = 0; i < count; i++) {
        se_status st = audit_sinks_add(&r->sinks, sinks[i], err);

        if (!st && r->sinks.list[i].kind == AUDIT_STDOUT)
            st = error_set(err, SE_ERR_CONFIG, "standard output is for what the command makes");
        if (st)
            return error_prefix(err, error_restate(err, SE_ERR_USAGE), "option '--audit': ");
    }
    options.sinks = r->sinks.list;
    options.sink_count = r->sinks.count;
    if (user)
        text_copy(r->user, sizeof r->user, user->pw_name, strlen(user->pw_name));
    r->began_us = clock_monotonic_us();
    return audit_open(&r->audit, &options, err);
}

/* ---- records ---- */

/* Uses up the room that was made, and makes some for the next one. */
static void write_record(struct recording *r, const struct audit_record *record)
{
    if (r->ready)
        (void)!audit_write(r->audit, record, &r->failure);
    else {
        (void)error_copy(&r->failure, r->room.status, &r->room);
        audit_note(r->audit, record);
    }
    r->room = (se_error)SE_ERROR_INIT;
    r->ready = !audit_reserve(r->audit, 1, &r->room);
}

se_status recording_begin(struct recording *r, se_engine *engine, se_error *err)
{
    char fingerprint[65];
    struct audit_record asked;

    if (!r->audit)
        return SE_OK;
    TRY(se_fingerprint(fingerprint, engine, err));
    (void)snprintf(r->config, sizeof r->config, "%.*s", (int)sizeof r->config - 1, fingerprint);
    TRY(audit_reserve(r->audit, 1, err));
    r->ready = true;
    if (r->what != RECORDED_CHANGE)
        return SE_OK;
    asked = record_of(r);
    asked.result = "asked";
    write_record(r, &asked);
    if (!r->ready)
        (void)error_copy(&r->failure, r->room.status, &r->room);
    return recording_confirm(r, err);
}

void recording_take_event(struct recording *r, const se_event *event)
{
    struct audit_record record;

    if (!r->audit || event->kind != SE_EVENT_OPERATION)
        return;
    record = record_of(r);
    record.operation = event->operation;
    record.descriptor = event->descriptor;
    record.version = event->version;
    record.key = event->key;
    record.replica = event->replica;
    record.items = event->items;
    record.failed = event->failed;
    record.bytes = event->bytes;
    record.digest = event->digest;
    record.result = se_status_name(event->status);
    record.text = event->text;
    record.duration_us = (int64_t)event->duration_us;
    record.request_sent = event->request_sent;
    record.request_answered = event->request_answered;
    write_record(r, &record);
}

se_status recording_confirm(const struct recording *r, se_error *err)
{
    return r->failure.status ? error_copy(err, r->failure.status, &r->failure) : SE_OK;
}

se_status recording_end(struct recording *r, const char *result, se_error *err)
{
    struct audit_record record;

    if (r->audit && *r->config && r->chain) {
        record = record_of(r);
        record.first = r->first;
        record.items = r->items;
        record.result = result;
        record.duration_us = clock_monotonic_us() - r->began_us;
        write_record(r, &record);
    }
    return recording_confirm(r, err);
}

bool recording_close(struct recording *r)
{
    bool ended;

    if (r->ready)
        audit_release(r->audit, 1);
    ended = audit_close(r->audit);
    audit_sinks_free(&r->sinks);
    *r = (struct recording){ .audit = NULL };
    return ended;
}
