#include "engine/replica.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/fork_lock.h"

/* A key or a mechanism that one store lacks another may have, and a PIN that one refuses says
 * nothing about the others. */
bool replica_may_mend(se_status status)
{
    return status == SE_ERR_UNAVAILABLE || status == SE_ERR_STORE || status == SE_ERR_KEY ||
           status == SE_ERR_ACCESS;
}

static enum breaker_leave ask(struct replica *r)
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

static void remember(se_error *out, struct replica *r)
{
    fork_lock_take();
    *out = r->failure;
    fork_lock_give();
}

void replica_tell_lost(struct replica *r)
{
    se_error failure;

    remember(&failure, r);
    reporter_tell(r->reporter, SE_EVENT_KEY_LOST, failure.status, failure.text);
}

static se_status fail_as_before(struct replica *r, se_error *err)
{
    se_error failure;

    remember(&failure, r);
    return error_set_at(err, failure.status, failure.file, failure.line, "%s", failure.text);
}

/* SE_OK in `failure`: it served.  True: that is news. */
static bool learn(struct replica *r, enum breaker_leave leave, const se_error *failure)
{
    bool opened = __atomic_load_n(&r->key, __ATOMIC_RELAXED), news = false;
    bool failed = replica_may_mend(failure->status) || (failure->status && !opened);

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

static se_status compare(struct replica *r, const struct key *key, struct likeness *likeness,
                         se_error *err)
{
    EVP_PKEY *public = X509_get0_pubkey(key->certificate);

    if (!likeness->public)
        *likeness = (struct likeness){ public, r };
    if (EVP_PKEY_eq(likeness->public, public) == 1)
        return SE_OK;
    fork_lock_take();
    r->foreign = true;
    fork_lock_give();
    return error_set(err, SE_ERR_KEY,
                     "replica %u (line %d) holds another key than replica %u (line %d)",
                     r->reporter->replica, r->ref->line, likeness->of->reporter->replica,
                     likeness->of->ref->line);
}

static se_status open_it(struct replica *r, enum key_part part, struct likeness *likeness,
                         se_error *err)
{
    AUTO(key) key = NULL;

    TRY(store_open(&key, r->ref, part, &r->reporter->watch, err));
    TRY(compare(r, key, likeness, err));
    __atomic_store_n(&r->key, key, __ATOMIC_RELEASE);
    key = NULL;
    return SE_OK;
}

se_status replica_open(struct replica *r, enum key_part part, struct likeness *likeness,
                       se_error *err)
{
    se_error failure = SE_ERROR_INIT;
    se_status st = open_it(r, part, likeness, &failure);

    (void)learn(r, BREAKER_GO, &failure);
    return st ? error_set_at(err, st, failure.file, failure.line, "%s", failure.text) : SE_OK;
}

se_status replica_run(struct replica *r, enum key_part part, struct likeness *likeness,
                      const struct task *task, se_error *err)
{
    enum breaker_leave leave = ask(r);
    se_error failure = SE_ERROR_INIT;
    se_status st = SE_OK;

    if (leave == BREAKER_WAIT)
        return fail_as_before(r, err);
    if (!__atomic_load_n(&r->key, __ATOMIC_ACQUIRE)) /* then only the one that probes comes here */
        st = open_it(r, part, likeness, &failure);
    if (!st)
        st = task->run(task, r->key->private, &failure);
    if (learn(r, leave, &failure)) {
        if (replica_may_mend(st))
            reporter_tell(r->reporter, SE_EVENT_KEY_LOST, st, failure.text);
        else
            reporter_tell(r->reporter, SE_EVENT_KEY_HEALED, SE_OK, "");
    }
    return st ? error_set_at(err, st, failure.file, failure.line, "%s", failure.text) : SE_OK;
}
