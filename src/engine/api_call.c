/* SPDX-License-Identifier: Apache-2.0 */
/* A call of the application: the engine that it has, and what is told of it when it ends. */
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "engine/engine.h"

static _Thread_local struct api_call *entered;

struct key_use key_use_of(const struct descriptor *descriptor, const struct key *key)
{
    const struct remote_trace *trace = remote_trace();

    return (struct key_use){
        .key = descriptor->key->name,
        .version = descriptor->version,
        .replica = trace->replica ? trace->replica
                   : key          ? key->replica
                                  : 0,
        .trace = *trace,
    };
}

void api_call_begin(struct api_call *call, se_engine *engine, const char *operation,
                    const char *descriptor)
{
    struct engine *now = engine_enter(engine);

    remote_trace_forget();
    *call = (struct api_call){
        .engine = now,
        .whole = entered,
        .event = { .kind = SE_EVENT_OPERATION,
                   .operation = operation,
                   .descriptor = descriptor,
                   .items = 1,
                   .tag = "" },
        .error = SE_ERROR_INIT,
        .started = now->events.fn ? clock_monotonic_us() : 0,
    };
}

enum { TAG_MOST = 64 };

static bool is_tag(const char *tag)
{
    const size_t size = strnlen(tag, TAG_MOST + 1);

    return size <= TAG_MOST && text_is_visible(tag, size);
}

se_status api_call_tag(struct api_call *call, const char *tag)
{
    if (!tag)
        return SE_OK;
    if (!is_tag(tag))
        return error_set(&call->error, SE_ERR_USAGE,
                         "a tag has up to %d visible characters of ASCII, and no blanks", TAG_MOST);
    call->event.tag = tag;
    return SE_OK;
}

void api_call_use(struct api_call *call, const struct key_use *use)
{
    struct key_use *all = &call->use;
    struct remote_trace last = *use->trace.sent ? use->trace : all->trace;

    if (!use->key)
        return;
    if (!all->key)
        *all = *use;
    if (strcmp(all->key, use->key) != 0)
        all->key = "";
    if (all->version != use->version)
        all->version = 0;
    if (all->replica != use->replica)
        all->replica = 0;
    last.sessions = use->trace.sessions ? use->trace.sessions : all->trace.sessions;
    all->trace = last;
}

static void digest_join(struct api_call *call, const char *digest)
{
    if (!*call->digest && !call->digests_differ)
        (void)snprintf(call->digest, sizeof call->digest, "%s", digest);
    call->digests_differ |= strcmp(call->digest, digest) != 0;
    if (call->digests_differ)
        *call->digest = '\0';
}

void api_call_digest(struct api_call *call, const struct content_digest *digest)
{
    char text[CONTENT_DIGEST_TEXT];

    content_digest_text(text, digest);
    digest_join(call, text);
}

void api_call_enter(struct api_call *call)
{
    entered = call;
}

void api_call_leave(void)
{
    entered = NULL;
}

static void api_call_report(struct api_call *call)
{
    se_event *event = &call->event;

    event->key = call->use.key ? call->use.key : "";
    event->version = call->use.version;
    event->replica = call->use.replica;
    event->request_sent = call->use.trace.sent;
    event->request_answered = call->use.trace.answered;
    event->sessions = call->use.trace.sessions;
    event->digest = call->digest;
    event->text = call->error.text;
    event->duration_us = (uint64_t)(clock_monotonic_us() - call->started);
    call->engine->events.fn(call->engine->events.arg, event);
}

se_status api_call_end(struct api_call *call, se_status status, se_error *err)
{
    call->event.status = status;
    if (status && !call->event.failed)
        call->event.failed = call->event.items;
    if (!call->use.key)
        call->use.trace = *remote_trace();
    if (call->whole) {
        api_call_use(call->whole, &call->use);
        digest_join(call->whole, call->digest);
    } else if (call->engine->events.fn) {
        api_call_report(call);
    }
    engine_leave(call->engine);
    return status ? error_copy(err, status, &call->error) : SE_OK;
}
