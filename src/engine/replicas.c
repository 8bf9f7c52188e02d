#include "engine/replicas.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/breaker.h"
#include "base/brieflock.h"
#include "key/operate.h"

struct replica {
    const struct keyref *ref;
    struct key *key; /* NULL: not opened so far; once set, it stays */

    /* under brief_lock() */
    struct breaker
        breaker;      /* of what can't be opened, and of what is open but refuses; for one that is open and away its store has its own */
    pid_t process;    /* where its probe began: in the child of a fork nobody ends it */
    bool foreign;     /* it holds another key, and is never used */
    se_error failure; /* the last one */
};

struct replicas {
    const struct key_entry *entry;
    enum key_part part;
    EVP_PKEY *public;
    size_t compared; /* the replica that `public` is from */
    uint64_t place;  /* which replica is in use, and how often that has changed: see place_used() */
    struct replica list[];
};

/* What is to be done with the private key of whichever replica does it. */
struct task {
    se_status (*run)(const struct task *task, EVP_PKEY *key, se_error *err);
    se_buf *out;
    const void *how;
    se_bytes in;
};

/* A key or a mechanism that one store lacks another may have, and a PIN that one refuses says nothing about the others. */
bool replica_may_mend(se_status status)
{
    return status == SE_ERR_UNAVAILABLE || status == SE_ERR_STORE || status == SE_ERR_KEY || status == SE_ERR_ACCESS;
}

/* ---- which replica is in use: one word, so that nothing is locked and a late thread can't undo what others found out since ---- */

enum { PLACE_BITS = 16 };

static size_t place_used(uint64_t place)
{
    return place & ((1U << PLACE_BITS) - 1);
}

static void move_to(struct replicas *all, uint64_t seen, size_t index)
{
    uint64_t moved = (((seen >> PLACE_BITS) + 1) << PLACE_BITS) | index;

    if (place_used(seen) != index)
        (void)__atomic_compare_exchange_n(&all->place, &seen, moved, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* ---- one replica ---- */

static unsigned number(const struct replicas *all, const struct replica *r)
{
    return (unsigned)(r - all->list) + 1;
}

static enum breaker_leave ask(struct replica *r)
{
    enum breaker_leave leave = BREAKER_WAIT;

    brief_lock();
    if (r->breaker.probing && r->process != getpid())
        r->breaker.probing = false;
    if (!r->foreign)
        leave = breaker_ask(&r->breaker, breaker_clock());
    if (leave == BREAKER_PROBE)
        r->process = getpid();
    brief_unlock();
    return leave;
}

static se_status remembered(struct replica *r, se_error *err)
{
    se_error failure;

    brief_lock();
    failure = r->failure;
    brief_unlock();
    return error_set_at(err, failure.status, failure.file, failure.line, "%s", failure.text);
}

static void learn(struct replica *r, enum breaker_leave leave, const se_error *failure)
{
    bool opened = __atomic_load_n(&r->key, __ATOMIC_RELAXED);
    bool failed = replica_may_mend(failure->status) || (failure->status && !opened);

    if (leave == BREAKER_GO && !failed)
        return;
    brief_lock();
    if (failed)
        r->failure = *failure;
    if (failed && !(opened && failure->status == SE_ERR_UNAVAILABLE))
        (void)breaker_failed(&r->breaker, leave, breaker_clock());
    else if (leave == BREAKER_PROBE)
        (void)breaker_healed(&r->breaker);
    brief_unlock();
}

static se_status compare(const struct replicas *all, struct replica *r, const struct key *key, se_error *err)
{
    const struct replica *other = &all->list[all->compared];

    if (EVP_PKEY_eq(all->public, X509_get0_pubkey(key->certificate)) == 1)
        return SE_OK;
    brief_lock();
    r->foreign = true;
    brief_unlock();
    return error_set(err, SE_ERR_KEY, "replica %u (line %d) holds another key than replica %u (line %d): it is not used", number(all, r),
                     r->ref->line, number(all, other), other->ref->line);
}

/* Only the one that probes comes here with a replica that is not open. */
static se_status open_late(struct key **out, const struct replicas *all, struct replica *r, se_error *err)
{
    AUTO(key) key = NULL;
    se_status st;

    if ((*out = __atomic_load_n(&r->key, __ATOMIC_ACQUIRE)))
        return SE_OK;
    if ((st = store_open(&key, r->ref, all->part, err)) || (st = compare(all, r, key, err)))
        return st;
    *out = key;
    __atomic_store_n(&r->key, key, __ATOMIC_RELEASE);
    key = NULL;
    return SE_OK;
}

static se_status try(const struct replicas *all, struct replica *r, const struct task *task, se_error *err)
{
    enum breaker_leave leave = ask(r);
    struct key *key;
    se_error failure = SE_ERROR_INIT;
    se_status st;

    if (leave == BREAKER_WAIT)
        return remembered(r, err);
    if (!(st = open_late(&key, all, r, &failure)))
        st = task->run(task, key->private, &failure);
    learn(r, leave, &failure);
    return st ? error_set_at(err, st, failure.file, failure.line, "%s", failure.text) : SE_OK;
}

/* ---- all of them ---- */

/* The failure that is told when no replica serves: of the first that is away, for that may change by itself, else of the first. */
struct blame {
    const struct replica *replica;
    se_error error;
};

static void blame_on(struct blame *blame, const struct replica *r, const se_error *failure)
{
    bool away = failure->status == SE_ERR_UNAVAILABLE, had = blame->error.status == SE_ERR_UNAVAILABLE;

    if (blame->replica && (had > away || (had == away && blame->replica < r)))
        return;
    blame->replica = r;
    blame->error = *failure;
}

static se_status none_serves(const struct replicas *all, const struct blame *blame, se_error *err)
{
    return error_set_at(err, blame->error.status, blame->error.file, blame->error.line,
                        "none of %zu replicas serves; number %u (line %d): %s", all->entry->count, number(all, blame->replica),
                        blame->replica->ref->line, blame->error.text);
}

/* One operation on its way from replica to replica. */
struct journey {
    struct replicas *all;
    const struct task *task;
    uint64_t seen; /* place, when it began */
    struct blame blame;
};

/* True: it has ended, with *st. */
static bool visit(struct journey *j, size_t index, se_status *st, se_error *err)
{
    struct replica *r = &j->all->list[index];
    se_error failure = SE_ERROR_INIT;

    *st = try(j->all, r, j->task, &failure);
    if (replica_may_mend(*st)) {
        blame_on(&j->blame, r, &failure);
        return false;
    }
    if (*st)
        (void)error_set_at(err, *st, failure.file, failure.line, "%s", failure.text);
    else
        move_to(j->all, j->seen, index);
    return true;
}

static bool is_returned_to(const struct replicas *all, size_t index, size_t used)
{
    return index < used && all->list[index].ref->failback;
}

static se_status run(struct replicas *all, const struct task *task, se_error *err)
{
    struct journey j = { all, task, __atomic_load_n(&all->place, __ATOMIC_RELAXED), { NULL, SE_ERROR_INIT } };
    size_t used = place_used(j.seen), count = all->entry->count;
    se_status st;

    for (size_t i = 0; i < used; i++)
        if (is_returned_to(all, i, used) && visit(&j, i, &st, err))
            return st;
    for (size_t step = 0; step < count; step++) {
        size_t i = (used + step) % count;

        if (!is_returned_to(all, i, used) && visit(&j, i, &st, err))
            return st;
    }
    return none_serves(all, &j.blame, err);
}

/* ---- the key that the engine sees ---- */

static se_status sign_with(const struct task *task, EVP_PKEY *key, se_error *err)
{
    return key_sign_hash(task->out, key, task->how, task->in, err);
}

static se_status sign(se_buf *out, void *remote, const struct sign_how *how, se_bytes hash, se_error *err)
{
    const struct task task = { sign_with, out, how, hash };

    *out = (se_buf)SE_BUF_INIT;
    return run(remote, &task, err);
}

static se_status unwrap_with(const struct task *task, EVP_PKEY *key, se_error *err)
{
    return key_unwrap(task->out, key, task->how, task->in, err);
}

static se_status unwrap(se_buf *out, void *remote, const struct unwrap_how *how, se_bytes blob, se_error *err)
{
    const struct task task = { unwrap_with, out, how, blob };

    *out = (se_buf)SE_BUF_INIT;
    return run(remote, &task, err);
}

static void close_all(void *remote)
{
    struct replicas *all = remote;

    for (size_t i = 0; all && i < all->entry->count; i++)
        key_unref(all->list[i].key);
    free(all);
}
AUTO_KIND(replicas, struct replicas *, close_all(*p))

/* ---- opening ---- */

static se_status open_each(struct replicas *all, se_error *err)
{
    struct blame blame = { NULL, SE_ERROR_INIT };
    se_status st;

    for (size_t i = 0; i < all->entry->count; i++) {
        struct replica *r = &all->list[i];
        se_error failure = SE_ERROR_INIT;

        st = store_open(&r->key, r->ref, all->part, &failure);
        if (st && !replica_may_mend(st))
            return error_set_at(err, st, failure.file, failure.line, "%s", failure.text);
        learn(r, BREAKER_GO, &failure);
        if (st)
            blame_on(&blame, r, &failure);
        else if (!all->public) {
            all->public = X509_get0_pubkey(r->key->certificate);
            all->place = all->compared = i;
        } else if ((st = compare(all, r, r->key, err)))
            return st;
    }
    return all->public ? SE_OK : none_serves(all, &blame, err);
}

static struct replicas *prepare(const struct key_entry *entry, enum key_part part)
{
    struct replicas *all = calloc(1, sizeof *all + entry->count * sizeof *all->list);

    if (!all)
        return NULL;
    all->entry = entry;
    all->part = part;
    for (size_t i = 0; i < entry->count; i++)
        all->list[i].ref = &entry->replicas[i];
    return all;
}

se_status replicas_open(struct key **out, const struct key_entry *entry, enum key_part part, se_error *err)
{
    static const struct remote_ops ops = { sign, unwrap, close_all };
    AUTO(replicas) all = prepare(entry, part);
    AUTO(x509_stack) chain = NULL;
    const struct key *first;
    EVP_PKEY *private;
    se_status st;

    *out = NULL;
    if (!all)
        return error_memory(err);
    if ((st = open_each(all, err)))
        return st;
    first = all->list[all->compared].key;
    if (first->chain && !(chain = X509_chain_up_ref(first->chain)))
        return error_memory(err);
    if ((st = remote_key(&private, &ops, all, all->public, err)))
        return st;
    all = NULL;
    X509_up_ref(first->certificate);
    st = key_new(out, private, first->certificate, chain, err);
    chain = NULL;
    return st;
}
