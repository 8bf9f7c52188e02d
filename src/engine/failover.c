/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/failover.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/breaker.h"
#include "base/clock.h"
#include "base/fork_lock.h"
#include "crypto/certificate.h"
#include "crypto/pkey_ops.h"

/* ---- one replica: whether it serves, and who looks whether it serves again ---- */

struct replica {
    const struct keyref *ref;
    const struct reporter *reporter;
    struct key *key; /* NULL: not opened so far; once set, it stays */

    /* under fork_lock_take() */
    struct breaker breaker; /* of what can't be opened or refuses; for one that is open and away its
                               store has its own */
    pid_t process;          /* where its probe began: in the child of a fork nobody ends it */
    bool foreign;           /* it holds another key, and is never used */
    se_error failure;       /* the last one */
};

/* What all replicas hold: the public key of the first that could be opened. */
struct common_key {
    EVP_PKEY *public_key; /* NULL: none so far */
    const struct replica *holder;
};

/* What is to be done with the private key of whichever replica does it. */
struct replica_task {
    se_status (*run)(const struct replica_task *task, EVP_PKEY *key, se_error *err);
    se_buf *out;
    const void *how;
    se_bytes in;
};

/* A key or a mechanism that one store lacks another may have, and a PIN that one refuses says
 * nothing about the others. */
bool failover_may_mend(se_status status)
{
    return status == SE_ERR_UNAVAILABLE || status == SE_ERR_STORE || status == SE_ERR_KEY ||
           status == SE_ERR_ACCESS;
}

static enum breaker_leave replica_ask(struct replica *r)
{
    enum breaker_leave leave = BREAKER_WAIT;

    fork_lock_take();
    if (r->breaker.probing && r->process != getpid())
        r->breaker.probing = false;
    if (!r->foreign)
        leave = breaker_ask(&r->breaker, clock_monotonic_ms());
    if (leave == BREAKER_PROBE)
        r->process = getpid();
    fork_lock_give();
    return leave;
}

static void replica_last_failure(se_error *out, struct replica *r)
{
    fork_lock_take();
    *out = r->failure;
    fork_lock_give();
}

/* Tells the application that it does not serve. */
static void replica_report_lost(struct replica *r)
{
    se_error failure;

    replica_last_failure(&failure, r);
    reporter_report(r->reporter, SE_EVENT_KEY_LOST, failure.status, failure.text);
}

static se_status replica_fail_again(struct replica *r, se_error *err)
{
    se_error failure;

    replica_last_failure(&failure, r);
    return error_copy(err, failure.status, &failure);
}

/* SE_OK in `failure`: it served.  True: that is news. */
static bool replica_learn(struct replica *r, enum breaker_leave leave, const se_error *failure)
{
    bool opened = __atomic_load_n(&r->key, __ATOMIC_RELAXED), news = false;
    bool failed = failover_may_mend(failure->status) || (failure->status && !opened);

    if (leave == BREAKER_GO && !failed)
        return false;
    fork_lock_take();
    if (failed)
        r->failure = *failure;
    if (failed && !(opened && failure->status == SE_ERR_UNAVAILABLE))
        news = breaker_failed(&r->breaker, leave, clock_monotonic_ms()) || r->foreign;
    else if (leave == BREAKER_PROBE)
        news = breaker_healed(&r->breaker);
    fork_lock_give();
    return news;
}

static se_status replica_compare_key(struct replica *r, const struct key *key,
                                     struct common_key *common, se_error *err)
{
    EVP_PKEY *public_key = X509_get0_pubkey(key->certificate);

    if (!common->public_key)
        *common = (struct common_key){ public_key, r };
    if (EVP_PKEY_eq(common->public_key, public_key) == 1)
        return SE_OK;
    fork_lock_take();
    r->foreign = true;
    fork_lock_give();
    return error_set(err, SE_ERR_KEY,
                     "replica %u (line %d) holds another key than replica %u (line %d)",
                     r->reporter->replica, r->ref->line, common->holder->reporter->replica,
                     common->holder->ref->line);
}

static se_status replica_open_key(struct replica *r, enum key_part part, struct common_key *common,
                                  se_error *err)
{
    AUTO(key) key = NULL;

    TRY(store_open(&key, r->ref, part, &r->reporter->watch, err));
    TRY(replica_compare_key(r, key, common, err));
    __atomic_store_n(&r->key, MOVE(key), __ATOMIC_RELEASE);
    return SE_OK;
}

/* For the first time, by one thread.  The key of the first replica becomes the common one;
 * SE_ERR_KEY, and `foreign`: it holds another. */
static se_status replica_open(struct replica *r, enum key_part part, struct common_key *common,
                              se_error *err)
{
    se_error failure = SE_ERROR_INIT;
    se_status st = replica_open_key(r, part, common, &failure);

    (void)replica_learn(r, BREAKER_GO, &failure);
    return st ? error_copy(err, st, &failure) : SE_OK;
}

/* Runs `task`, with a key that is opened now if it was not.  A replica that is known not to serve
 * fails at once as it did before, but for one caller at a time that looks whether it serves again.
 */
static se_status replica_run(struct replica *r, enum key_part part, struct common_key *common,
                             const struct replica_task *task, se_error *err)
{
    enum breaker_leave leave = replica_ask(r);
    se_error failure = SE_ERROR_INIT;
    se_status st = SE_OK;

    if (leave == BREAKER_WAIT)
        return replica_fail_again(r, err);
    if (!__atomic_load_n(&r->key, __ATOMIC_ACQUIRE)) /* then only the one that probes comes here */
        st = replica_open_key(r, part, common, &failure);
    if (!st)
        st = task->run(task, r->key->private, &failure);
    if (replica_learn(r, leave, &failure)) {
        if (failover_may_mend(st))
            reporter_report(r->reporter, SE_EVENT_KEY_LOST, st, failure.text);
        else
            reporter_report(r->reporter, SE_EVENT_KEY_HEALED, SE_OK, "");
    }
    return st ? error_copy(err, st, &failure) : SE_OK;
}

/* ---- all replicas of a key ---- */

struct failover {
    enum key_part part;
    struct common_key common;
    uint64_t position; /* which replica is in use, and how often that has changed: see
                          position_index() */
    int64_t served;    /* when one of them last did something; atomic, as is position */
    size_t count;
    struct replica list[];
};

/* ---- which replica is in use: one word, so that nothing is locked and a late thread can't undo
 * what others found out since ---- */

enum { POSITION_BITS = 16 };

static size_t position_index(uint64_t position)
{
    return position & ((1U << POSITION_BITS) - 1);
}

static void failover_move(struct failover *all, uint64_t seen, size_t index, const char *why)
{
    uint64_t moved = (((seen >> POSITION_BITS) + 1) << POSITION_BITS) | index;
    bool back = index < position_index(seen) && all->list[index].ref->failback;

    if (position_index(seen) == index)
        return;
    if (__atomic_compare_exchange_n(&all->position, &seen, moved, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED))
        reporter_report(all->list[index].reporter,
                        back ? SE_EVENT_FAILED_BACK : SE_EVENT_FAILED_OVER, SE_OK, why);
}

/* ---- operations ---- */

/* The failure that callers get when no replica serves: of the first that is away, for that may
 * change by itself, else of the first. */
struct outage {
    const struct replica *replica;
    se_error error;
};

static void outage_note(struct outage *outage, const struct replica *r, const se_error *failure)
{
    bool away = failure->status == SE_ERR_UNAVAILABLE,
         had = outage->error.status == SE_ERR_UNAVAILABLE;

    if (outage->replica && (had > away || (had == away && outage->replica < r)))
        return;
    outage->replica = r;
    outage->error = *failure;
}

static se_status failover_none_serves(const struct failover *all, const struct outage *outage,
                                      se_error *err)
{
    const se_error *failure = &outage->error;

    return error_set_at(err, failure->status, failure->file, failure->line,
                        "none of %zu replicas serves; number %u (line %d): %s", all->count,
                        outage->replica->reporter->replica, outage->replica->ref->line,
                        failure->text);
}

/* One operation on its way from replica to replica, round and round. */
struct round {
    struct failover *all;
    const struct replica_task *task;
    uint64_t seen; /* place, when the round began */
    struct outage outage;
};

/* True: it has ended, with *st. */
static bool round_try(struct round *j, size_t index, se_status *st, se_error *err)
{
    struct replica *r = &j->all->list[index];
    se_error failure = SE_ERROR_INIT;

    *st = replica_run(r, j->all->part, &j->all->common, j->task, &failure);
    if (failover_may_mend(*st)) {
        outage_note(&j->outage, r, &failure);
        return false;
    }
    remote_trace_replica(r->reporter->replica);
    if (*st)
        (void)error_copy(err, *st, &failure);
    else
        failover_move(j->all, j->seen, index, j->outage.error.text);
    return true;
}

static bool is_failed_back_to(const struct failover *all, size_t index, size_t used)
{
    return index < used && all->list[index].ref->failback;
}

/* True: it has ended.  Each replica is visited once. */
static bool round_run(struct round *j, se_status *st, se_error *err)
{
    size_t used, count = j->all->count;

    j->seen = __atomic_load_n(&j->all->position, __ATOMIC_RELAXED);
    used = position_index(j->seen);
    for (size_t i = 0; i < used; i++)
        if (is_failed_back_to(j->all, i, used) && round_try(j, i, st, err))
            return true;
    for (size_t step = 0; step < count; step++) {
        size_t i = (used + step) % count;

        if (!is_failed_back_to(j->all, i, used) && round_try(j, i, st, err))
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

static bool round_may_wait(const struct round *j, int64_t since)
{
    int64_t now = clock_monotonic_ms();

    return j->outage.error.status == SE_ERR_UNAVAILABLE && now - since < PATIENCE_MS &&
           now - __atomic_load_n(&j->all->served, __ATOMIC_RELAXED) < PATIENCE_MS;
}

static se_status failover_run(struct failover *all, const struct replica_task *task, se_error *err)
{
    struct round j = { .all = all, .task = task };
    int64_t since = 0;
    se_status st;

    while (!round_run(&j, &st, err)) {
        since = since ? since : clock_monotonic_ms();
        if (!round_may_wait(&j, since))
            return failover_none_serves(all, &j.outage, err);
        nanosleep(&(struct timespec){ 0, PAUSE_MS * 1000000 }, NULL);
    }
    if (!st)
        __atomic_store_n(&all->served, clock_monotonic_ms(), __ATOMIC_RELAXED);
    return st;
}

/* ---- the key that the engine sees ---- */

static se_status task_sign(const struct replica_task *task, EVP_PKEY *key, se_error *err)
{
    return key_sign_hash(task->out, key, task->how, task->in, err);
}

static se_status failover_sign(se_buf *out, void *remote, const struct sign_how *how, se_bytes hash,
                               se_error *err)
{
    const struct replica_task task = { .run = task_sign, .out = out, .how = how, .in = hash };

    *out = (se_buf)SE_BUF_INIT;
    return failover_run(remote, &task, err);
}

static se_status task_unwrap(const struct replica_task *task, EVP_PKEY *key, se_error *err)
{
    return key_unwrap(task->out, key, task->how, task->in, err);
}

static se_status failover_unwrap(se_buf *out, void *remote, const struct unwrap_how *how,
                                 se_bytes blob, se_error *err)
{
    const struct replica_task task = { .run = task_unwrap, .out = out, .how = how, .in = blob };

    *out = (se_buf)SE_BUF_INIT;
    return failover_run(remote, &task, err);
}

static void failover_close(void *remote)
{
    struct failover *all = remote;

    for (size_t i = 0; all && i < all->count; i++)
        key_unref(all->list[i].key);
    free(all);
}
AUTO_KIND(failover, struct failover *, failover_close(*p))

/* ---- opening ---- */

static se_status failover_open_each(struct failover *all, se_error *err)
{
    struct outage outage = { .replica = NULL };

    for (size_t i = 0; i < all->count; i++) {
        struct replica *r = &all->list[i];
        se_error failure = SE_ERROR_INIT;
        se_status st = replica_open(r, all->part, &all->common, &failure);

        if (st && (r->foreign || !failover_may_mend(st)))
            return error_copy(err, st, &failure);
        if (st)
            outage_note(&outage, r, &failure);
    }
    return all->common.public_key ? SE_OK : failover_none_serves(all, &outage, err);
}

/* When at least one could be opened: those that could not. */
static void failover_report_lost(struct failover *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (!all->list[i].key)
            replica_report_lost(&all->list[i]);
    failover_move(all, all->position, (size_t)(all->common.holder - all->list), "");
}

static struct failover *failover_new(const struct key_entry *entry, enum key_part part,
                                     const struct reporter *reporters)
{
    struct failover *all = calloc(1, sizeof *all + entry->count * sizeof *all->list);

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

se_status failover_open(struct key **out, const struct key_entry *entry, enum key_part part,
                        const struct reporter *reporters, se_error *err)
{
    static const struct remote_ops ops = {
        .sign = failover_sign,
        .unwrap = failover_unwrap,
        .close = failover_close,
    };
    AUTO(failover) all = failover_new(entry, part, reporters);
    AUTO(certificates) certificates = { .own = NULL };
    const struct key *first;
    const struct replica *holder;
    EVP_PKEY *private_key;

    *out = NULL;
    if (!all)
        return error_memory(err);
    TRY(failover_open_each(all, err));
    holder = all->common.holder;
    first = holder->key;
    TRY(key_certificates(&certificates, first, err));
    TRY(remote_key(&private_key, &ops, all, all->common.public_key, err));
    failover_report_lost(all);
    all = NULL; /* the private key has it now */
    TRY(key_new(out, private_key, &certificates, err));
    (*out)->replica = holder->reporter->replica;
    return SE_OK;
}
