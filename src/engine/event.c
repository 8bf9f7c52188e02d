/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/event.h"

static const char *const event_names[] = {
    [SE_EVENT_OPERATION] = "operation",
    [SE_EVENT_KEY_LOST] = "lost",
    [SE_EVENT_KEY_HEALED] = "healed",
    [SE_EVENT_KEY_RENEWED] = "renewed",
    [SE_EVENT_FAILED_OVER] = "failed over",
    [SE_EVENT_FAILED_BACK] = "failed back",
    [SE_EVENT_KEY_SLOWED] = "slowed",
    [SE_EVENT_RELOADED] = "reloaded",
    [SE_EVENT_RELOAD_REFUSED] = "reload refused",
    [SE_EVENT_VERSION_SWITCHED] = "version switched",
    [SE_EVENT_VERSION_LATE] = "version late",
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

static se_event describe_event(se_event_kind kind, se_status status, const char *text)
{
    return (se_event){
        .kind = kind,
        .key = "",
        .status = status,
        .text = text,
        .operation = "",
        .descriptor = "",
        .request_sent = "",
        .request_answered = "",
        .digest = "",
        .tag = "",
    };
}

void events_report(const struct events *events, se_event_kind kind, se_status status,
                   const char *text)
{
    const se_event event = describe_event(kind, status, text);

    if (events->fn)
        events->fn(events->arg, &event);
}

void events_report_version(const struct events *events, se_event_kind kind,
                           const struct descriptor *descriptor, const char *text)
{
    se_event event = describe_event(kind, SE_OK, text);

    event.key = descriptor->key->name;
    event.descriptor = descriptor->name;
    event.version = descriptor->version;
    if (events->fn)
        events->fn(events->arg, &event);
}

void reporter_report(const struct reporter *reporter, se_event_kind kind, se_status status,
                     const char *text)
{
    se_event event = describe_event(kind, status, text);

    event.key = reporter->entry->name;
    event.replica = reporter->replica;
    if (reporter->events->fn)
        reporter->events->fn(reporter->events->arg, &event);
}
