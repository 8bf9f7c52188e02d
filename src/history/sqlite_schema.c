/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statements, and the tables that they are for, which have to be those that we make and nothing
 * else.  A view, a generated column, a trigger or an index of somebody else's under their names
 * decides at each moment anew what there is to read; what was verified then says nothing.
 */
#include <errno.h>

#include "history/sqlite.h"

/* ---- statements ---- */

/*
 * A statement costs more than a row.  OR FAIL: one that fails ends the transaction anyway, so
 * SQLite need not keep each page as it was before the statement, which it does in a temporary file
 * where there are many.
 */
#define PUT_ROW    "INSERT OR FAIL INTO entry (key, time, object, salt, payload, leaf) VALUES "
#define ROW        "(?, ?, ?, ?, ?, ?)"
#define FOUR(text) text ", " text ", " text ", " text

/* SQLite's names have no case. */
#define OURS "'chain', 'entry', 'node', 'seal', 'idempotency'"

#define SELECT_CHAIN                                                                               \
    "SELECT number, id, size, edge, seals, last, base_size, base_edge, base_seal, name FROM chain"

static const char *const statements[STATEMENTS] = {
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_BEGIN_APPEND] = "BEGIN IMMEDIATE",
    [SQL_EDITION] = "PRAGMA main.schema_version",
    [SQL_OBJECTS] = "SELECT type, name, tbl_name, sql FROM main.sqlite_master"
                    " WHERE name COLLATE NOCASE IN (" OURS ")"
                    " OR tbl_name COLLATE NOCASE IN (" OURS ")",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_CHAIN] = SELECT_CHAIN " WHERE name = ?",
    [SQL_CHAINS] = SELECT_CHAIN " ORDER BY number",
    [SQL_CHAIN_NEW] =
        "INSERT INTO chain (name, id, size, edge, seals, last, base_size, base_edge, base_seal)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_CHAIN_PUT] = "UPDATE chain SET name = ?, id = ?, size = ?, edge = ?, seals = ?, last = ?,"
                      " base_size = ?, base_edge = ?, base_seal = ? WHERE number = ?",
    [SQL_ROW_PUT] = PUT_ROW ROW,
    [SQL_ROWS_PUT] = PUT_ROW FOUR(FOUR(FOUR(ROW))),
    [SQL_NODE_PUT] = "INSERT INTO node (chain, level, number, hash) VALUES (?, ?, ?, ?)",
    [SQL_SEAL_PUT] = "INSERT INTO seal (key, size, note) VALUES (?, ?, ?)",
    [SQL_ERASE] = "UPDATE entry SET salt = x'', payload = ? WHERE key = ?",
    [SQL_DROP_ROWS] = "DELETE FROM entry WHERE key BETWEEN ? AND ?",
    [SQL_DROP_SEALS] = "DELETE FROM seal WHERE key BETWEEN ? AND ?",
    [SQL_EXTENT] = "SELECT (SELECT min(key) FROM entry WHERE key BETWEEN ?1 AND ?2),"
                   " (SELECT max(key) FROM entry WHERE key BETWEEN ?1 AND ?2)",
    [SQL_ROWS] = "SELECT key, time, object, salt, payload, leaf FROM entry"
                 " WHERE key BETWEEN ? AND ? ORDER BY key",
    [SQL_SEALS] = "SELECT key, size, note FROM seal WHERE key BETWEEN ? AND ? ORDER BY key",
    [SQL_NODES] = "SELECT level, number, hash FROM node"
                  " WHERE chain = ? AND level = ? AND number BETWEEN ? AND ? ORDER BY number",
    [SQL_KEY] = "SELECT first, count, digest FROM idempotency"
                " WHERE chain = ? AND caller = ? AND key = ?",
    [SQL_KEY_PUT] = "INSERT INTO idempotency (chain, caller, key, digest, first, count, time)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
    [SQL_KEYS_DROP] = "DELETE FROM idempotency WHERE chain = ?1 AND time < ?2 AND first IN"
                      " (SELECT first FROM idempotency WHERE chain = ?1 ORDER BY first LIMIT ?3)",
    [SQL_KEYS_ERASE] = "UPDATE idempotency SET digest = x'' WHERE chain = ?1 AND first <= ?3"
                       " AND count > ?2 - first",
};

/*
 * A table or column that is not there is an SQLITE_ERROR, and so is hardly anything else that our
 * few statements can meet.  What is too big is none of ours.
 */
static se_status sqlite_code_status(int code, int number)
{
    switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return SE_ERR_UNAVAILABLE;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_ERROR:
    case SQLITE_TOOBIG:
        return SE_ERR_FORMAT;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
        return SE_ERR_ACCESS;
    default:
        return number == EACCES || number == EROFS ? SE_ERR_ACCESS : SE_ERR_IO;
    }
}

/* SQLite keeps the number of what the system said last, which belongs to files that can't be
 * opened, read or written. */
se_status sqlite_failed(const struct sqlite *s, se_error *err)
{
    int code = s->db ? sqlite3_errcode(s->db) & 0xff : SQLITE_NOMEM;
    int number = code == SQLITE_CANTOPEN || code == SQLITE_IOERR ? sqlite3_system_errno(s->db) : 0;

    if (code == SQLITE_NOMEM)
        return error_memory(err);
    return error_set(err, sqlite_code_status(code, number), "'%s': %s%s%s", s->path,
                     sqlite3_errmsg(s->db), number ? ": " : "", number ? strerror(number) : "");
}

se_status sqlite_prepare(sqlite3_stmt **out, struct sqlite *s, enum sqlite_statement which,
                         se_error *err)
{
    sqlite3_stmt **kept = &s->statements[which];

    if (!*kept &&
        sqlite3_prepare_v3(s->db, statements[which], -1, SQLITE_PREPARE_PERSISTENT, kept, NULL))
        return sqlite_failed(s, err);
    *out = *kept;
    return SE_OK;
}

se_status sqlite_step_rows(struct sqlite *s, sqlite3_stmt *q,
                           se_status (*take)(void *arg, sqlite3_stmt *q, se_error *err), void *arg,
                           se_error *err)
{
    se_status st = SE_OK;
    int code;

    do
        code = sqlite3_step(q);
    while (code == SQLITE_ROW && take && !(st = take(arg, q, err)));
    if (!st && code != SQLITE_DONE)
        st = sqlite_failed(s, err);
    (void)sqlite3_reset(q);
    return st;
}

se_status sqlite_execute(struct sqlite *s, enum sqlite_statement which, se_error *err)
{
    sqlite3_stmt *q;

    TRY(sqlite_prepare(&q, s, which, err));
    return sqlite_step_rows(s, q, NULL, NULL, err);
}

se_status sqlite_execute_text(const struct sqlite *s, const char *text, se_error *err)
{
    return sqlite3_exec(s->db, text, NULL, NULL, NULL) ? sqlite_failed(s, err) : SE_OK;
}

/* ---- tables ---- */

/*
 * Entries are appended at the end of their table, so that an entry costs the same however many
 * there are: the chain's number and the entry's make up one integer key.
 */
static const struct table {
    const char *name, *sql; /* SQLite keeps the text as it is */
    const char *index;      /* of a UNIQUE, which SQLite makes itself, without a text; NULL: none */
} tables[] = {
    { "chain",
      "CREATE TABLE chain (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, id BLOB NOT NULL,"
      " size INTEGER NOT NULL, edge BLOB NOT NULL, seals INTEGER NOT NULL, last BLOB NOT NULL,"
      " base_size INTEGER NOT NULL, base_edge BLOB NOT NULL, base_seal INTEGER NOT NULL)",
      "sqlite_autoindex_chain_1" },
    { "entry",
      "CREATE TABLE entry (key INTEGER PRIMARY KEY, time INTEGER NOT NULL, object BLOB NOT NULL,"
      " salt BLOB NOT NULL, payload BLOB NOT NULL, leaf BLOB NOT NULL)",
      NULL },
    { "node",
      "CREATE TABLE node (chain INTEGER, level INTEGER, number INTEGER, hash BLOB NOT NULL,"
      " PRIMARY KEY (chain, level, number)) WITHOUT ROWID",
      NULL },
    { "seal",
      "CREATE TABLE seal (key INTEGER PRIMARY KEY, size INTEGER NOT NULL, note BLOB NOT NULL)",
      NULL },
    { "idempotency",
      "CREATE TABLE idempotency (chain INTEGER, first INTEGER, count INTEGER NOT NULL,"
      " caller BLOB NOT NULL, key BLOB NOT NULL, digest BLOB NOT NULL, time INTEGER NOT NULL,"
      " PRIMARY KEY (chain, first), UNIQUE (chain, caller, key)) WITHOUT ROWID",
      "sqlite_autoindex_idempotency_2" },
};
enum { TABLES = sizeof tables / sizeof *tables, KEYS_TABLE = TABLES - 1 };

static const char *sqlite_text_at(sqlite3_stmt *q, int column)
{
    const char *text = (const char *)sqlite3_column_text(q, column);

    return text ? text : "";
}

static size_t find_table(const char *name)
{
    size_t i = 0;

    while (i < TABLES && strcmp(name, tables[i].name) != 0)
        i++;
    return i;
}

static bool is_own_index(const char *name, const char *of)
{
    size_t i = find_table(of);

    return i < TABLES && tables[i].index && strcmp(name, tables[i].index) == 0;
}

struct table_check {
    const char *path;
    bool there[TABLES];
};

/* One thing that has, or is on, one of our names. */
static se_status judge_object(void *arg, sqlite3_stmt *q, se_error *err)
{
    struct table_check *check = arg;
    const char *type = sqlite_text_at(q, 0), *name = sqlite_text_at(q, 1),
               *of = sqlite_text_at(q, 2), *sql = sqlite_text_at(q, 3);
    size_t i = find_table(name);

    if (i < TABLES && strcmp(type, "table") == 0 && strcmp(sql, tables[i].sql) == 0) {
        check->there[i] = true;
        return SE_OK;
    }
    if (strcmp(type, "index") == 0 && is_own_index(name, of) && !*sql)
        return SE_OK;
    if (strcmp(type, "table") == 0)
        return error_set(err, SE_ERR_FORMAT,
                         "'%s': its table '%s' is not as signengine makes it: it is not read",
                         check->path, name);
    if (strcmp(name, of) == 0)
        return error_set(err, SE_ERR_FORMAT, "'%s': '%s' is a %s, and not a table: it is not read",
                         check->path, name, type);
    return error_set(
        err, SE_ERR_FORMAT,
        "'%s': its table '%s' has the %s '%s', which signengine has not made: it is not read",
        check->path, of, type, name);
}

static se_status judge_objects(struct table_check *out, struct sqlite *s, se_error *err)
{
    sqlite3_stmt *q;

    *out = (struct table_check){ .path = s->path };
    TRY(sqlite_prepare(&q, s, SQL_OBJECTS, err));
    return sqlite_step_rows(s, q, judge_object, out, err);
}

/* A number that changes whenever a table is made, dropped or altered.  It takes the lock of who
 * reads, which is kept. */
static se_status read_edition(int64_t *out, struct sqlite *s, se_error *err)
{
    sqlite3_stmt *q;
    se_status st = SE_OK;

    TRY(sqlite_prepare(&q, s, SQL_EDITION, err));
    if (sqlite3_step(q) == SQLITE_ROW)
        *out = sqlite3_column_int64(q, 0);
    else
        st = sqlite_failed(s, err);
    (void)sqlite3_reset(q);
    return st;
}

se_status sqlite_check_tables(struct sqlite *s, se_error *err)
{
    struct table_check check;
    int64_t edition = 0;

    TRY(read_edition(&edition, s, err));
    if (s->checked && s->edition == edition)
        return SE_OK;
    /* SQLite may have read the tables' texts before this transaction, and they were others then */
    s->checked = false;
    TRY(sqlite_execute_text(s, "PRAGMA writable_schema = RESET", err));
    TRY(judge_objects(&check, s, err));
    for (size_t i = 0; i < KEYS_TABLE; i++)
        if (!check.there[i])
            return error_set(err, SE_ERR_FORMAT, "'%s': no such table: %s", s->path,
                             tables[i].name);
    s->keyed = check.there[KEYS_TABLE];
    s->checked = true;
    s->edition = edition;
    return SE_OK;
}

se_status sqlite_make_tables(struct sqlite *s, se_error *err)
{
    struct table_check check;

    TRY(judge_objects(&check, s, err));
    for (size_t i = 0; i < TABLES; i++)
        if (!check.there[i])
            TRY(sqlite_execute_text(s, tables[i].sql, err));
    return SE_OK;
}
