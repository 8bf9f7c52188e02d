/* Chains in an SQLite file, of which every transaction is on the disk when it ends. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "history/sqlite.h"

/*
 * Entries are appended at the end of their table, so that an entry costs the same however many there are: the chain's number and the
 * entry's make up one integer key.
 */
static const char schema[] = "CREATE TABLE IF NOT EXISTS chain (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, id BLOB NOT NULL,"
                             " size INTEGER NOT NULL, edge BLOB NOT NULL, seals INTEGER NOT NULL, last BLOB NOT NULL,"
                             " base_size INTEGER NOT NULL, base_edge BLOB NOT NULL, base_seal INTEGER NOT NULL);"
                             "CREATE TABLE IF NOT EXISTS entry (key INTEGER PRIMARY KEY, time INTEGER NOT NULL, object BLOB NOT NULL,"
                             " salt BLOB NOT NULL, payload BLOB NOT NULL, leaf BLOB NOT NULL);"
                             "CREATE TABLE IF NOT EXISTS node (chain INTEGER, level INTEGER, number INTEGER, hash BLOB NOT NULL,"
                             " PRIMARY KEY (chain, level, number)) WITHOUT ROWID;"
                             "CREATE TABLE IF NOT EXISTS seal (key INTEGER PRIMARY KEY, size INTEGER NOT NULL, note BLOB NOT NULL);";

/*
 * A statement costs more than a row.  OR FAIL: one that fails ends the transaction anyway, so SQLite need not keep each page as it was
 * before the statement, which it does in a temporary file where there are many.
 */
#define PUT_ROW    "INSERT OR FAIL INTO entry (key, time, object, salt, payload, leaf) VALUES "
#define ROW        "(?, ?, ?, ?, ?, ?)"
#define FOUR(text) text ", " text ", " text ", " text

static const char *const statements[STATEMENTS] = {
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_BEGIN_APPEND] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_CHAIN] = "SELECT number, id, size, edge, seals, last, base_size, base_edge, base_seal FROM chain WHERE name = ?",
    [SQL_CHAINS] = "SELECT number, id, size, edge, seals, last, base_size, base_edge, base_seal, name FROM chain ORDER BY number",
    [SQL_CHAIN_NEW] = "INSERT INTO chain (name, id, size, edge, seals, last, base_size, base_edge, base_seal)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_CHAIN_PUT] = "UPDATE chain SET name = ?, id = ?, size = ?, edge = ?, seals = ?, last = ?, base_size = ?, base_edge = ?,"
                      " base_seal = ? WHERE number = ?",
    [SQL_ROW_PUT] = PUT_ROW ROW,
    [SQL_ROWS_PUT] = PUT_ROW FOUR(FOUR(FOUR(ROW))),
    [SQL_NODE_PUT] = "INSERT INTO node (chain, level, number, hash) VALUES (?, ?, ?, ?)",
    [SQL_SEAL_PUT] = "INSERT INTO seal (key, size, note) VALUES (?, ?, ?)",
    [SQL_ERASE] = "UPDATE entry SET salt = x'', payload = ? WHERE key = ?",
    [SQL_DROP_ROWS] = "DELETE FROM entry WHERE key BETWEEN ? AND ?",
    [SQL_DROP_SEALS] = "DELETE FROM seal WHERE key BETWEEN ? AND ?",
    [SQL_ROWS] = "SELECT key, time, object, salt, payload, leaf FROM entry WHERE key BETWEEN ? AND ? ORDER BY key",
    [SQL_SEALS] = "SELECT key, size, note FROM seal WHERE key BETWEEN ? AND ? ORDER BY key",
    [SQL_NODES] = "SELECT level, number, hash FROM node WHERE chain = ? AND level = ? AND number BETWEEN ? AND ? ORDER BY number",
};

se_status sqlite_failed(const struct sqlite *s, se_error *err)
{
    int code = sq.sqlite3_errcode(s->db) & 0xff;

    if (code == SQLITE_NOMEM)
        return error_memory(err);
    return error_set(err,
                     code == SQLITE_BUSY || code == SQLITE_LOCKED ? SE_ERR_UNAVAILABLE
                     : code == SQLITE_NOTADB                      ? SE_ERR_FORMAT
                     : code == SQLITE_PERM || code == SQLITE_AUTH ? SE_ERR_ACCESS
                                                                  : SE_ERR_IO,
                     "'%s': %s", s->path, sq.sqlite3_errmsg(s->db));
}

se_status sqlite_statement(sqlite3_stmt **out, struct sqlite *s, enum sqlite_statement which, se_error *err)
{
    sqlite3_stmt **kept = &s->statements[which];

    *out = NULL;
    if (!*kept && sq.sqlite3_prepare_v3(s->db, statements[which], -1, SQLITE_PREPARE_PERSISTENT, kept, NULL))
        return sqlite_failed(s, err);
    *out = *kept;
    return SE_OK;
}

se_status sqlite_run(struct sqlite *s, enum sqlite_statement which, se_error *err)
{
    sqlite3_stmt *statement;
    se_status st = sqlite_statement(&statement, s, which, err);

    if (!st && sq.sqlite3_step(statement) != SQLITE_DONE)
        st = sqlite_failed(s, err);
    if (statement)
        (void)sq.sqlite3_reset(statement);
    return st;
}

static void close_file(struct database *store)
{
    struct sqlite *s = (struct sqlite *)store;

    for (size_t i = 0; i < STATEMENTS; i++)
        (void)sq.sqlite3_finalize(s->statements[i]);
    (void)sq.sqlite3_close(s->db);
    free(s->path);
    free(s);
}

/*
 * A transaction that is told to be done has to be on the disk, so FULL; with a write-ahead log others read meanwhile.  Big pages make fewer
 * of what is appended; of a database that is there they stay as they are.
 */
static const char settings[] = "PRAGMA page_size = 16384;"
                               "PRAGMA journal_mode = WAL;"
                               "PRAGMA synchronous = FULL;"
                               "PRAGMA wal_autocheckpoint = 1000;"
                               "PRAGMA cache_size = -16384;"
                               "PRAGMA trusted_schema = OFF;"
                               "PRAGMA secure_delete = ON";

static se_status prepare(struct sqlite *s, bool create, se_error *err)
{
    if (sq.sqlite3_busy_timeout(s->db, SQLITE_PATIENCE_MS) || sq.sqlite3_exec(s->db, settings, NULL, NULL, NULL) ||
        (create && sq.sqlite3_exec(s->db, schema, NULL, NULL, NULL)))
        return sqlite_failed(s, err);
    return SE_OK;
}

static se_status open_file(struct database **out, const char *address, bool create, se_error *err)
{
    const char *path = address + strlen(sqlite_database.scheme);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
    se_status st = libsqlite_load(err);
    struct sqlite *s;

    if (st)
        return st;
    if (!(s = calloc(1, sizeof *s)) || !(s->path = strdup(path))) {
        free(s);
        return error_memory(err);
    }
    s->store.type = &sqlite_database;
    if (!*path)
        st = error_set(err, SE_ERR_USAGE, "sqlite: without a path");
    else if (sq.sqlite3_open_v2(path, &s->db, flags, NULL))
        st = error_set(err, SE_ERR_IO, "'%s': %s", path, s->db ? sq.sqlite3_errmsg(s->db) : "out of memory");
    else
        st = prepare(s, create, err);
    if (st)
        close_file(&s->store);
    else
        *out = &s->store;
    return st;
}

static se_status begin(struct database *store, enum database_mode mode, se_error *err)
{
    return sqlite_run((struct sqlite *)store, mode == DATABASE_READ ? SQL_BEGIN_READ : SQL_BEGIN_APPEND, err);
}

/* A COMMIT that fails may leave the transaction open, or has rolled it back already. */
static se_status end(struct database *store, bool commit, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    se_status st = commit ? sqlite_run(s, SQL_COMMIT, err) : SE_OK;

    if (!sq.sqlite3_get_autocommit(s->db) && sqlite_run(s, SQL_ROLLBACK, NULL))
        return st ? st : SE_ERR_IO;
    return st;
}

const struct database_type sqlite_database = {
    .scheme = "sqlite:",
    .open = open_file,
    .close = close_file,
    .begin = begin,
    .end = end,
    .chain = sqlite_chain,
    .chains = sqlite_chains,
    .put_chain = sqlite_put_chain,
    .put_rows = sqlite_put_rows,
    .put_nodes = sqlite_put_nodes,
    .put_seal = sqlite_put_seal,
    .erase = sqlite_erase,
    .drop = sqlite_drop,
    .rows = sqlite_rows,
    .seals = sqlite_seals,
    .nodes = sqlite_nodes,
};
