/* SPDX-License-Identifier: Apache-2.0 */
/* Reading entries: those of a chain that was verified, or what is there; and who has sealed. */
#include <stdlib.h>

#include "base/arguments.h"
#include "base/array.h"
#include "history/verification.h"

struct reading {
    const se_history_range *range;
    se_history_entry_fn fn;
    void *arg;
    bool enough;
};

static bool is_entry_wanted(const se_history_range *range, const struct row *row)
{
    int64_t seconds = row->time / 1000000;
    se_bytes object = range->object;

    if ((range->from && seconds < range->from) || (range->to && seconds >= range->to))
        return false;
    return !object.size || (row->object.size == object.size &&
                            memcmp(row->object.data, object.data, object.size) == 0);
}

/* SE_ERR_CANCELLED ends the reading, and is no failure. */
static se_status give_entry(void *arg, const struct row *row, se_error *err)
{
    const se_bytes none = { "", 0 };
    struct reading *r = arg;
    const bool erased = entry_erased(row);
    const se_history_entry entry = {
        .seq = row->seq,
        .time_us = row->time,
        .object = row->object,
        .payload = erased ? none : row->payload,
        .salt = row->salt,
        .erased = erased,
        .commitment = erased ? row->payload : none,
    };

    (void)err;
    if (!is_entry_wanted(r->range, row))
        return SE_OK;
    r->enough = !r->fn(r->arg, &entry);
    return r->enough ? SE_ERR_CANCELLED : SE_OK;
}

static uint64_t lesser_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t range_last(const se_history_range *range, const struct chain *chain)
{
    return range->last ? lesser_of(range->last, chain->frontier.size) : chain->frontier.size;
}

/* ---- entries of a chain that was verified ---- */

/*
 * They are read once more, and compared with the hashes that were found good.  The transaction is
 * still that of the verification, but whoever can write to the file, or is the server, need not
 * keep to that.
 */
enum { STRETCH = 16 * BLOCK };

struct stretch {
    const struct verification *v;
    uint64_t before, end; /* the entries after `before`, up to `end` */
    uint64_t next;
    struct frontier block; /* of those of the block of 256 so far, as a tree of its own */
    struct hash leaves[STRETCH];
    struct reading *reading;
};

static se_status refuse_changed(uint64_t seq, se_error *err)
{
    return error_set(err, SE_ERR_REJECTED,
                     "entry %ju: it is not what was verified: it was changed meanwhile",
                     (uintmax_t)seq);
}

/* What a frontier has of its last block that is not full, as a tree of its own. */
static struct frontier frontier_tail(const struct frontier *frontier)
{
    struct frontier tail = { .size = frontier->size % BLOCK };

    tail.count = (unsigned)__builtin_popcountll(tail.size);
    if (tail.count)
        memcpy(tail.parts, frontier->parts + frontier->count - tail.count,
               tail.count * sizeof *tail.parts);
    return tail;
}

/* Of a block that is full, or of the chain's last one. */
static bool is_block_verified(const struct stretch *s)
{
    const struct hash *verified = subtree_at(&s->v->subtrees, (s->next - 2) / BLOCK);
    struct frontier tail;

    if (s->block.size == BLOCK)
        return verified && hash_equal(&s->block.parts[0], verified);
    tail = frontier_tail(&s->v->chain.frontier);
    return frontier_equal(&s->block, &tail);
}

static se_status hash_row(void *arg, const struct row *row, se_error *err)
{
    struct stretch *s = arg;
    struct hash *leaf = &s->leaves[s->next - s->before - 1];

    if (row->seq != s->next || entry_leaf(leaf, row, &s->v->chain.id, NULL))
        return refuse_changed(s->next, err);
    frontier_add(&s->block, 0, leaf, NULL, NULL);
    s->next++;
    if (row->seq % BLOCK && row->seq < s->end)
        return SE_OK;
    if (!is_block_verified(s))
        return refuse_changed(row->seq, err);
    s->block = (struct frontier){ .size = 0 };
    return SE_OK;
}

static se_status give_verified_row(void *arg, const struct row *row, se_error *err)
{
    struct stretch *s = arg;
    struct hash leaf;

    if (row->seq != s->next || entry_leaf(&leaf, row, &s->v->chain.id, NULL) ||
        !hash_equal(&leaf, &s->leaves[s->next - s->before - 1]) ||
        entry_erased(row) != is_erasure_signed(&s->v->events, row->seq))
        return refuse_changed(s->next, err);
    s->next++;
    return give_entry(s->reading, row, err);
}

static se_status read_stretch(struct stretch *s, uint64_t first, uint64_t last, se_error *err)
{
    const struct verification *v = s->v;
    const struct chain_store_type *type = v->store->type;

    s->next = s->before + 1;
    s->block = (struct frontier){ .size = 0 };
    if (s->before == v->chain.base.size)
        s->block = frontier_tail(&v->chain.base);
    TRY(type->read_rows(v->store, &(struct range){ &v->chain, s->next, s->end }, hash_row, s, err));
    if (s->next <= s->end)
        return refuse_changed(s->next, err);
    s->next = first;
    TRY(type->read_rows(v->store, &(struct range){ &v->chain, first, last }, give_verified_row, s,
                        err));
    return s->next <= last ? refuse_changed(s->next, err) : SE_OK;
}

static se_status read_stretches(const struct verification *v, struct reading *r, se_error *err)
{
    uint64_t base = v->chain.base.size, size = v->chain.frontier.size;
    uint64_t first = r->range->first > base ? r->range->first : base + 1;
    uint64_t last = range_last(r->range, &v->chain);
    struct stretch *s;
    se_status st = SE_OK;

    if (!(s = malloc(sizeof *s)))
        return error_memory(err);
    *s = (struct stretch){ .v = v, .reading = r };
    while (!st && first <= last) {
        uint64_t begins = (first - 1) / BLOCK * BLOCK;

        s->before = begins > base ? begins : base;
        s->end = lesser_of(begins + STRETCH, size);
        st = read_stretch(s, first, lesser_of(last, s->end), err);
        first = s->end + 1;
    }
    free(s);
    return st;
}

/* The latest checkpoint, of the state that was verified. */
static se_status read_latest(se_buf *out, const struct verification *v, se_error *err)
{
    struct hash hash;

    TRY(checkpoint_read(out, v->store, &v->chain, v->latest.checkpoint.number, err));
    TRY(signed_note_hash(&hash, buf_bytes(out), err));
    return hash_equal(&hash, &v->latest.hash)
               ? SE_OK
               : error_set(err, SE_ERR_REJECTED, "the last seal was changed meanwhile");
}

static se_status read_verified(se_history_report *report, se_buf *latest, struct reading *r,
                               se_history *h, se_error *err)
{
    AUTO(verification) v = { .h = h };

    TRY(verification_require(report, &v, err));
    if (latest)
        TRY(read_latest(latest, &v, err));
    return read_stretches(&v, r, err);
}

/* ---- what is there ---- */

static se_status read_unverified(struct reading *r, se_history *h, se_error *err)
{
    AUTO(chain_store) store = NULL;
    struct chain chain;

    TRY(history_open_reader(&store, &chain, h, err));
    return store->type->read_rows(
        store, &(struct range){ &chain, r->range->first, range_last(r->range, &chain) }, give_entry,
        r, err);
}

/* ---- */

static se_status read_range(se_history_report *report, se_buf *latest, struct reading *r,
                            se_history *h, se_error *err)
{
    se_history_range range;
    se_status st;

    TRY(arguments_options(&range, r->range, se_history_range, err));
    r->range = &range;
    if (range.unverified)
        st = read_unverified(r, h, err);
    else
        st = read_verified(report, latest, r, h, err);
    return r->enough ? SE_OK : st;
}

se_status se_history_read(se_history *history, const se_history_range *range,
                          se_history_entry_fn fn, void *arg, se_error *error)
{
    struct reading r = { .range = range, .fn = fn, .arg = arg };
    se_history_report report;

    TRY(arguments_check(error, history, fn));
    return read_range(&report, NULL, &r, history, error);
}

se_status se_history_export(se_history_report *report, se_buf *seal, se_history *history,
                            const se_history_range *range, se_history_entry_fn fn, void *arg,
                            se_error *error)
{
    struct reading r = { .range = range, .fn = fn, .arg = arg };
    se_status st;

    if (report)
        *report = (se_history_report){ .first = 0 };
    if (seal)
        *seal = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, report, seal, history, fn));
    if (range && range->unverified)
        return error_set(error, SE_ERR_USAGE, "what is exported is verified");
    st = read_range(report, seal, &r, history, error);
    if (st)
        se_buf_free(seal);
    return st;
}

/* ---- who has sealed, as the seals say: one chain; versions never go down along it, so each is one
 * run of seals ---- */

struct run {
    char descriptor[sizeof((struct checkpoint *)NULL)->descriptor];
    unsigned version;
    uint64_t first, last;
    int64_t first_us, last_us;
};

struct runs {
    struct run *list;
    size_t count, room;
    uint64_t resigned; /* the seal that vouches for all before it; 0: none */
};

static void runs_free(struct runs *runs)
{
    free(runs->list);
}
AUTO_KIND(runs, struct runs, runs_free(p))

static bool continues(const struct runs *runs, const struct checkpoint *c)
{
    const struct run *newest = runs->count ? &runs->list[runs->count - 1] : NULL;

    return newest && newest->version == c->version && !strcmp(newest->descriptor, c->descriptor);
}

static se_status add_seal(void *arg, const struct stored_checkpoint *stored, se_error *err)
{
    struct runs *runs = arg;
    struct signed_note note;
    const struct checkpoint *c = &note.checkpoint;

    if (signed_note_parse(&note, stored->note, NULL))
        return error_set(err, SE_ERR_REJECTED, "seal %ju can't be read", (uintmax_t)stored->number);
    if (c->event == EVENT_RESIGNS)
        runs->resigned = stored->number;
    if (!continues(runs, c)) {
        if (!array_grow(&runs->list, &runs->room, runs->count))
            return error_memory(err);
        runs->list[runs->count] =
            (struct run){ .version = c->version, .first = stored->number, .first_us = c->time };
        memcpy(runs->list[runs->count++].descriptor, c->descriptor, sizeof c->descriptor);
    }
    runs->list[runs->count - 1].last = stored->number;
    runs->list[runs->count - 1].last_us = c->time;
    return SE_OK;
}

/* *enough: the caller wants no more. */
static void tell_runs(bool *enough, const struct runs *runs, const char *chain,
                      se_history_seals_fn fn, void *arg)
{
    for (size_t i = 0; !*enough && i < runs->count; i++) {
        const struct run *run = &runs->list[i];
        const se_history_seals seals = {
            .chain = chain,
            .descriptor = run->descriptor,
            .version = run->version,
            .first = run->first,
            .last = run->last,
            .vouched = run->last < runs->resigned,
            .first_us = run->first_us,
            .last_us = run->last_us,
        };

        *enough = !fn(arg, &seals);
    }
}

/* ---- all of them: first the chains, for a store reads one thing at a time ---- */

struct chain_list {
    const char *wanted; /* NULL: all */
    struct chain *list;
    size_t count, room;
};

static void chain_list_free(struct chain_list *chains)
{
    free(chains->list);
}
AUTO_KIND(chain_list, struct chain_list, chain_list_free(p))

static se_status add_chain(void *arg, const struct chain *chain, se_error *err)
{
    struct chain_list *chains = arg;

    if (chains->wanted && strcmp(chains->wanted, chain->name) != 0)
        return SE_OK;
    if (!array_grow(&chains->list, &chains->room, chains->count))
        return error_memory(err);
    chains->list[chains->count++] = *chain;
    return SE_OK;
}

static se_status read_runs(struct runs *out, struct chain_store *store, const struct chain *chain,
                           se_error *err)
{
    const struct range range = { chain, chain->base_checkpoint, chain->checkpoints };

    TRY_PREFIX(store->type->read_checkpoints(store, &range, add_seal, out, err), err,
               "chain '%s': ", chain->name);
    return SE_OK;
}

static se_status read_sealers(struct chain_store *store, const struct chain_list *chains,
                              se_history_seals_fn fn, void *arg, se_error *err)
{
    bool enough = false;

    for (size_t i = 0; !enough && i < chains->count; i++) {
        AUTO(runs) runs = { .count = 0 };

        TRY(read_runs(&runs, store, &chains->list[i], err));
        tell_runs(&enough, &runs, chains->list[i].name, fn, arg);
    }
    return SE_OK;
}

se_status se_history_sealers(const char *store, const char *chain, se_history_seals_fn fn,
                             void *arg, se_error *error)
{
    AUTO(chain_store) opened = NULL;
    AUTO(chain_list) chains = { .wanted = chain };
    se_status st;

    TRY(arguments_check(error, store, fn));
    TRY(history_open_store(&opened, store, error));
    st = opened->type->read_chains(opened, add_chain, &chains, error);
    if (!st && chain && !chains.count)
        st = error_set(error, SE_ERR_USAGE, "there is no chain '%s'", chain);
    if (!st)
        st = read_sealers(opened, &chains, fn, arg, error);
    transaction_abandon(opened);
    return st;
}
