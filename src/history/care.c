/* What is done to a chain besides appending.  Whatever it is, a seal says so. */
#include <stdlib.h>

#include "base/arguments.h"
#include "history/verification.h"

enum { MICROS = 1000000 };

static se_status alone(struct se_history *h,
                       se_status (*work)(struct se_history *h, void *arg, se_error *err), void *arg,
                       se_error *err)
{
    struct waiter w = { .work = work, .arg = arg };
    se_status st = history_ours(h, err);

    return st ? st : queue_join(h, &w, err);
}

/*
 * Nothing is done to a chain that is not good, all of it: it could never be good again, and what
 * was dropped could not be looked at any more.  Nobody can append, or put something in its place,
 * between this and what is done.  `vouched`: signatures of versions that are not configured are
 * taken on trust.
 */
static se_status require_good(struct known *last, struct se_history *h, const struct chain *chain,
                              bool vouched, se_error *err)
{
    AUTO(verification) v = { .h = h, .store = h->store, .chain = *chain, .vouched = vouched };
    se_history_report report;
    se_status st = verification_require(&report, &v, err);

    *last = v.last;
    return st ? error_prefix(err, "chain '%s' is not good, and nothing is changed: ", h->chain)
              : SE_OK;
}

/* A dry run keeps nobody waiting. */
static enum database_mode care_mode(const struct se_history *h)
{
    return h->dry_run ? DATABASE_READ : DATABASE_ALONE;
}

static se_status begin_good(struct chain *chain, struct se_history *h, se_error *err)
{
    struct known last;
    se_status st = history_begin(chain, h, care_mode(h), err);

    if (!st && (st = require_good(&last, h, chain, false, err)))
        database_abandon(h->store);
    return st;
}

/* A seal over what is there, with `event`; it ends the transaction. */
static se_status seal_event(struct se_history *h, struct chain *chain, enum seal_event event,
                            uint64_t subject, se_error *err)
{
    struct sealing what = { event, subject, micros_now() };
    struct known sealed;
    se_status st;

    if (h->dry_run) {
        database_abandon(h->store);
        return SE_OK;
    }
    what.time = what.time > h->known.seal.time ? what.time : h->known.seal.time;
    st = history_seal(&sealed, h, chain, &what, err);
    return history_end(h, &sealed, st, err);
}

/* ---- the end ---- */

static se_status end(struct se_history *h, void *arg, se_error *err)
{
    struct chain chain;
    se_status st = begin_good(&chain, h, err);

    (void)arg;
    return st ? st : seal_event(h, &chain, EVENT_CLOSES, 0, err);
}

se_status se_history_end(se_history *history, se_error *error)
{
    se_status st = arguments_check(error, history);

    return st ? st : alone(history, end, NULL, error);
}

/* ---- payloads ---- */

struct erasure {
    uint64_t seq;
    struct hash commitment;
    bool found, erased;
};

static se_status note_row(void *arg, const struct row *row, se_error *err)
{
    struct erasure *e = arg;

    e->found = true;
    e->erased = row_erased(row);
    return row_commitment(&e->commitment, row, err);
}

static se_status erase_row(struct se_history *h, const struct chain *chain, struct erasure *e,
                           se_error *err)
{
    const struct database_type *type = h->store->type;

    TRY(type->rows(h->store, chain, e->seq, e->seq, note_row, e, err));
    if (!e->found)
        return error_set(err, SE_ERR_USAGE, "chain '%s' has no entry %ju", h->chain,
                         (uintmax_t)e->seq);
    if (e->erased)
        return error_set(err, SE_ERR_USAGE, "the payload of entry %ju was erased before",
                         (uintmax_t)e->seq);
    return h->dry_run ? SE_OK : type->erase(h->store, chain, e->seq, &e->commitment, err);
}

static se_status erase(struct se_history *h, void *arg, se_error *err)
{
    struct erasure *e = arg;
    struct chain chain;
    se_status st;

    TRY(begin_good(&chain, h, err));
    if ((st = erase_row(h, &chain, e, err))) {
        database_abandon(h->store);
        return st;
    }
    return seal_event(h, &chain, EVENT_ERASES, e->seq, err);
}

se_status se_history_erase(se_history *history, uint64_t seq, se_error *error)
{
    struct erasure e = { .seq = seq };
    se_status st = arguments_check(error, history);

    return st ? st : alone(history, erase, &e, error);
}

/* ---- old entries ---- */

struct pruning {
    int64_t before;
    uint64_t dropped;
};

static se_status drop(struct se_history *h, struct chain *chain, const struct seal *seal,
                      se_error *err)
{
    struct edge edge;
    struct hash root;

    TRY(tree_edge(&edge, h->store, chain, seal->size, err));
    TRY(edge_root(&root, &edge, err));
    if (!hash_same(&root, &seal->root))
        return error_set(
            err, SE_ERR_REJECTED,
            "chain '%s': what is stored is not what seal %ju covers: nothing is dropped", h->chain,
            (uintmax_t)seal->number);
    chain->base = edge;
    chain->base_seal = seal->number;
    return h->dry_run ? SE_OK
                      : h->store->type->drop(h->store, chain, seal->size, seal->number, err);
}

static se_status prune(struct se_history *h, void *arg, se_error *err)
{
    struct pruning *p = arg;
    struct chain chain;
    struct seal seal;
    se_status st;

    TRY(begin_good(&chain, h, err));
    p->dropped = chain.base.size;
    if (!seal_before(&seal, h->store, &chain, chain.seals, p->before) ||
        seal.size <= chain.base.size) {
        database_abandon(h->store);
        return SE_OK;
    }
    if ((st = drop(h, &chain, &seal, err))) {
        database_abandon(h->store);
        return st;
    }
    p->dropped = seal.size;
    return seal_event(h, &chain, EVENT_PRUNES, seal.size, err);
}

/* What is sealed after a look at what would go must not go with it; a time to come is a slip, and
 * would take all. */
static se_status check_past(int64_t before, se_error *err)
{
    return before <= micros_now() / MICROS
               ? SE_OK
               : error_set(err, SE_ERR_USAGE, "that time is yet to come: it would drop everything");
}

se_status se_history_prune(uint64_t *dropped, se_history *history, int64_t before, se_error *error)
{
    struct pruning p = { 0 };
    se_status st;

    if (!(st = arguments_check(error, history)))
        st = check_past(before, error);
    p.before = !st && before > 0 ? before * MICROS : 0;
    if (!st)
        st = alone(history, prune, &p, error);
    if (dropped)
        *dropped = st ? 0 : p.dropped;
    return st;
}

/* ---- a new key ---- */

/* Who has lost the old keys can't tell that the last seal is good, but the walk compares all
 * entries with it: it is known then. */
static se_status vouch(struct chain *chain, struct se_history *h, se_error *err)
{
    struct known last;

    TRY(require_good(&last, h, chain, true, err));
    h->known = last;
    return last.seal.event == EVENT_CLOSES
               ? error_set(err, SE_ERR_USAGE,
                           "chain '%s' was closed by seal %ju: nothing can be added", h->chain,
                           (uintmax_t)last.seals)
               : SE_OK;
}

static se_status resign(struct se_history *h, void *arg, se_error *err)
{
    struct chain chain;
    se_status st = history_lock(&chain, h, care_mode(h), err);

    (void)arg;
    if (st)
        return st;
    if ((st = vouch(&chain, h, err))) {
        database_abandon(h->store);
        return st;
    }
    return seal_event(h, &chain, EVENT_RESIGNS, 0, err);
}

se_status se_history_resign(se_history *history, se_error *error)
{
    se_status st = arguments_check(error, history);

    return st ? st : alone(history, resign, NULL, error);
}
