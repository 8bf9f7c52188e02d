/* SPDX-License-Identifier: Apache-2.0 */
/* Making and opening a chain, and the transactions of whoever works on it. */
#include "history/history.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/text.h"

enum { OUTCOME_TRIES = 50, OUTCOME_PAUSE_MS = 200, RANDOM_AT_ONCE = 1 << 20 };

/* ---- stores ---- */

static const struct chain_store_type *const store_types[] = {
    &sqlite_store_type,
#ifdef HAVE_POSTGRESQL
    &postgres_store_type,
#endif
};

#ifdef HAVE_POSTGRESQL
static const char other_stores[] = "or postgresql://...";
#else
static const char other_stores[] = "(postgresql:// was not built in)";
#endif

/* NULL: no such store, and the error says which there are; it has no more of the URI than the
 * scheme, as a password may follow. */
static const struct chain_store_type *find_store_type(const char *uri, se_error *err)
{
    for (size_t i = 0; i < sizeof store_types / sizeof *store_types; i++)
        if (text_starts(uri, store_types[i]->scheme))
            return store_types[i];
    (void)error_set(err, SE_ERR_USAGE, "'%.*s' is no store: sqlite:PATH %s",
                    (int)strcspn(uri, ":=@?"), uri, other_stores);
    return NULL;
}

static se_status open_store(struct chain_store **out, const struct chain_store_type *type,
                            const char *uri, bool create, se_error *err)
{
    TRY(type->open(out, uri, create, err));
    (*out)->type = type;
    return SE_OK;
}

/* ---- a history ---- */

se_status history_check_process(const se_history *h, se_error *err)
{
    return h->process == getpid()
               ? SE_OK
               : error_set(err, SE_ERR_USAGE,
                           "the history was opened before a fork: open it again");
}

se_status random_fill(unsigned char *out, size_t size, se_error *err)
{
    while (size) {
        ssize_t got = getrandom(out, size < RANDOM_AT_ONCE ? size : RANDOM_AT_ONCE, 0);

        if (got <= 0)
            return error_set(err, SE_ERR_CRYPTO, "the system gives no random bytes");
        out += got;
        size -= (size_t)got;
    }
    return SE_OK;
}

void se_history_close(se_history **history)
{
    se_history *h = history ? *history : NULL;

    if (!h)
        return;
    chain_store_close(&h->store);
    for (size_t i = 0; i < h->verifier_count; i++)
        se_verifier_close(&h->verifiers[i].verifier);
    se_close(&h->engine);
    pthread_mutex_destroy(&h->queue.lock);
    pthread_mutex_destroy(&h->lock);
    free(h->uri);
    free(h->shown);
    free(h->descriptor);
    free(h);
    *history = NULL;
}
AUTO_KIND(history, se_history *, se_history_close(p))

static se_status read_options(se_history_options *out, const se_history_options *options,
                              se_error *err)
{
    TRY(arguments_options(out, options, se_history_options, err));
    if (!out->chain)
        out->chain = "default";
    if (!out->descriptor)
        out->descriptor = "ObjectHistorySigner";
    if (!is_chain_name(out->chain))
        return error_set(
            err, SE_ERR_USAGE,
            "a chain's name has letters, digits, '.', '-' and '_', and at most %d of them",
            CHAIN_NAME_MOST);
    if (strlen(out->descriptor) >= sizeof((struct checkpoint *)NULL)->descriptor)
        return error_set(err, SE_ERR_USAGE, "the descriptor's name is too long");
    return SE_OK;
}

static se_status history_new(se_history **out, se_engine *engine, const char *uri,
                             const se_history_options *options, se_error *err)
{
    se_history_options read = SE_HISTORY_OPTIONS_INIT;
    se_history *h;

    TRY(read_options(&read, options, err));
    if (!(h = calloc(1, sizeof *h)))
        return error_memory(err);
    *out = h;
    pthread_mutex_init(&h->queue.lock, NULL);
    pthread_mutex_init(&h->lock, NULL);
    TRY(se_hold(&h->engine, engine, err));
    h->process = getpid();
    h->dry_run = read.dry_run;
    h->progress = read.progress;
    h->progress_arg = read.progress_arg;
    memcpy(h->chain, read.chain, strlen(read.chain) + 1);
    h->type = find_store_type(uri, err);
    if (!h->type)
        return SE_ERR_USAGE;
    h->uri = strdup(uri);
    h->shown = h->type->redact_uri(uri);
    h->descriptor = strdup(read.descriptor);
    return h->uri && h->shown && h->descriptor ? SE_OK : error_memory(err);
}

/* ---- transactions ---- */

static se_status find_chain(struct chain *chain, struct chain_store *store, const se_history *h,
                            se_error *err)
{
    bool found;

    TRY(store->type->read_chain(chain, &found, store, h->chain, err));
    if (found)
        return SE_OK;
    return error_set(err, SE_ERR_REJECTED,
                     "there is no chain '%s' in '%s': nothing there is sealed", h->chain, h->shown);
}

se_status history_open_reader(struct chain_store **out, struct chain *chain, const se_history *h,
                              se_error *err)
{
    AUTO(chain_store) store = NULL;

    *out = NULL;
    TRY(history_check_process(h, err));
    TRY(open_store(&store, h->type, h->uri, false, err));
    TRY(store->type->begin(store, STORE_READ, err));
    TRY(find_chain(chain, store, h, err));
    *out = MOVE(store);
    return SE_OK;
}

se_status history_lock_chain(struct chain *chain, se_history *h, enum store_mode mode,
                             se_error *err)
{
    se_status st;

    if (!h->store)
        TRY(open_store(&h->store, h->type, h->uri, false, err));
    TRY(h->store->type->begin(h->store, mode, err));
    st = find_chain(chain, h->store, h, err);
    if (st)
        transaction_abandon(h->store);
    return st;
}

static se_status check_open(struct chain *chain, se_history *h, se_error *err)
{
    TRY(latest_check(h, h->store, chain, err));
    if (h->latest.checkpoint.event == EVENT_CLOSES)
        return error_set(err, SE_ERR_USAGE,
                         "chain '%s' was closed by seal %ju: nothing can be added", h->chain,
                         (uintmax_t)h->latest.checkpoint.number);
    return SE_OK;
}

se_status history_begin(struct chain *chain, se_history *h, enum store_mode mode, se_error *err)
{
    se_status st;

    TRY(history_lock_chain(chain, h, mode, err));
    st = check_open(chain, h, err);
    if (st)
        transaction_abandon(h->store);
    return st;
}

/* Whether the checkpoint is there.  A transaction that has not ended yet still holds the chain, and
 * is waited for. */
static se_status look_for_checkpoint(bool *there, const se_history *h, const struct latest *made)
{
    AUTO(se_buf) note = SE_BUF_INIT;
    struct chain chain;
    struct hash hash;

    TRY(h->store->type->begin(h->store, STORE_APPEND, NULL));
    TRY(find_chain(&chain, h->store, h, NULL));
    *there = !checkpoint_read(&note, h->store, &chain, made->checkpoint.number, NULL) &&
             !signed_note_hash(&hash, buf_bytes(&note), NULL) && hash_equal(&hash, &made->hash);
    transaction_abandon(h->store);
    return SE_OK;
}

/* The connection broke while the transaction ended: asks for a while what came of it. */
static se_status resolve_outcome(const se_history *h, const struct latest *made, se_error *why)
{
    bool there = false;

    for (unsigned i = 0; i < OUTCOME_TRIES; i++) {
        if (!look_for_checkpoint(&there, h, made))
            return there ? SE_OK : SE_ERR_UNAVAILABLE;
        nanosleep(&(struct timespec){ 0, OUTCOME_PAUSE_MS * 1000000 }, NULL);
    }
    (void)error_prefix(why, SE_ERR_UNAVAILABLE, "whether it was stored is not known: ");
    return SE_ERR_UNAVAILABLE;
}

se_status history_commit(se_history *h, const struct latest *made, se_status st, se_error *err)
{
    se_error why = SE_ERROR_INIT;

    if (st) {
        transaction_abandon(h->store);
        return st;
    }
    st = h->store->type->end(h->store, true, &why);
    if (st == SE_ERR_UNAVAILABLE)
        st = resolve_outcome(h, made, &why);
    if (st)
        return error_hand_on(err, &why);
    h->latest = *made;
    return SE_OK;
}

/* ---- a new chain ---- */

/* The first checkpoint covers nothing: it says that the chain is there, and empty. */
static se_status begin_chain(struct latest *made, se_history *h, se_error *err)
{
    struct chain chain;
    bool found;

    TRY(h->store->type->read_chain(&chain, &found, h->store, h->chain, err));
    if (found)
        return error_set(err, SE_ERR_USAGE, "there is a chain '%s' in '%s' already", h->chain,
                         h->shown);
    chain = (struct chain){ .base_checkpoint = 1 };
    memcpy(chain.name, h->chain, sizeof chain.name);
    TRY(random_fill(chain.id.bytes, sizeof chain.id.bytes, err));
    TRY(h->store->type->write_chain(h->store, &chain, err));
    return checkpoint_append(made, h, &chain, err);
}

se_status se_history_create(se_engine *engine, const char *store, const se_history_options *options,
                            se_error *error)
{
    struct latest made = { .checkpoint = { .event = EVENT_OPENS, .time = clock_microseconds() } };
    AUTO(history) h = NULL;
    se_status st;

    TRY(arguments_check(error, engine, store));
    TRY(history_new(&h, engine, store, options, error));
    if (h->dry_run)
        return error_set(error, SE_ERR_USAGE, "a chain is not made by a dry run");
    TRY(open_store(&h->store, h->type, h->uri, true, error));
    TRY(h->store->type->begin(h->store, STORE_APPEND, error));
    st = begin_chain(&made, h, error);
    return history_commit(h, &made, st, error);
}

/* ---- a chain that is there ---- */

static se_status check_latest(se_history *h, se_error *err)
{
    AUTO(chain_store) store = NULL;
    struct chain chain;

    TRY(history_open_reader(&store, &chain, h, err));
    return latest_check(h, store, &chain, err);
}

se_status se_history_open(se_history **out, se_engine *engine, const char *store,
                          const se_history_options *options, se_error *error)
{
    AUTO(history) h = NULL;

    if (out)
        *out = NULL;
    TRY(arguments_check(error, out, engine, store));
    TRY(history_new(&h, engine, store, options, error));
    if (!options || !options->inspect)
        TRY(check_latest(h, error));
    *out = MOVE(h);
    return SE_OK;
}

se_status history_open_store(struct chain_store **out, const char *uri, se_error *err)
{
    AUTO(chain_store) store = NULL;
    const struct chain_store_type *type = find_store_type(uri, err);

    *out = NULL;
    if (!type)
        return SE_ERR_USAGE;
    TRY(open_store(&store, type, uri, false, err));
    TRY(type->begin(store, STORE_READ, err));
    *out = MOVE(store);
    return SE_OK;
}

struct chain_call {
    se_history_chain_fn fn;
    void *arg;
    bool enough;
};

static se_status report_chain(void *arg, const struct chain *chain, se_error *err)
{
    struct chain_call *call = arg;
    const se_history_chain reported = {
        .name = chain->name,
        .first = chain->base.size + 1,
        .last = chain->frontier.size,
        .seals = chain->checkpoints,
        .damaged = chain->damaged,
    };

    (void)err;
    call->enough = !call->fn(call->arg, &reported);
    return call->enough ? SE_ERR_CANCELLED : SE_OK;
}

se_status se_history_chains(const char *store, se_history_chain_fn fn, void *arg, se_error *error)
{
    AUTO(chain_store) opened = NULL;
    struct chain_call call = { fn, arg, false };
    se_status st;

    TRY(arguments_check(error, store, fn));
    TRY(history_open_store(&opened, store, error));
    st = opened->type->read_chains(opened, report_chain, &call, error);
    transaction_abandon(opened);
    return call.enough ? SE_OK : st;
}

se_status se_history_head(se_buf *out, se_history *history, se_error *error)
{
    AUTO(chain_store) store = NULL;
    struct chain chain;
    struct latest latest;
    se_status st;

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, history));
    TRY(history_open_reader(&store, &chain, history, error));
    st = latest_load(&latest, history, store, &chain, error);
    if (st) {
        (void)error_prefix(error, st, "chain '%s': ", history->chain);
        return st;
    }
    return checkpoint_read(out, store, &chain, chain.checkpoints, error);
}
