/*
 * The tables of a chain in an SQLite file, which have to be those that we make and nothing else.  A
 * view, a generated column, a trigger or an index of somebody else's under their names decides at
 * each moment anew what there is to read; what was verified then says nothing.
 */
#include <stdio.h>

#include "history/sqlite.h"

/*
 * Entries are appended at the end of their table, so that an entry costs the same however many
 * there are: the chain's number and the entry's make up one integer key.
 */
static const struct table {
    const char *name, *sql; /* SQLite keeps the text as it is */
} tables[] = {
    { "chain",
      "CREATE TABLE chain (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, id BLOB NOT NULL,"
      " size INTEGER NOT NULL, edge BLOB NOT NULL, seals INTEGER NOT NULL, last BLOB NOT NULL,"
      " base_size INTEGER NOT NULL, base_edge BLOB NOT NULL, base_seal INTEGER NOT NULL)" },
    { "entry",
      "CREATE TABLE entry (key INTEGER PRIMARY KEY, time INTEGER NOT NULL, object BLOB NOT NULL,"
      " salt BLOB NOT NULL, payload BLOB NOT NULL, leaf BLOB NOT NULL)" },
    { "node", "CREATE TABLE node (chain INTEGER, level INTEGER, number INTEGER, hash BLOB NOT NULL,"
              " PRIMARY KEY (chain, level, number)) WITHOUT ROWID" },
    { "seal",
      "CREATE TABLE seal (key INTEGER PRIMARY KEY, size INTEGER NOT NULL, note BLOB NOT NULL)" },
};
enum { TABLES = sizeof tables / sizeof *tables };

/* The index of a UNIQUE, which SQLite makes itself: it has no text. */
static const char own_index[] = "sqlite_autoindex_chain_1";

static const char *text_at(sqlite3_stmt *q, int column)
{
    const char *text = (const char *)sqlite3_column_text(q, column);

    return text ? text : "";
}

static size_t table_of(const char *name)
{
    size_t i = 0;

    while (i < TABLES && strcmp(name, tables[i].name) != 0)
        i++;
    return i;
}

/* One thing that has, or is on, one of our names. */
static se_status judge_object(bool there[TABLES], const struct sqlite *s, sqlite3_stmt *q,
                              se_error *err)
{
    const char *type = text_at(q, 0), *name = text_at(q, 1), *of = text_at(q, 2),
               *sql = text_at(q, 3);
    size_t i = table_of(name);

    if (i < TABLES && strcmp(type, "table") == 0 && strcmp(sql, tables[i].sql) == 0) {
        there[i] = true;
        return SE_OK;
    }
    if (strcmp(type, "index") == 0 && strcmp(name, own_index) == 0 && strcmp(of, "chain") == 0 &&
        !*sql)
        return SE_OK;
    if (strcmp(type, "table") == 0)
        return error_set(err, SE_ERR_FORMAT,
                         "'%s': its table '%s' is not as signengine makes it: it is not read",
                         s->path, name);
    if (strcmp(name, of) == 0)
        return error_set(err, SE_ERR_FORMAT, "'%s': '%s' is a %s, and not a table: it is not read",
                         s->path, name, type);
    return error_set(
        err, SE_ERR_FORMAT,
        "'%s': its table '%s' has the %s '%s', which signengine has not made: it is not read",
        s->path, of, type, name);
}

static se_status look_at_objects(bool there[TABLES], struct sqlite *s, se_error *err)
{
    sqlite3_stmt *q;
    se_status st = sqlite_statement(&q, s, SQL_OBJECTS, err);
    int code = SQLITE_DONE;

    while (!st && (code = sqlite3_step(q)) == SQLITE_ROW)
        st = judge_object(there, s, q, err);
    if (!st && code != SQLITE_DONE)
        st = sqlite_failed(s, err);
    if (q)
        (void)sqlite3_reset(q);
    return st;
}

/* A number that changes whenever a table is made, dropped or altered.  It takes the lock of who
 * reads, which is kept. */
static se_status read_edition(int64_t *out, struct sqlite *s, se_error *err)
{
    sqlite3_stmt *q;
    se_status st = SE_OK;

    TRY(sqlite_statement(&q, s, SQL_EDITION, err));
    if (sqlite3_step(q) == SQLITE_ROW)
        *out = sqlite3_column_int64(q, 0);
    else
        st = sqlite_failed(s, err);
    (void)sqlite3_reset(q);
    return st;
}

se_status sqlite_check_tables(struct sqlite *s, se_error *err)
{
    bool there[TABLES] = { false };
    int64_t edition = 0;
    se_status st = read_edition(&edition, s, err);

    if (st || (s->checked && s->edition == edition))
        return st;
    /* SQLite may have read the tables' texts before this transaction, and they were others then */
    s->checked = false;
    TRY(sqlite_run_text(s, "PRAGMA writable_schema = RESET", err));
    TRY(look_at_objects(there, s, err));
    for (size_t i = 0; i < TABLES; i++)
        if (!there[i])
            return error_set(err, SE_ERR_FORMAT, "'%s': no such table: %s", s->path,
                             tables[i].name);
    s->checked = true;
    s->edition = edition;
    return SE_OK;
}

se_status sqlite_make_tables(struct sqlite *s, se_error *err)
{
    bool there[TABLES] = { false };
    se_status st = look_at_objects(there, s, err);

    for (size_t i = 0; !st && i < TABLES; i++)
        if (!there[i])
            st = sqlite_run_text(s, tables[i].sql, err);
    return st;
}
