#ifndef HISTORY_SQLITE_H
#define HISTORY_SQLITE_H

#include "history/database.h"
#include <sqlite3.h>

enum {
    SQLITE_PATIENCE_MS = 30000, /* for another process that appends */
    SQLITE_LOG_PATIENCE_MS = 2000,
    SQLITE_SEQ_BITS = 44,                     /* of a key; the rest is the chain's number */
    SQLITE_ROWS = 64,                         /* that SQL_ROWS_PUT takes */
    SQLITE_VALUE_MOST = PAYLOAD_MOST + 65536, /* a row with the biggest payload */
};

/* Of a row.  A chain's number may be anything where somebody has changed it. */
static inline int64_t sqlite_key(const struct chain *chain, uint64_t seq)
{
    return (int64_t)((uint64_t)chain->number << SQLITE_SEQ_BITS | seq);
}

enum sqlite_statement {
    SQL_BEGIN_READ,
    SQL_BEGIN_APPEND,
    SQL_EDITION, /* of the tables */
    SQL_OBJECTS, /* what has our names, or is on them */
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_CHAIN,
    SQL_CHAINS,
    SQL_CHAIN_NEW,
    SQL_CHAIN_PUT,
    SQL_ROW_PUT,
    SQL_ROWS_PUT,
    SQL_NODE_PUT,
    SQL_SEAL_PUT,
    SQL_ERASE,
    SQL_DROP_ROWS,
    SQL_DROP_SEALS,
    SQL_EXTENT,
    SQL_ROWS,
    SQL_SEALS,
    SQL_NODES,
    STATEMENTS,
};

struct sqlite {
    struct database store;
    char *path;
    sqlite3 *db;
    bool made;    /* the file, by us, and nothing is in it yet */
    bool writes;  /* it has a write-ahead log for that */
    bool erased;  /* in this transaction */
    bool checked; /* the tables are ours in `edition`, and SQLite knows them as they were then */
    int64_t edition;
    sqlite3_stmt *statements[STATEMENTS]; /* prepared when they are first needed */
};

/* What SQLite says about its last call. */
se_status sqlite_failed(const struct sqlite *s, se_error *err);

/* Prepared, and reset. */
SE_MUST_CHECK se_status sqlite_statement(sqlite3_stmt **out, struct sqlite *s,
                                         enum sqlite_statement which, se_error *err);

/* A statement that neither takes nor gives anything. */
SE_MUST_CHECK se_status sqlite_run(struct sqlite *s, enum sqlite_statement which, se_error *err);

SE_MUST_CHECK se_status sqlite_run_text(const struct sqlite *s, const char *text, se_error *err);

/* In a transaction: that the four tables are there, are exactly as we make them, and nothing is on
 * them.  SE_ERR_FORMAT. */
SE_MUST_CHECK se_status sqlite_check_tables(struct sqlite *s, se_error *err);

/* Likewise: makes those that are not there. */
SE_MUST_CHECK se_status sqlite_make_tables(struct sqlite *s, se_error *err);

/* struct database_type has what these do */
se_status sqlite_chain(struct chain *out, bool *found, struct database *store, const char *name,
                       se_error *err);
se_status sqlite_chains(struct database *store, chain_fn fn, void *arg, se_error *err);
se_status sqlite_put_chain(struct database *store, struct chain *chain, se_error *err);
se_status sqlite_put_rows(struct database *store, const struct chain *chain, const struct row *rows,
                          size_t count, se_error *err);
se_status sqlite_put_nodes(struct database *store, const struct chain *chain,
                           const struct node *nodes, size_t count, se_error *err);
se_status sqlite_put_seal(struct database *store, const struct chain *chain,
                          const struct sealed *seal, se_error *err);
se_status sqlite_erase(struct database *store, const struct chain *chain, uint64_t seq,
                       const struct hash *commitment, se_error *err);
se_status sqlite_drop(struct database *store, const struct chain *chain, uint64_t last,
                      uint64_t first_seal, se_error *err);
se_status sqlite_extent(struct extent *out, struct database *store, const struct chain *chain,
                        uint64_t first, uint64_t last, se_error *err);
se_status sqlite_rows(struct database *store, const struct chain *chain, uint64_t first,
                      uint64_t last, row_fn fn, void *arg, se_error *err);
se_status sqlite_seals(struct database *store, const struct chain *chain, uint64_t first,
                       uint64_t last, sealed_fn fn, void *arg, se_error *err);
se_status sqlite_nodes(struct database *store, const struct chain *chain, unsigned level,
                       uint64_t first, uint64_t last, stored_node_fn fn, void *arg, se_error *err);

#endif
