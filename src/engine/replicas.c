#include "engine/replicas.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "crypto/pkey_ops.h"
#include "engine/replica.h"

struct replicas {
    enum key_part part;
    struct likeness likeness;
    uint64_t place; /* which replica is in use, and how often that has changed: see place_used() */
    int64_t served; /* when one of them last did something; atomic, as is place */
    size_t count;
    struct replica list[];
};

/* ---- which replica is in use: one word, so that nothing is locked and a late thread can't undo
 * what others found out since ---- */

enum { PLACE_BITS = 16 };

static size_t place_used(uint64_t place)
{
    return place & ((1U << PLACE_BITS) - 1);
}

static void move_to(struct replicas *all, uint64_t seen, size_t index, const char *why)
{
    uint64_t moved = (((seen >> PLACE_BITS) + 1) << PLACE_BITS) | index;
    bool back = index < place_used(seen) && all->list[index].ref->failback;

    if (place_used(seen) == index)
        return;
    if (__atomic_compare_exchange_n(&all->place, &seen, moved, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED))
        reporter_tell(all->list[index].reporter, back ? SE_EVENT_FAILED_BACK : SE_EVENT_FAILED_OVER,
                      SE_OK, why);
}

/* ---- operations ---- */

/* The failure that is told when no replica serves: of the first that is away, for that may change
 * by itself, else of the first. */
struct blame {
    const struct replica *replica;
    se_error error;
};

static void blame_on(struct blame *blame, const struct replica *r, const se_error *failure)
{
    bool away = failure->status == SE_ERR_UNAVAILABLE,
         had = blame->error.status == SE_ERR_UNAVAILABLE;

    if (blame->replica && (had > away || (had == away && blame->replica < r)))
        return;
    blame->replica = r;
    blame->error = *failure;
}

static se_status none_serves(const struct replicas *all, const struct blame *blame, se_error *err)
{
    const se_error *failure = &blame->error;

    return error_set_at(err, failure->status, failure->file, failure->line,
                        "none of %zu replicas serves; number %u (line %d): %s", all->count,
                        blame->replica->reporter->replica, blame->replica->ref->line,
                        failure->text);
}

/* One operation on its way from replica to replica, round and round. */
struct journey {
    struct replicas *all;
    const struct task *task;
    uint64_t seen; /* place, when the round began */
    struct blame blame;
};

/* True: it has ended, with *st. */
static bool visit(struct journey *j, size_t index, se_status *st, se_error *err)
{
    struct replica *r = &j->all->list[index];
    se_error failure = SE_ERROR_INIT;

    *st = replica_run(r, j->all->part, &j->all->likeness, j->task, &failure);
    if (replica_may_mend(*st)) {
        blame_on(&j->blame, r, &failure);
        return false;
    }
    if (*st)
        (void)error_set_at(err, *st, failure.file, failure.line, "%s", failure.text);
    else
        move_to(j->all, j->seen, index, j->blame.error.text);
    return true;
}

static bool is_returned_to(const struct replicas *all, size_t index, size_t used)
{
    return index < used && all->list[index].ref->failback;
}

/* True: it has ended.  Each replica is visited once. */
static bool go_round(struct journey *j, se_status *st, se_error *err)
{
    size_t used, count = j->all->count;

    j->seen = __atomic_load_n(&j->all->place, __ATOMIC_RELAXED);
    used = place_used(j->seen);
    for (size_t i = 0; i < used; i++)
        if (is_returned_to(j->all, i, used) && visit(j, i, st, err))
            return true;
    for (size_t step = 0; step < count; step++) {
        size_t i = (used + step) % count;

        if (!is_returned_to(j->all, i, used) && visit(j, i, st, err))
            return true;
    }
    return false;
}

/*
 * A caller can come to each replica in the moments in which just that one is away, or looked at by
 * somebody else.  While it is not long ago that one of them served, that is likelier than that all
 * are gone.
 */
enum { PATIENCE_MS = 2 * BREAKER_MOST_MS, PAUSE_MS = 5 };

static bool is_worth_waiting(const struct journey *j, int64_t since)
{
    int64_t now = clock_monotonic_ms();

    return j->blame.error.status == SE_ERR_UNAVAILABLE && now - since < PATIENCE_MS &&
           now - __atomic_load_n(&j->all->served, __ATOMIC_RELAXED) < PATIENCE_MS;
}

static se_status run(struct replicas *all, const struct task *task, se_error *err)
{
    struct journey j = { all, task, 0, { NULL, SE_ERROR_INIT } };
    int64_t since = 0;
    se_status st;

    while (!go_round(&j, &st, err)) {
        since = since ? since : clock_monotonic_ms();
        if (!is_worth_waiting(&j, since))
            return none_serves(all, &j.blame, err);
        nanosleep(&(struct timespec){ 0, PAUSE_MS * 1000000 }, NULL);
    }
    if (!st)
        __atomic_store_n(&all->served, clock_monotonic_ms(), __ATOMIC_RELAXED);
    return st;
}

/* ---- the key that the engine sees ---- */

static se_status sign_with(const struct task *task, EVP_PKEY *key, se_error *err)
{
    return key_sign_hash(task->out, key, task->how, task->in, err);
}

static se_status sign(se_buf *out, void *remote, const struct sign_how *how, se_bytes hash,
                      se_error *err)
{
    const struct task task = { sign_with, out, how, hash };

    *out = (se_buf)SE_BUF_INIT;
    return run(remote, &task, err);
}

static se_status unwrap_with(const struct task *task, EVP_PKEY *key, se_error *err)
{
    return key_unwrap(task->out, key, task->how, task->in, err);
}

static se_status unwrap(se_buf *out, void *remote, const struct unwrap_how *how, se_bytes blob,
                        se_error *err)
{
    const struct task task = { unwrap_with, out, how, blob };

    *out = (se_buf)SE_BUF_INIT;
    return run(remote, &task, err);
}

static void close_all(void *remote)
{
    struct replicas *all = remote;

    for (size_t i = 0; all && i < all->count; i++)
        key_unref(all->list[i].key);
    free(all);
}
AUTO_KIND(replicas, struct replicas *, close_all(*p))

/* ---- opening ---- */

static se_status open_each(struct replicas *all, se_error *err)
{
    struct blame blame = { NULL, SE_ERROR_INIT };

    for (size_t i = 0; i < all->count; i++) {
        struct replica *r = &all->list[i];
        se_error failure = SE_ERROR_INIT;
        se_status st = replica_open(r, all->part, &all->likeness, &failure);

        if (st && (r->foreign || !replica_may_mend(st)))
            return error_set_at(err, st, failure.file, failure.line, "%s", failure.text);
        if (st)
            blame_on(&blame, r, &failure);
    }
    return all->likeness.public ? SE_OK : none_serves(all, &blame, err);
}

/* When at least one could be opened: those that could not. */
static void tell_lost(struct replicas *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (!all->list[i].key)
            replica_tell_lost(&all->list[i]);
    move_to(all, all->place, (size_t)(all->likeness.of - all->list), "");
}

static struct replicas *prepare(const struct key_entry *entry, enum key_part part,
                                const struct reporter *reporters)
{
    struct replicas *all = calloc(1, sizeof *all + entry->count * sizeof *all->list);

    if (!all)
        return NULL;
    all->part = part;
    all->count = entry->count;
    for (size_t i = 0; i < entry->count; i++) {
        all->list[i].ref = &entry->replicas[i];
        all->list[i].reporter = &reporters[i];
    }
    return all;
}

se_status replicas_open(struct key **out, const struct key_entry *entry, enum key_part part,
                        const struct reporter *reporters, se_error *err)
{
    static const struct remote_ops ops = { .sign = sign, .unwrap = unwrap, .close = close_all };
    AUTO(replicas) all = prepare(entry, part, reporters);
    AUTO(x509_stack) chain = NULL;
    const struct key *first;
    EVP_PKEY *private;
    se_status st;

    *out = NULL;
    if (!all)
        return error_memory(err);
    TRY(open_each(all, err));
    first = all->likeness.of->key;
    if (first->chain && !(chain = X509_chain_up_ref(first->chain)))
        return error_memory(err);
    TRY(remote_key(&private, &ops, all, all->likeness.public, err));
    tell_lost(all);
    all = NULL;
    X509_up_ref(first->certificate);
    st = key_new(out, private, first->certificate, chain, err);
    chain = NULL;
    return st;
}
