/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to a chain besides appending.  Whatever it is, a checkpoint says so. */
#include "base/arguments.h"
#include "base/clock.h"
#include "history/verification.h"

enum { MILLION = 1000000 };

static se_status queue_exclusive(se_history *h,
                                 se_status (*work)(se_history *h, void *arg, se_error *err),
                                 void *arg, se_error *err)
{
    struct queued_call call = { .work = work, .arg = arg };

    TRY(history_check_process(h, err));
    return commit_queue_join(h, &call, err);
}

/*
 * Nothing is done to a chain unless all of it is good: it could never be good again, and what was
 * dropped could not be looked at any more.  Nobody can append, or put something in its place,
 * between this and what is done.  `vouched`: signatures of versions that are not configured are
 * taken on trust.
 */
static se_status require_good_chain(struct latest *latest, se_history *h, const struct chain *chain,
                                    bool vouched, se_error *err)
{
    AUTO(verification) v = { .h = h, .store = h->store, .chain = *chain, .vouched = vouched };
    se_history_report report;
    se_status st = verification_require(&report, &v, err);

    *latest = v.latest;
    return error_prefix(err, st, "chain '%s' is not good, and nothing is changed: ", h->chain);
}

/* A dry run keeps nobody waiting. */
static enum store_mode maintenance_mode(const se_history *h)
{
    return h->dry_run ? STORE_READ : STORE_EXCLUSIVE;
}

static se_status begin_verified(struct chain *chain, se_history *h, se_error *err)
{
    struct latest latest;
    se_status st;

    TRY(history_begin(chain, h, maintenance_mode(h), err));
    st = require_good_chain(&latest, h, chain, false, err);
    if (st)
        transaction_abandon(h->store);
    return st;
}

/* Adds a checkpoint over what is there, with `event`, and ends the transaction. */
static se_status commit_event(se_history *h, struct chain *chain, enum checkpoint_event event,
                              uint64_t subject, se_error *err)
{
    struct latest made = { .checkpoint = { .event = event, .subject = subject } };
    const int64_t now = clock_microseconds(), before = h->latest.checkpoint.time;
    se_status st;

    if (h->dry_run) {
        transaction_abandon(h->store);
        return SE_OK;
    }
    made.checkpoint.time = now > before ? now : before;
    st = checkpoint_append(&made, h, chain, err);
    return history_commit(h, &made, st, err);
}

/* ---- the end ---- */

static se_status close_chain(se_history *h, void *arg, se_error *err)
{
    struct chain chain;

    (void)arg;
    TRY(begin_verified(&chain, h, err));
    return commit_event(h, &chain, EVENT_CLOSES, 0, err);
}

se_status se_history_end(se_history *history, se_error *error)
{
    TRY(arguments_check(error, history));
    return queue_exclusive(history, close_chain, NULL, error);
}

/* ---- payloads ---- */

struct payload_erasure {
    uint64_t seq;
    struct hash commitment;
    bool found, erased;
};

static se_status keep_commitment(void *arg, const struct row *row, se_error *err)
{
    struct payload_erasure *e = arg;

    e->found = true;
    e->erased = entry_erased(row);
    return entry_commitment(&e->commitment, row, err);
}

static se_status erase_stored_payload(se_history *h, const struct chain *chain,
                                      struct payload_erasure *e, se_error *err)
{
    const struct chain_store_type *type = h->store->type;

    TRY(type->read_rows(h->store, &(struct range){ chain, e->seq, e->seq }, keep_commitment, e,
                        err));
    if (!e->found)
        return error_set(err, SE_ERR_USAGE, "chain '%s' has no entry %ju", h->chain,
                         (uintmax_t)e->seq);
    if (e->erased)
        return error_set(err, SE_ERR_USAGE, "the payload of entry %ju was erased before",
                         (uintmax_t)e->seq);
    return h->dry_run ? SE_OK : type->erase_payload(h->store, chain, e->seq, &e->commitment, err);
}

static se_status erase_payload(se_history *h, void *arg, se_error *err)
{
    struct payload_erasure *e = arg;
    struct chain chain;
    se_status st;

    TRY(begin_verified(&chain, h, err));
    st = erase_stored_payload(h, &chain, e, err);
    if (st) {
        transaction_abandon(h->store);
        return st;
    }
    return commit_event(h, &chain, EVENT_ERASES, e->seq, err);
}

se_status se_history_erase(se_history *history, uint64_t seq, se_error *error)
{
    struct payload_erasure e = { .seq = seq };

    TRY(arguments_check(error, history));
    return queue_exclusive(history, erase_payload, &e, error);
}

/* ---- old entries ---- */

struct pruning {
    int64_t before;
    uint64_t dropped;
};

static se_status drop_covered(se_history *h, struct chain *chain,
                              const struct checkpoint *checkpoint, se_error *err)
{
    struct frontier frontier;
    struct hash root;

    TRY(frontier_load(&frontier, h->store, chain, checkpoint->size, err));
    TRY(frontier_root(&root, &frontier, err));
    if (!hash_equal(&root, &checkpoint->root))
        return error_set(
            err, SE_ERR_REJECTED,
            "chain '%s': what is stored is not what seal %ju covers: nothing is dropped", h->chain,
            (uintmax_t)checkpoint->number);
    chain->base = frontier;
    chain->base_checkpoint = checkpoint->number;
    if (h->dry_run)
        return SE_OK;
    return h->store->type->drop_entries(h->store, chain, checkpoint->size, checkpoint->number, err);
}

static se_status prune_chain(se_history *h, void *arg, se_error *err)
{
    struct pruning *p = arg;
    struct chain chain;
    struct checkpoint checkpoint;
    se_status st;

    TRY(begin_verified(&chain, h, err));
    p->dropped = chain.base.size;
    if (!checkpoint_before(&checkpoint, h->store, &chain, chain.checkpoints, p->before) ||
        checkpoint.size <= chain.base.size) {
        transaction_abandon(h->store);
        return SE_OK;
    }
    st = drop_covered(h, &chain, &checkpoint, err);
    if (st) {
        transaction_abandon(h->store);
        return st;
    }
    p->dropped = checkpoint.size;
    return commit_event(h, &chain, EVENT_PRUNES, checkpoint.size, err);
}

se_status se_history_prune(uint64_t *dropped, se_history *history, int64_t before, se_error *error)
{
    struct pruning p = { 0 };

    if (dropped)
        *dropped = 0;
    TRY(arguments_check(error, history));
    /* what is appended after the user has looked must not go too; a time to come would take all */
    if (before > clock_seconds())
        return error_set(error, SE_ERR_USAGE, "that time is yet to come: it would drop everything");
    p.before = before > 0 ? before * MILLION : 0;
    TRY(queue_exclusive(history, prune_chain, &p, error));
    if (dropped)
        *dropped = p.dropped;
    return SE_OK;
}

/* ---- a new key ---- */

/* Without the old keys nothing says that the latest checkpoint is good, but the scan compares all
 * entries with it: it is known then. */
static se_status vouch_for_chain(const struct chain *chain, se_history *h, se_error *err)
{
    struct latest latest;

    TRY(require_good_chain(&latest, h, chain, true, err));
    h->latest = latest;
    if (latest.checkpoint.event == EVENT_CLOSES)
        return error_set(err, SE_ERR_USAGE,
                         "chain '%s' was closed by seal %ju: nothing can be added", h->chain,
                         (uintmax_t)latest.checkpoint.number);
    return SE_OK;
}

static se_status resign_chain(se_history *h, void *arg, se_error *err)
{
    struct chain chain;
    se_status st;

    (void)arg;
    TRY(history_lock_chain(&chain, h, maintenance_mode(h), err));
    st = vouch_for_chain(&chain, h, err);
    if (st) {
        transaction_abandon(h->store);
        return st;
    }
    return commit_event(h, &chain, EVENT_RESIGNS, 0, err);
}

se_status se_history_resign(se_history *history, se_error *error)
{
    TRY(arguments_check(error, history));
    return queue_exclusive(history, resign_chain, NULL, error);
}
