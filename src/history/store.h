/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where chains are kept.  A store is one connection: one thread at a time.
 * To add one: one file, one row in history.c.
 */
#ifndef HISTORY_STORE_H
#define HISTORY_STORE_H

#include "history/signed_note.h"

/* What a store says of a chain, besides its entries, checkpoints and subtrees.  None of it is
 * trusted: the latest checkpoint vouches for it. */
struct chain {
    char name[CHAIN_NAME_MOST + 1];
    int64_t number; /* the store's own, from 1 */
    struct chain_id id;
    struct frontier frontier; /* of all entries */
    uint64_t checkpoints;     /* how many there were ever, with those that were dropped */
    struct hash last;         /* hash of the latest checkpoint's note */
    struct frontier base;     /* of the entries that were dropped */
    uint64_t base_checkpoint; /* the first one that is still there */
    bool damaged;             /* some of this could not be read */
};

struct stored_checkpoint {
    uint64_t number;
    uint64_t size;
    se_bytes note;
};

/* Rows of a chain with numbers from `first` to `last`. */
struct range {
    const struct chain *chain;
    uint64_t first, last;
};

/* Numbers of the first and the last entry that there is; where somebody has changed them they may
 * be anything. */
struct extent {
    bool there;
    uint64_t first, last;
};

struct chain_store;

/*
 * What an idempotency key stands for.  Whoever can write to the store can make one up: it says
 * where to look, and what is there decides.
 */
struct append_key {
    se_bytes caller, name;
    struct hash digest;    /* of the request (doc/formats.md) */
    uint64_t first, count; /* entries; no count: the key is not there */
    bool erased;           /* the digest is gone: some of them were erased or dropped */
};

/* For how long they are kept, in microseconds of a clock that all who append share.  The oldest
 * ones are looked at when others are written, so that there are never many to drop at once. */
#define KEYS_LAST_US ((int64_t)7 * 86400 * 1000000)
enum { KEYS_DROPPED_MORE = 16 }; /* than twice as many as are written */

enum store_mode {
    STORE_READ,         /* what is there when it begins, whatever others do meanwhile */
    STORE_APPEND,       /* no other process appends to the chain until it ends */
    STORE_APPEND_KEYED, /* likewise, with the table of keys, which is made where it is missing */
    STORE_EXCLUSIVE,    /* nor to any other; and what is read is what was there when it began */
};

typedef se_status (*chain_fn)(void *arg, const struct chain *chain, se_error *err);
typedef se_status (*row_fn)(void *arg, const struct row *row, se_error *err);
typedef se_status (*checkpoint_fn)(void *arg, const struct stored_checkpoint *stored,
                                   se_error *err);
typedef se_status (*subtree_fn)(void *arg, const struct subtree *subtree, se_error *err);

/* What a store that reads hands its rows to; one of the functions is set. */
struct visitor {
    chain_fn chain;
    row_fn row;
    checkpoint_fn checkpoint;
    subtree_fn subtree;
    void *arg;
};

/*
 * Failures: SE_ERR_UNAVAILABLE when the store is away and may come back, SE_ERR_IO when it can't do
 * it, SE_ERR_FORMAT when what it holds is not ours.  After a failure the caller ends the
 * transaction with transaction_abandon().
 */
struct chain_store_type {
    const char *scheme; /* how its URI begins */

    /* The URI as messages may have it: without passwords.  Released with free(), NULL: out of
     * memory. */
    char *(*redact_uri)(const char *uri);

    /* `create`: make it if it is not there.  The caller sets the type of *out, and closes it. */
    se_status (*open)(struct chain_store **out, const char *uri, bool create, se_error *err);
    void (*close)(struct chain_store *store);

    /*
     * A transaction, over tables that are exactly as we make them (SE_ERR_FORMAT: they are not;
     * nothing has begun then).  Stores that are older than idempotency keys lack their table.  A
     * connection that was lost is opened again by begin().
     */
    se_status (*begin)(struct chain_store *store, enum store_mode mode, se_error *err);
    se_status (*end)(struct chain_store *store, bool commit, se_error *err);

    /* *found: whether there is such a chain.  But for STORE_READ it is locked. */
    se_status (*read_chain)(struct chain *out, bool *found, struct chain_store *store,
                            const char *name, se_error *err);

    /* Number 0: a new one, which gets a number. */
    se_status (*write_chain)(struct chain_store *store, struct chain *chain, se_error *err);

    /* All chains, as far as they can be read. */
    se_status (*read_chains)(struct chain_store *store, chain_fn fn, void *arg, se_error *err);

    se_status (*write_rows)(struct chain_store *store, const struct chain *chain,
                            const struct row *rows, size_t count, se_error *err);
    se_status (*write_subtrees)(struct chain_store *store, const struct chain *chain,
                                const struct subtree *subtrees, size_t count, se_error *err);
    se_status (*write_checkpoint)(struct chain_store *store, const struct chain *chain,
                                  const struct stored_checkpoint *checkpoint, se_error *err);

    /* In STORE_APPEND_KEYED.  read_keys() sets all but caller and name; what write_keys() gets is
     * not there. */
    se_status (*read_keys)(struct chain_store *store, const struct chain *chain,
                           struct append_key *keys, size_t count, se_error *err);
    se_status (*write_keys)(struct chain_store *store, const struct chain *chain,
                            const struct append_key *keys, size_t count, se_error *err);

    /* The payload of an entry becomes its commitment.  A digest over it would tell what it was, and
     * goes too, here and below. */
    se_status (*erase_payload)(struct chain_store *store, const struct chain *chain, uint64_t seq,
                               const struct hash *commitment, se_error *err);

    /* Entries up to `last` and checkpoints before `first_checkpoint` go. */
    se_status (*drop_entries)(struct chain_store *store, const struct chain *chain, uint64_t last,
                              uint64_t first_checkpoint, se_error *err);

    /* Of the entries in `range`, where 0 is whatever is below 1 too. */
    se_status (*read_extent)(struct extent *out, struct chain_store *store,
                             const struct range *range, se_error *err);

    /* Those in `range`, in their order; what `fn` gets lasts for the call only. */
    se_status (*read_rows)(struct chain_store *store, const struct range *range, row_fn fn,
                           void *arg, se_error *err);
    se_status (*read_checkpoints)(struct chain_store *store, const struct range *range,
                                  checkpoint_fn fn, void *arg, se_error *err);
    se_status (*read_subtrees)(struct chain_store *store, unsigned level, const struct range *range,
                               subtree_fn fn, void *arg, se_error *err);
};

struct chain_store {
    const struct chain_store_type *type;
};

/* Hands a failure on that was kept aside.  Returns its status. */
static inline se_status error_hand_on(se_error *err, const se_error *why)
{
    return error_set_at(err, why->status, why->file, why->line, "%s", why->text);
}

extern const struct chain_store_type sqlite_store_type, postgres_store_type;

/* Ends a transaction that has failed. */
static inline void transaction_abandon(struct chain_store *store)
{
    (void)store->type->end(store, false, NULL);
}

static inline void chain_store_close(struct chain_store **store)
{
    if (*store)
        (*store)->type->close(*store);
    *store = NULL;
}
AUTO_KIND(chain_store, struct chain_store *, chain_store_close(p))

#endif
