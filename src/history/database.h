/*
 * Where chains are kept.  A store is one connection: one thread at a time.
 * To add one: one file, one row in databases.c.
 */
#ifndef HISTORY_DATABASE_H
#define HISTORY_DATABASE_H

#include "history/seal.h"

/* What a store knows of a chain, besides its entries, seals and nodes.  None of it is trusted: the
 * last seal vouches for it. */
struct chain {
    char name[CHAIN_NAME_MOST + 1];
    int64_t number; /* the store's own, from 1 */
    struct chain_id id;
    struct edge edge;   /* of all entries */
    uint64_t seals;     /* how many there were ever, those that were dropped too */
    struct hash last;   /* hash of the last seal */
    struct edge base;   /* of the entries that were dropped */
    uint64_t base_seal; /* the first seal that is still there */
    bool damaged;       /* some of this could not be read */
};

/* A seal as it is stored. */
struct sealed {
    uint64_t number;
    uint64_t size;
    se_bytes note;
};

/* Numbers of the first and the last entry that there is; where somebody has changed them they may
 * be anything. */
struct extent {
    bool there;
    uint64_t first, last;
};

struct database;

enum database_mode {
    DATABASE_READ,   /* what is there when it begins, whatever others do meanwhile */
    DATABASE_APPEND, /* no other process appends to the chain until it ends */
    DATABASE_ALONE,  /* nor to any other; and what is read is what was there when it began */
};

/*
 * Failures: SE_ERR_UNAVAILABLE when the store is away and may come back, SE_ERR_IO when it can't do
 * it, SE_ERR_FORMAT when what it holds is not ours.  After a failure the caller ends the
 * transaction with store_end(..., false).
 */
typedef se_status (*chain_fn)(void *arg, const struct chain *chain, se_error *err);
typedef se_status (*row_fn)(void *arg, const struct row *row, se_error *err);
typedef se_status (*sealed_fn)(void *arg, const struct sealed *sealed, se_error *err);
typedef se_status (*stored_node_fn)(void *arg, const struct node *node, se_error *err);

struct database_type {
    const char *scheme; /* how its address begins */

    /* `create`: make it if it is not there.  The caller closes *out. */
    se_status (*open)(struct database **out, const char *address, bool create, se_error *err);
    void (*close)(struct database *store);

    /*
     * A transaction, over tables that are exactly as we make them (SE_ERR_FORMAT: they are not;
     * nothing has begun then).  A connection that was lost is opened again by begin().
     */
    se_status (*begin)(struct database *store, enum database_mode mode, se_error *err);
    se_status (*end)(struct database *store, bool commit, se_error *err);

    /* *found: whether there is such a chain.  But for DATABASE_READ it is locked. */
    se_status (*chain)(struct chain *out, bool *found, struct database *store, const char *name,
                       se_error *err);
    se_status (*put_chain)(struct database *store, struct chain *chain,
                           se_error *err); /* number 0: a new one, which gets a number */

    /* All chains, as far as they can be read, and are not too many. */
    se_status (*chains)(struct database *store, chain_fn fn, void *arg, se_error *err);

    se_status (*put_rows)(struct database *store, const struct chain *chain, const struct row *rows,
                          size_t count, se_error *err);
    se_status (*put_nodes)(struct database *store, const struct chain *chain,
                           const struct node *nodes, size_t count, se_error *err);
    se_status (*put_seal)(struct database *store, const struct chain *chain,
                          const struct sealed *seal, se_error *err);

    /* The payload of an entry becomes its commitment; entries up to `last` and seals before
     * `first_seal` go. */
    se_status (*erase)(struct database *store, const struct chain *chain, uint64_t seq,
                       const struct hash *commitment, se_error *err);
    se_status (*drop)(struct database *store, const struct chain *chain, uint64_t last,
                      uint64_t first_seal, se_error *err);

    /* Of the entries with numbers from `first` (0: whatever is below 1 too) to `last`. */
    se_status (*extent)(struct extent *out, struct database *store, const struct chain *chain,
                        uint64_t first, uint64_t last, se_error *err);

    /* Those with numbers from `first` to `last`, in their order; what they are given lasts for the
     * call only. */
    se_status (*rows)(struct database *store, const struct chain *chain, uint64_t first,
                      uint64_t last, row_fn fn, void *arg, se_error *err);
    se_status (*seals)(struct database *store, const struct chain *chain, uint64_t first,
                       uint64_t last, sealed_fn fn, void *arg, se_error *err);
    se_status (*nodes)(struct database *store, const struct chain *chain, unsigned level,
                       uint64_t first, uint64_t last, stored_node_fn fn, void *arg, se_error *err);
};

struct database {
    const struct database_type *type;
};

/* NULL: no such store, and the error says which there are. */
const struct database_type *database_type_of(const char *address, se_error *err);

SE_MUST_CHECK se_status database_open(struct database **out, const char *address, bool create,
                                      se_error *err);
void database_close(struct database **store);
AUTO_KIND(database, struct database *, database_close(p))

/* The address as messages may have it; released with free(), NULL: out of memory. */
char *address_shown(const char *address);

/* False: where the password ends is not clear, and libpq may take a part of it for something that
 * it tells. */
bool address_clear(const char *address);

/* Ends a transaction that has failed. */
void database_abandon(struct database *store);

extern const struct database_type sqlite_database, postgres_database;

#endif
