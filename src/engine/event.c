#include "engine/event.h"

#include <time.h>

static const char *const names[] = {
    [SE_EVENT_OPERATION] = "operation",     [SE_EVENT_KEY_LOST] = "lost",
    [SE_EVENT_KEY_HEALED] = "healed",       [SE_EVENT_KEY_RENEWED] = "renewed",
    [SE_EVENT_FAILED_OVER] = "failed over", [SE_EVENT_FAILED_BACK] = "failed back",
};

const char *se_event_name(se_event_kind kind)
{
    size_t i = (size_t)kind;

    return i < sizeof names / sizeof *names ? names[i] : "unknown";
}

static void watched(void *arg, enum key_change change, const char *text)
{
    static const se_event_kind kinds[] = {
        [KEY_LOST] = SE_EVENT_KEY_LOST,
        [KEY_HEALED] = SE_EVENT_KEY_HEALED,
        [KEY_RENEWED] = SE_EVENT_KEY_RENEWED,
    };

    reporter_tell(arg, kinds[change], change == KEY_LOST ? SE_ERR_UNAVAILABLE : SE_OK, text);
}

void reporter_set(struct reporter *reporter, const struct events *events,
                  const struct key_entry *entry, size_t index)
{
    *reporter = (struct reporter){ { watched, reporter }, events, entry, (unsigned)index + 1 };
}

void reporter_tell(const struct reporter *reporter, se_event_kind kind, se_status status,
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
    };

    if (reporter->events->fn)
        reporter->events->fn(reporter->events->arg, &event);
}

static int64_t microseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void operation_begin(struct operation *op, const struct events *events, const char *name,
                     const char *descriptor)
{
    *op = (struct operation){
        .events = events,
        .event = { .kind = SE_EVENT_OPERATION,
                   .key = "",
                   .operation = name,
                   .descriptor = descriptor },
        .error = SE_ERROR_INIT,
        .started = events->fn ? microseconds() : 0,
    };
}

void operation_on(struct operation *op, const struct descriptor *descriptor)
{
    op->event.version = descriptor->version;
    op->event.key = descriptor->key->name;
}

se_status operation_end(struct operation *op, se_status status, se_error *err)
{
    op->event.status = status;
    op->event.text = op->error.text;
    op->event.duration_us = op->events->fn ? (uint64_t)(microseconds() - op->started) : 0;
    if (op->events->fn)
        op->events->fn(op->events->arg, &op->event);
    return status ? error_set_at(err, status, op->error.file, op->error.line, "%s", op->error.text)
                  : SE_OK;
}
