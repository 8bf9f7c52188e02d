/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/event.h"

#include "base/clock.h"
#include "base/error.h"
#include "crypto/provider_keymgmt.h"

static const char *const event_names[] = {
    [SE_EVENT_OPERATION] = "operation",     [SE_EVENT_KEY_LOST] = "lost",
    [SE_EVENT_KEY_HEALED] = "healed",       [SE_EVENT_KEY_RENEWED] = "renewed",
    [SE_EVENT_FAILED_OVER] = "failed over", [SE_EVENT_FAILED_BACK] = "failed back",
    [SE_EVENT_KEY_SLOWED] = "slowed",
};

const char *se_event_name(se_event_kind kind)
{
    size_t i = (size_t)kind;

    return i < sizeof event_names / sizeof *event_names ? event_names[i] : "unknown";
}

static void reporter_key_changed(void *arg, enum key_change change, const char *text)
{
    static const se_event_kind kinds[] = {
        [KEY_LOST] = SE_EVENT_KEY_LOST,
        [KEY_HEALED] = SE_EVENT_KEY_HEALED,
        [KEY_RENEWED] = SE_EVENT_KEY_RENEWED,
        [KEY_SLOWED] = SE_EVENT_KEY_SLOWED,
    };

    reporter_report(arg, kinds[change], change == KEY_LOST ? SE_ERR_UNAVAILABLE : SE_OK, text);
}

void reporter_init(struct reporter *reporter, const struct events *events,
                   const struct key_entry *entry, size_t index)
{
    *reporter = (struct reporter){
        .watch = { reporter_key_changed, reporter },
        .events = events,
        .entry = entry,
        .replica = (unsigned)index + 1,
    };
}

void reporter_report(const struct reporter *reporter, se_event_kind kind, se_status status,
                     const char *text)
{
    const se_event event = {
        .kind = kind,
        .key = reporter->entry->name,
        .replica = reporter->replica,
        .status = status,
        .text = text,
        .operation = "",
        .descriptor = "",
        .request_sent = "",
        .request_answered = "",
    };

    if (reporter->events->fn)
        reporter->events->fn(reporter->events->arg, &event);
}

void api_call_begin(struct api_call *call, const struct events *events, const char *operation,
                    const char *descriptor)
{
    remote_forget_request();
    *call = (struct api_call){
        .events = events,
        .event = { .kind = SE_EVENT_OPERATION,
                   .key = "",
                   .operation = operation,
                   .descriptor = descriptor },
        .error = SE_ERROR_INIT,
        .started = events->fn ? clock_monotonic_us() : 0,
    };
}

void api_call_use(struct api_call *call, const struct descriptor *descriptor)
{
    call->event.version = descriptor->version;
    call->event.key = descriptor->key->name;
}

se_status api_call_end(struct api_call *call, se_status status, se_error *err)
{
    call->event.status = status;
    call->event.text = call->error.text;
    call->event.request_sent = remote_request()->sent;
    call->event.request_answered = remote_request()->answered;
    call->event.duration_us =
        call->events->fn ? (uint64_t)(clock_monotonic_us() - call->started) : 0;
    if (call->events->fn)
        call->events->fn(call->events->arg, &call->event);
    return status ? error_copy(err, status, &call->error) : SE_OK;
}
