/* SPDX-License-Identifier: Apache-2.0 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/history/bytes.h"

struct copied {
    sqlite3 *db, *kept;
};

static void copy_database(sqlite3 *to, sqlite3 *from)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");

    assert_non_null(backup);
    assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
}

/* Without locks: ThreadSanitizer sees that copies go both ways, and thinks of two threads. */
static sqlite3 *open_alone(const char *path)
{
    sqlite3 *db;

    assert_int_equal(
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL),
        SQLITE_OK);
    return db;
}

static void *open_file(const char *address)
{
    struct copied *c = calloc(1, sizeof *c);

    assert_non_null(c);
    c->db = open_alone(address + strlen(sqlite_victim.scheme));
    c->kept = open_alone(":memory:");
    copy_database(c->kept, c->db);
    return c;
}

static void close_file(void *self)
{
    struct copied *c = self;

    sqlite3_close(c->db);
    sqlite3_close(c->kept);
    free(c);
}

static sqlite3_stmt *prepare_statement(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *q;

    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL))
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    return q;
}

static bool change_byte(void *self, char what[WHAT_ROOM])
{
    sqlite3 *db = ((struct copied *)self)->db;
    const char *table = victim_tables[throw_dice(TABLES)];
    bool keyed = strcmp(table, "node") != 0;
    unsigned char bytes[VALUE_MOST];
    sqlite3_stmt *q;
    char sql[300];
    int columns, column, size, at, type;
    int64_t number, row;

    (void)snprintf(sql, sizeof sql,
                   "SELECT * FROM %s LIMIT 1 OFFSET abs(random()) %% (SELECT count(*) FROM %s)",
                   table, table);
    q = prepare_statement(db, sql);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    columns = sqlite3_column_count(q);
    column = (int)throw_dice((unsigned)columns);
    row = keyed ? sqlite3_column_int64(q, 0) : sqlite3_column_int64(q, 2);
    type = sqlite3_column_type(q, column);
    number = sqlite3_column_int64(q, column);
    size = type == SQLITE_INTEGER ? 8 : sqlite3_column_bytes(q, column);
    if (size > 0 && type != SQLITE_INTEGER)
        memcpy(bytes, sqlite3_column_blob(q, column), (size_t)size);
    (void)snprintf(what, WHAT_ROOM, "%s.%s of %lld", table, sqlite3_column_name(q, column),
                   (long long)row);
    (void)snprintf(sql, sizeof sql, "UPDATE %s SET %s = ? WHERE %s = %lld", table,
                   sqlite3_column_name(q, column), keyed ? sqlite3_column_name(q, 0) : "number",
                   (long long)row);
    sqlite3_finalize(q);
    if (!size)
        return false;
    at = (int)throw_dice((unsigned)size);
    q = prepare_statement(db, sql);
    if (type == SQLITE_INTEGER)
        sqlite3_bind_int64(q, 1, number ^ (int64_t)((uint64_t)(1 + throw_dice(255)) << (8 * at)));
    else {
        bytes[at] ^= (unsigned char)(1 + throw_dice(255));
        if (type == SQLITE_TEXT)
            sqlite3_bind_text(q, 1, (char *)bytes, size, SQLITE_TRANSIENT);
        else
            sqlite3_bind_blob(q, 1, bytes, size, SQLITE_TRANSIENT);
    }
    at = sqlite3_step(q);
    sqlite3_finalize(q);
    return at == SQLITE_DONE && sqlite3_changes(db) > 0;
}

static void undo_change(void *self)
{
    struct copied *c = self;

    copy_database(c->db, c->kept);
}

const struct victim sqlite_victim = { "sqlite:", open_file, change_byte, undo_change, close_file };
