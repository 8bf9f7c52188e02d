/* SPDX-License-Identifier: Apache-2.0 */
#include "client/call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "client/connection.h"

/* ---- what is sent ---- */

se_status body_read(struct body *out, struct stream *in, se_error *err)
{
    AUTO(se_buf) room = SE_BUF_INIT;
    size_t size = 0, got = 1;

    *out = (struct body){ .rest = NULL };
    TRY(buf_new(&room, BODY_AT_HAND + 1, err));
    while (got && size < room.size) {
        TRY(stream_read(&got, in, room.data + size, room.size - size, err));
        size += got;
    }
    if (size == room.size) {
        out->rest = in;
        out->total = in->source->total;
    }
    return buf_copy(&out->begin, (se_bytes){ room.data, size }, err);
}

void body_free(struct body *body)
{
    se_buf_free(&body->begin);
}

void call_free(struct call *call)
{
    writer_free(&call->target);
}

/* ---- its path and query ---- */

void call_path(struct call *call, const char *format, ...)
{
    char text[200];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    writer_text(&call->target, text);
}

void call_part(struct call *call, const char *part)
{
    writer_text(&call->target, "/");
    writer_percent(&call->target, part);
}

void call_text(struct call *call, const char *name, const char *value)
{
    if (!value)
        return;
    writer_format(&call->target, "%c%s=", call->has_query ? '&' : '?', name);
    writer_percent(&call->target, value);
    call->has_query = true;
}

void call_number(struct call *call, const char *name, uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%ju", (uintmax_t)value);
    call_text(call, name, value ? text : NULL);
}

void call_flag(struct call *call, const char *name, bool value)
{
    call_text(call, name, value ? "true" : NULL);
}

void call_descriptor(struct call *call, const struct client *client, const char *descriptor,
                     const char *what, unsigned version)
{
    call_path(call, "/v1/descriptors");
    call_part(call, descriptor);
    call_path(call, "/%s", what);
    call_number(call, "version", version);
    call_text(call, "tag", client->tag);
}

/* ---- asking, and asking again ---- */

enum { BROKEN_PAUSE_MS = 500, BROKEN_MOST = 3 };

/* What was asked so far. */
struct attempts {
    unsigned count, broken;
    int64_t until_ms;
};

static void sleep_for(int64_t ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    while (nanosleep(&left, &left) && errno == EINTR)
        ;
}

/* How long to wait before it is asked again, in milliseconds; below 0: it is not. A service that
 * was never there is not waited for; one that is started again is. */
static int64_t pause_before_next(struct attempts *a, enum retry retry, const struct answer *answer)
{
    a->broken += retry == RETRY_BROKEN;
    switch (retry) {
    case RETRY_LATER:
        return answer->retry_after > 0 ? answer->retry_after * 1000 : 1000;
    case RETRY_BROKEN:
        return a->broken < BROKEN_MOST ? BROKEN_PAUSE_MS : -1;
    case RETRY_ABSENT:
        return a->count > 1 ? BROKEN_PAUSE_MS : -1;
    case RETRY_NEVER:
        break;
    }
    return -1;
}

static void note_pause(const struct client *client, int64_t ms, const se_error *why)
{
    char text[sizeof why->text + 64];

    if (!client->note)
        return;
    (void)snprintf(text, sizeof text, "%s; asking again in %.1f s", why->text, (double)ms / 1000);
    client->note(client->note_arg, text);
}

static se_status give_up(const struct client *client, int64_t pause, se_error *why, se_error *err)
{
    if (pause >= 1000)
        (void)error_suffix(why, why->status,
                           "; it may be asked again in %jd s, which --timeout, %u s, does not wait "
                           "for",
                           (intmax_t)(pause / 1000), client->timeout_s);
    return error_copy(err, why->status, why);
}

se_status call_run(struct answer *out, struct client *client, const struct call *call,
                   se_error *err)
{
    struct attempts attempts = { .until_ms =
                                     clock_monotonic_ms() + (int64_t)client->timeout_s * 1000 };

    if (call->target.failed)
        return error_memory(err);
    for (;;) {
        se_error why = SE_ERROR_INIT;
        enum retry retry;
        int64_t pause;

        attempts.count++;
        if (!connection_ask(out, &retry, client, call, &why))
            return SE_OK;
        pause = pause_before_next(&attempts, retry, out);
        answer_free(out);
        if (pause < 0 || clock_monotonic_ms() + pause > attempts.until_ms)
            return give_up(client, pause, &why, err);
        note_pause(client, pause, &why);
        sleep_for(pause);
    }
}

se_status call_run_json(json_t **out, struct client *client, const struct call *call, se_error *err)
{
    AUTO(answer) answer = { .retry_after = -1 };

    *out = NULL;
    TRY(call_run(&answer, client, call, err));
    return answer_json(out, &answer, err);
}
