/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sealed history: who has the audit log can't change it unseen. Its engine is its own, and of its
 * operations nobody hears: what it does for the audit is not audited. An entry is about the
 * descriptor of the record.
 */
#include <stdlib.h>

#include "audit/sink.h"
#include "signengine-history.h"

struct history_sink {
    char *store, *config, *chain, *descriptor;
    se_engine *engine;
    se_history *history;
    bool doubtful; /* whether its key and its store are in reach has to be tried */
    bool reloaded; /* atomic: the engine, since the history was opened */
};

static void history_sink_close(void *state)
{
    struct history_sink *h = state;

    if (!h)
        return;
    se_history_close(&h->history);
    se_close(&h->engine);
    free(h->store);
    free(h->config);
    free(h->chain);
    free(h->descriptor);
    free(h);
}

static se_status copy_text(char **out, const char *text, const char *otherwise, se_error *err)
{
    return (*out = strdup(text ? text : otherwise)) ? SE_OK : error_memory(err);
}

static se_status copy_settings(struct history_sink *h, const struct audit_sink_options *o,
                               se_error *err)
{
    TRY(copy_text(&h->store, o->place, "", err));
    TRY(copy_text(&h->config, o->config, "", err));
    TRY(copy_text(&h->chain, o->chain, "audit", err));
    return copy_text(&h->descriptor, o->descriptor, "AuditSigner", err);
}

/* What a wait can mend; a chain that is not there, or has no key, is to be mended by somebody. */
static bool may_pass(se_status st)
{
    return st == SE_ERR_UNAVAILABLE || st == SE_ERR_STORE || st == SE_ERR_ACCESS ||
           st == SE_ERR_IO || st == SE_ERR_MEMORY;
}

static se_status open_chain(se_history **out, struct history_sink *h, se_error *err)
{
    se_history_options options = SE_HISTORY_OPTIONS_INIT;
    se_status st;

    options.chain = h->chain;
    options.descriptor = h->descriptor;
    st = se_history_open(out, h->engine, h->store, &options, err);
    return st ? error_restate(err, may_pass(st) ? SE_ERR_UNAVAILABLE : SE_ERR_CONFIG) : SE_OK;
}

/* A history keeps the engine that it was opened with.  It goes on if the new one can't have it. */
static void follow_reload(struct history_sink *h)
{
    se_history *renewed;

    if (!__atomic_exchange_n(&h->reloaded, false, __ATOMIC_ACQ_REL) || !h->history ||
        open_chain(&renewed, h, NULL))
        return;
    se_history_close(&h->history);
    h->history = renewed;
}

static se_status open_history(struct history_sink *h, se_error *err)
{
    follow_reload(h);
    return h->history ? SE_OK : open_chain(&h->history, h, err);
}

/* On the thread that watches. */
static void hear_event(void *arg, const se_event *event)
{
    struct history_sink *h = arg;

    if (event->kind == SE_EVENT_RELOADED)
        __atomic_store_n(&h->reloaded, true, __ATOMIC_RELEASE);
}

static se_status history_sink_open(void **out, const struct sink_setup *setup, se_error *err)
{
    struct history_sink *h = calloc(1, sizeof *h);
    se_options options = SE_OPTIONS_INIT;

    *out = h;
    if (!h)
        return error_memory(err);
    h->doubtful = true;
    TRY(copy_settings(h, setup->options, err));
    options.event = hear_event;
    options.event_arg = h;
    options.watch = true;
    if (se_open(&h->engine, h->config, &options, err))
        return error_restate(err, SE_ERR_CONFIG);
    return open_history(h, err);
}

/* Signs something, and reads something: then both work. */
static se_status try_history(struct history_sink *h, se_error *err)
{
    AUTO(se_buf) signature = SE_BUF_INIT;
    AUTO(se_buf) head = SE_BUF_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;

    params.form = SE_FORM_RAW;
    TRY(se_sign(&signature, h->engine, h->descriptor, text_bytes("audit"), &params, err));
    return se_history_head(&head, h->history, err);
}

/* What failed is opened anew; the engine finds its key again by itself. */
static se_status doubt_history(struct history_sink *h, se_error *err)
{
    h->doubtful = true;
    se_history_close(&h->history);
    return error_restate(err, SE_ERR_UNAVAILABLE);
}

static se_status history_sink_reserve(void *state, unsigned records, se_error *err)
{
    struct history_sink *h = state;

    (void)records;
    TRY(open_history(h, err));
    if (h->doubtful && try_history(h, err))
        return doubt_history(h, err);
    h->doubtful = false;
    return SE_OK;
}

/* "DESCRIPTOR" NUL "LINE". */
static void history_format(struct writer *w, const struct audit_record *record, const char *program,
                           const char *line)
{
    (void)program;
    if (record->descriptor)
        writer_text(w, record->descriptor);
    writer_put(w, "", 1);
    writer_put(w, line, strcspn(line, "\n"));
}

static se_record entry_of(se_bytes line)
{
    const size_t object = strnlen(line.data, line.size);
    const char *payload = (const char *)line.data + object + 1;

    return (se_record){ { line.data, object }, { payload, line.size - object - 1 } };
}

static se_status history_sink_write(size_t *written, void *state, const se_bytes *lines,
                                    size_t count, se_error *err)
{
    struct history_sink *h = state;
    se_record entries[SINK_BATCH];

    TRY(open_history(h, err));
    for (size_t i = 0; i < count; i++)
        entries[i] = entry_of(lines[i]);
    if (se_history_append_many(NULL, h->history, entries, count, NULL, err))
        return doubt_history(h, err);
    h->doubtful = false;
    *written = count;
    return SE_OK;
}

const struct sink_type history_sink_type = {
    .name = "history",
    .linger_ms = 250,
    .open = history_sink_open,
    .close = history_sink_close,
    .reserve = history_sink_reserve,
    .write = history_sink_write,
    .format = history_format,
};
