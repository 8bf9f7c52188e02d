/* SPDX-License-Identifier: Apache-2.0 */
/* Chains in an SQLite file: sqlite_rows.c reads and writes them, in transactions of sqlite.c, by
 * the statements and over the tables of sqlite_schema.c. */
#ifndef HISTORY_SQLITE_H
#define HISTORY_SQLITE_H

#include <sqlite3.h>

#include "history/store.h"

enum {
    SQLITE_PATIENCE_MS = 30000, /* for another process that appends */
    SQLITE_LOG_PATIENCE_MS = 2000,
    SQLITE_ROWS = 64,                         /* that SQL_ROWS_PUT takes */
    SQLITE_VALUE_MOST = PAYLOAD_MOST + 65536, /* a row with the biggest payload */
};

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
    SQL_KEY,
    SQL_KEY_PUT,
    SQL_KEYS_DROP,
    SQL_KEYS_ERASE,
    STATEMENTS,
};

struct sqlite {
    struct chain_store store;
    char *path;
    sqlite3 *db;
    bool made;    /* the file, by us, and nothing is in it yet */
    bool writes;  /* it has a write-ahead log for that */
    bool erased;  /* in this transaction */
    bool checked; /* the tables are ours in `edition`, and SQLite knows them as they were then */
    bool keyed;   /* that of idempotency keys is among them */
    int64_t edition;
    sqlite3_stmt *statements[STATEMENTS]; /* prepared when they are first needed */
};

/* ---- sqlite_schema.c ---- */

/* What SQLite says about its last call. */
se_status sqlite_failed(const struct sqlite *s, se_error *err);

/* Prepared, and reset. */
SE_MUST_CHECK se_status sqlite_prepare(sqlite3_stmt **out, struct sqlite *s,
                                       enum sqlite_statement which, se_error *err);

/* Hands every row of the statement to `take` (NULL: there are none), until that fails. */
SE_MUST_CHECK se_status sqlite_step_rows(struct sqlite *s, sqlite3_stmt *q,
                                         se_status (*take)(void *arg, sqlite3_stmt *q,
                                                           se_error *err),
                                         void *arg, se_error *err);

/* A statement that neither takes nor gives anything. */
SE_MUST_CHECK se_status sqlite_execute(struct sqlite *s, enum sqlite_statement which,
                                       se_error *err);

SE_MUST_CHECK se_status sqlite_execute_text(const struct sqlite *s, const char *text,
                                            se_error *err);

/* In a transaction: that the tables are there, but perhaps that of keys, are exactly as we make
 * them, and nothing is on them.  SE_ERR_FORMAT. */
SE_MUST_CHECK se_status sqlite_check_tables(struct sqlite *s, se_error *err);

/* Likewise: makes those that are not there. */
SE_MUST_CHECK se_status sqlite_make_tables(struct sqlite *s, se_error *err);

/* ---- sqlite.c: struct chain_store_type says what these do ---- */

#define SQLITE_SCHEME "sqlite:"

SE_MUST_CHECK se_status sqlite_open_uri(struct chain_store **out, const char *uri, bool create,
                                        se_error *err);
void sqlite_close_file(struct chain_store *store);
SE_MUST_CHECK se_status sqlite_begin(struct chain_store *store, enum store_mode mode,
                                     se_error *err);
se_status sqlite_end(struct chain_store *store, bool commit, se_error *err);

#endif
