#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/arguments.h"
#include "history/history.h"

enum { TRIES = 50, TRY_MS = 200 };

int64_t micros_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

se_status history_ours(const struct se_history *h, se_error *err)
{
    return h->process == getpid()
               ? SE_OK
               : error_set(err, SE_ERR_USAGE,
                           "the history was opened before a fork: open it again");
}

void se_history_close(se_history **history)
{
    se_history *h = history ? *history : NULL;

    if (!h)
        return;
    database_close(&h->store);
    for (size_t i = 0; i < h->verifier_count; i++)
        se_verifier_close(&h->verifiers[i].verifier);
    pthread_mutex_destroy(&h->queue.lock);
    pthread_mutex_destroy(&h->lock);
    free(h->address);
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
    if (!chain_name_good(out->chain))
        return error_set(
            err, SE_ERR_USAGE,
            "a chain's name has letters, digits, '.', '-' and '_', and at most %d of them",
            CHAIN_NAME_MOST);
    if (strlen(out->descriptor) >= sizeof((struct seal *)NULL)->descriptor)
        return error_set(err, SE_ERR_USAGE, "the descriptor's name is too long");
    return SE_OK;
}

static se_status make(se_history **out, se_engine *engine, const char *store,
                      const se_history_options *options, se_error *err)
{
    se_history_options read = SE_HISTORY_OPTIONS_INIT;
    se_status st = read_options(&read, options, err);
    se_history *h;

    if (st)
        return st;
    if (!(h = calloc(1, sizeof *h)))
        return error_memory(err);
    *out = h;
    pthread_mutex_init(&h->queue.lock, NULL);
    pthread_mutex_init(&h->lock, NULL);
    h->engine = engine;
    h->process = getpid();
    h->dry_run = read.dry_run;
    h->progress = read.progress;
    h->progress_arg = read.progress_arg;
    memcpy(h->chain, read.chain, strlen(read.chain) + 1);
    h->address = strdup(store);
    h->shown = address_shown(store);
    h->descriptor = strdup(read.descriptor);
    return h->address && h->shown && h->descriptor ? SE_OK : error_memory(err);
}

/* ---- what others need of it ---- */

static const se_verifier *kept(const se_history *h, unsigned version)
{
    for (size_t i = 0; i < h->verifier_count; i++)
        if (h->verifiers[i].version == version)
            return h->verifiers[i].verifier;
    return NULL;
}

static se_status open_verifier(const se_verifier **out, se_history *h, unsigned version,
                               se_error *err)
{
    se_verifier *made;

    if (h->verifier_count == VERSIONS_MOST)
        return error_set(err, SE_ERR_CONFIG, "more than %d versions of '%s'", VERSIONS_MOST,
                         h->descriptor);
    TRY(se_verifier_open(&made, h->engine, h->descriptor, version, err));
    h->verifiers[h->verifier_count].version = version;
    h->verifiers[h->verifier_count++].verifier = made;
    *out = made;
    return SE_OK;
}

se_status history_verifier(const se_verifier **out, se_history *h, unsigned version, se_error *err)
{
    se_status st = SE_OK;

    pthread_mutex_lock(&h->lock);
    if (!(*out = kept(h, version)))
        st = open_verifier(out, h, version, err);
    pthread_mutex_unlock(&h->lock);
    return st;
}

static se_status find(struct chain *chain, struct database *store, const se_history *h,
                      se_error *err)
{
    bool found;
    se_status st = store->type->chain(chain, &found, store, h->chain, err);

    if (st || found)
        return st;
    return error_set(err, SE_ERR_REJECTED,
                     "there is no chain '%s' in '%s': nothing there is sealed", h->chain, h->shown);
}

se_status history_reader(struct database **out, struct chain *chain, const se_history *h,
                         se_error *err)
{
    AUTO(database) store = NULL;

    *out = NULL;
    TRY(history_ours(h, err));
    TRY(database_open(&store, h->address, false, err));
    TRY(store->type->begin(store, DATABASE_READ, err));
    TRY(find(chain, store, h, err));
    *out = MOVE(store);
    return SE_OK;
}

static se_status keep_note(void *arg, const struct sealed *sealed, se_error *err)
{
    return buf_copy(arg, sealed->note, err);
}

se_status history_note(se_buf *out, struct database *store, const struct chain *chain,
                       uint64_t number, se_error *err)
{
    *out = (se_buf)SE_BUF_INIT;
    TRY(store->type->seals(store, chain, number, number, keep_note, out, err));
    return out->data ? SE_OK
                     : error_set(err, SE_ERR_REJECTED, "seal %ju is not there", (uintmax_t)number);
}

/* ---- who works on the store ---- */

se_status history_lock(struct chain *chain, se_history *h, enum database_mode mode, se_error *err)
{
    se_status st = SE_OK;

    if (!h->store && (st = database_open(&h->store, h->address, false, err)))
        return st;
    TRY(h->store->type->begin(h->store, mode, err));
    if ((st = find(chain, h->store, h, err)))
        database_abandon(h->store);
    return st;
}

static se_status check_open(struct chain *chain, se_history *h, se_error *err)
{
    se_status st = head_check(h, h->store, chain, err);

    if (!st && h->known.seal.event == EVENT_CLOSES)
        st = error_set(err, SE_ERR_USAGE, "chain '%s' was closed by seal %ju: nothing can be added",
                       h->chain, (uintmax_t)h->known.seals);
    return st;
}

se_status history_begin(struct chain *chain, se_history *h, enum database_mode mode, se_error *err)
{
    se_status st = history_lock(chain, h, mode, err);

    if (!st && (st = check_open(chain, h, err)))
        database_abandon(h->store);
    return st;
}

/* Whether the seal is there.  Who has not ended yet still holds the chain, and is waited for. */
static se_status look(bool *there, const se_history *h, const struct known *sealed)
{
    AUTO(se_buf) note = SE_BUF_INIT;
    struct chain chain;
    struct hash hash;
    se_status st = h->store->type->begin(h->store, DATABASE_APPEND, NULL);

    if (st || (st = find(&chain, h->store, h, NULL)))
        return st;
    *there = !history_note(&note, h->store, &chain, sealed->seals, NULL) &&
             !note_hash(&hash, buf_bytes(&note), NULL) && hash_same(&hash, &sealed->hash);
    database_abandon(h->store);
    return SE_OK;
}

/* The connection broke while the transaction ended: it is asked for, for a while, what came of it.
 */
static se_status find_out(const se_history *h, const struct known *sealed, se_error *why)
{
    bool there = false;

    for (unsigned i = 0; i < TRIES; i++) {
        if (!look(&there, h, sealed))
            return there ? SE_OK : SE_ERR_UNAVAILABLE;
        nanosleep(&(struct timespec){ 0, TRY_MS * 1000000 }, NULL);
    }
    (void)error_prefix(why, "whether it was stored is not known: ");
    return SE_ERR_UNAVAILABLE;
}

se_status history_end(se_history *h, const struct known *sealed, se_status st, se_error *err)
{
    se_error why = SE_ERROR_INIT;

    if (st) {
        database_abandon(h->store);
        return st;
    }
    st = h->store->type->end(h->store, true, &why);
    if (st == SE_ERR_UNAVAILABLE)
        st = find_out(h, sealed, &why);
    if (!st)
        h->known = *sealed;
    return st ? error_set_at(err, why.status, why.file, why.line, "%s", why.text) : SE_OK;
}

/* The first seal covers nothing: it says that the chain is there, and empty. */
static se_status begin_chain(struct known *sealed, se_history *h, se_error *err)
{
    struct sealing what = { .event = EVENT_OPENS, .time = micros_now() };
    struct chain chain = { .base_seal = 1 };
    bool found;

    TRY(h->store->type->chain(&chain, &found, h->store, h->chain, err));
    if (found)
        return error_set(err, SE_ERR_USAGE, "there is a chain '%s' in '%s' already", h->chain,
                         h->shown);
    chain = (struct chain){ .base_seal = 1 };
    memcpy(chain.name, h->chain, sizeof chain.name);
    if (getrandom(&chain.id, sizeof chain.id, 0) != sizeof chain.id)
        return error_set(err, SE_ERR_CRYPTO, "the system gives no random bytes");
    TRY(h->store->type->put_chain(h->store, &chain, err));
    return history_seal(sealed, h, &chain, &what, err);
}

static se_status create(se_history *h, se_error *err)
{
    struct known sealed;
    se_status st;

    TRY(database_open(&h->store, h->address, true, err));
    TRY(h->store->type->begin(h->store, DATABASE_APPEND, err));
    st = begin_chain(&sealed, h, err);
    return history_end(h, &sealed, st, err);
}

se_status se_history_create(se_engine *engine, const char *store, const se_history_options *options,
                            se_error *error)
{
    AUTO(history) h = NULL;

    TRY(arguments_check(error, engine, store));
    TRY(make(&h, engine, store, options, error));
    if (h->dry_run)
        return error_set(error, SE_ERR_USAGE, "a chain is not made by a dry run");
    return create(h, error);
}

static se_status start(se_history *h, se_error *err)
{
    AUTO(database) store = NULL;
    struct chain chain;
    se_status st = history_reader(&store, &chain, h, err);

    return st ? st : head_check(h, store, &chain, err);
}

se_status se_history_open(se_history **out, se_engine *engine, const char *store,
                          const se_history_options *options, se_error *error)
{
    AUTO(history) h = NULL;
    se_status st;

    if (out)
        *out = NULL;
    TRY(arguments_check(error, out, engine, store));
    if ((st = make(&h, engine, store, options, error)) ||
        (!(options && options->inspect) && (st = start(h, error))))
        return st;
    *out = MOVE(h);
    return SE_OK;
}

/* ---- what there is ---- */

struct chain_call {
    se_history_chain_fn fn;
    void *arg;
    bool enough;
};

static se_status tell_chain(void *arg, const struct chain *chain, se_error *err)
{
    struct chain_call *call = arg;
    const se_history_chain told = { chain->name, chain->base.size + 1, chain->edge.size,
                                    chain->seals, chain->damaged };

    (void)err;
    call->enough = !call->fn(call->arg, &told);
    return call->enough ? SE_ERR_CANCELLED : SE_OK;
}

se_status se_history_chains(const char *store, se_history_chain_fn fn, void *arg, se_error *error)
{
    AUTO(database) opened = NULL;
    struct chain_call call = { fn, arg, false };
    se_status st;

    TRY(arguments_check(error, store, fn));
    TRY(database_open(&opened, store, false, error));
    TRY(opened->type->begin(opened, DATABASE_READ, error));
    st = opened->type->chains(opened, tell_chain, &call, error);
    database_abandon(opened);
    return call.enough ? SE_OK : st;
}

se_status se_history_head(se_buf *out, se_history *history, se_error *error)
{
    AUTO(database) store = NULL;
    struct chain chain;
    struct known last;
    se_status st;

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, history));
    TRY(history_reader(&store, &chain, history, error));
    if ((st = head_load(&last, history, store, &chain, error)))
        return error_prefix(error, "chain '%s': ", history->chain);
    return history_note(out, store, &chain, chain.seals, error);
}
