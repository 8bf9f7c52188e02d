/* SPDX-License-Identifier: Apache-2.0 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/history/bytes.h"

struct changed {
    PGconn *connection;
    char table[40], column[40], row[40]; /* where it was changed */
    char kept[VALUE_MOST];
    int size; /* 0: it was not */
};

static void *open_server(const char *address)
{
    struct changed *c = calloc(1, sizeof *c);

    assert_non_null(c);
    c->connection = PQconnectdb(address);
    if (PQstatus(c->connection) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(c->connection));
    return c;
}

static void close_server(void *self)
{
    struct changed *c = self;

    PQfinish(c->connection);
    free(c);
}

/* Any row of the table, in the server's own bytes, but for its place. */
static PGresult *draw_row(struct changed *c)
{
    char sql[300];
    PGresult *row;

    (void)snprintf(sql, sizeof sql,
                   "SELECT t.ctid::text::bytea, t.* FROM %s t OFFSET (SELECT floor(random() * "
                   "count(*))::bigint FROM %s) LIMIT 1",
                   c->table, c->table);
    row = PQexecParams(c->connection, sql, 0, NULL, NULL, NULL, NULL, 1);
    if (PQntuples(row) != 1)
        fail_msg("%s: %s", sql, PQerrorMessage(c->connection));
    return row;
}

/* False: the server does not take it, as a text that is no UTF-8. */
static bool put_value(struct changed *c, const char *value)
{
    const char *const values[] = { value, c->row };
    const int sizes[] = { c->size, (int)strlen(c->row) }, formats[] = { 1, 0 };
    char sql[300];
    PGresult *result;
    bool good;

    (void)snprintf(sql, sizeof sql, "UPDATE %s SET %s = $1 WHERE ctid = $2::tid RETURNING ctid",
                   c->table, c->column);
    result = PQexecParams(c->connection, sql, 2, NULL, values, sizes, formats, 0);
    good = PQntuples(result) == 1;
    if (good)
        (void)snprintf(c->row, sizeof c->row, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return good;
}

static bool change_byte(void *self, char what[WHAT_ROOM])
{
    struct changed *c = self;
    char value[VALUE_MOST];
    PGresult *row;
    int column;

    (void)snprintf(c->table, sizeof c->table, "signengine_%s", victim_tables[throw_dice(TABLES)]);
    row = draw_row(c);
    column = 1 + (int)throw_dice((unsigned)PQnfields(row) - 1);
    c->size = PQgetlength(row, 0, column);
    assert_in_range(c->size, 0, VALUE_MOST);
    memcpy(c->kept, PQgetvalue(row, 0, column), (size_t)c->size);
    (void)snprintf(c->row, sizeof c->row, "%.*s", PQgetlength(row, 0, 0), PQgetvalue(row, 0, 0));
    (void)snprintf(c->column, sizeof c->column, "%s", PQfname(row, column));
    (void)snprintf(what, WHAT_ROOM, "%s.%s of %s", c->table, c->column, c->row);
    PQclear(row);
    if (!c->size)
        return false;
    memcpy(value, c->kept, (size_t)c->size);
    value[throw_dice((unsigned)c->size)] ^= (char)(1 + throw_dice(255));
    if (!put_value(c, value))
        c->size = 0;
    return c->size > 0;
}

static void undo_change(void *self)
{
    struct changed *c = self;

    if (c->size && !put_value(c, c->kept))
        fail_msg("%s.%s: %s", c->table, c->column, PQerrorMessage(c->connection));
    c->size = 0;
}

const struct victim postgres_victim = { "postgresql://", open_server, change_byte, undo_change,
                                        close_server };
