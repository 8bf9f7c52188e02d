/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bare_rows.h"

#include <endian.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/race.h"

enum { SALT = 16, LEAF = 32, COLUMNS = 7 };

struct bare_rows {
    sqlite3 *file; /* one of both */
    PGconn *server;
    sqlite3_stmt *insert;
    int64_t next;
};

static const unsigned char salt[SALT], leaf[LEAF];

/* ---- SQLite, with the settings of a history ---- */

static void sqlite_do(struct bare_rows *rows, const char *sql)
{
    if (sqlite3_exec(rows->file, sql, NULL, NULL, NULL))
        give_up(sql, sqlite3_errmsg(rows->file));
}

static void sqlite_open_bare(struct bare_rows *rows)
{
    (void)remove("bare.db");
    if (sqlite3_open("bare.db", &rows->file))
        give_up("bare.db", "cannot be made");
    sqlite_do(rows,
              "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
              "PRAGMA cache_size = -16384; PRAGMA secure_delete = ON; CREATE TABLE entry "
              "(key INTEGER PRIMARY KEY, time INTEGER NOT NULL, object BLOB NOT NULL,"
              " salt BLOB NOT NULL, payload BLOB NOT NULL, leaf BLOB NOT NULL)");
    if (sqlite3_prepare_v2(rows->file, "INSERT INTO entry VALUES (?,?,?,?,?,?)", -1, &rows->insert,
                           NULL))
        give_up("INSERT", sqlite3_errmsg(rows->file));
}

static void sqlite_insert(struct bare_rows *rows, const se_record *record)
{
    sqlite3_stmt *q = rows->insert;

    if (sqlite3_bind_int64(q, 1, rows->next++) || sqlite3_bind_int64(q, 2, rows->next) ||
        sqlite3_bind_blob(q, 3, record->object.data, (int)record->object.size, SQLITE_STATIC) ||
        sqlite3_bind_blob(q, 4, salt, SALT, SQLITE_STATIC) ||
        sqlite3_bind_blob(q, 5, record->payload.data, (int)record->payload.size, SQLITE_STATIC) ||
        sqlite3_bind_blob(q, 6, leaf, LEAF, SQLITE_STATIC) || sqlite3_step(q) != SQLITE_DONE)
        give_up("INSERT", sqlite3_errmsg(rows->file));
    (void)sqlite3_reset(q);
}

static void sqlite_write(struct bare_rows *rows, const se_record *records, size_t count)
{
    sqlite_do(rows, "BEGIN");
    for (size_t i = 0; i < count; i++)
        sqlite_insert(rows, &records[i]);
    sqlite_do(rows, "COMMIT");
}

/* ---- PostgreSQL: COPY in its binary form ---- */

static void server_do(struct bare_rows *rows, const char *sql, ExecStatusType wanted)
{
    PGresult *result = PQexec(rows->server, sql);

    if (PQresultStatus(result) != wanted)
        give_up(sql, PQerrorMessage(rows->server));
    PQclear(result);
}

static void server_open_bare(struct bare_rows *rows, const char *address)
{
    rows->server = PQconnectdb(address);
    if (PQstatus(rows->server) != CONNECTION_OK)
        give_up(address, PQerrorMessage(rows->server));
    server_do(rows, "SET client_min_messages = warning", PGRES_COMMAND_OK);
    server_do(rows,
              "DROP TABLE IF EXISTS bare; CREATE TABLE bare (chain bigint, seq bigint, time "
              "bigint NOT NULL, object bytea NOT NULL, salt bytea NOT NULL, payload bytea NOT "
              "NULL, leaf bytea NOT NULL, PRIMARY KEY (chain, seq))",
              PGRES_COMMAND_OK);
}

struct piece {
    char bytes[64 << 10];
    size_t size;
};

static void piece_add(struct piece *piece, const void *data, size_t size)
{
    memcpy(piece->bytes + piece->size, data, size);
    piece->size += size;
}

static void piece_add_bytes(struct piece *piece, se_bytes bytes)
{
    const uint32_t size = htobe32((uint32_t)bytes.size);

    piece_add(piece, &size, sizeof size);
    piece_add(piece, bytes.data, bytes.size);
}

static void piece_add_number(struct piece *piece, int64_t number)
{
    const uint64_t bytes = htobe64((uint64_t)number);

    piece_add_bytes(piece, (se_bytes){ &bytes, sizeof bytes });
}

static void piece_send(struct bare_rows *rows, struct piece *piece)
{
    if (PQputCopyData(rows->server, piece->bytes, (int)piece->size) != 1)
        give_up("COPY", PQerrorMessage(rows->server));
    piece->size = 0;
}

static void server_copy(struct bare_rows *rows, const se_record *records, size_t count)
{
    static const char begin[19] = "PGCOPY\n\377\r\n"; /* no flags, no extension */
    static const uint16_t end = 0xffff;
    const uint16_t columns = htobe16(COLUMNS);
    static struct piece piece;

    piece.size = 0;
    piece_add(&piece, begin, sizeof begin);
    for (size_t i = 0; i < count; i++) {
        piece_add(&piece, &columns, sizeof columns);
        piece_add_number(&piece, 1);
        piece_add_number(&piece, rows->next++);
        piece_add_number(&piece, rows->next);
        piece_add_bytes(&piece, records[i].object);
        piece_add_bytes(&piece, (se_bytes){ salt, SALT });
        piece_add_bytes(&piece, records[i].payload);
        piece_add_bytes(&piece, (se_bytes){ leaf, LEAF });
        if (piece.size > sizeof piece.bytes / 2)
            piece_send(rows, &piece);
    }
    piece_add(&piece, &end, sizeof end);
    piece_send(rows, &piece);
}

static void server_write(struct bare_rows *rows, const se_record *records, size_t count)
{
    PGresult *result;

    server_do(rows, "BEGIN", PGRES_COMMAND_OK);
    server_do(rows, "COPY bare FROM STDIN (FORMAT binary)", PGRES_COPY_IN);
    server_copy(rows, records, count);
    if (PQputCopyEnd(rows->server, NULL) != 1)
        give_up("COPY", PQerrorMessage(rows->server));
    while ((result = PQgetResult(rows->server))) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            give_up("COPY", PQerrorMessage(rows->server));
        PQclear(result);
    }
    server_do(rows, "COMMIT", PGRES_COMMAND_OK);
}

/* ---- either ---- */

struct bare_rows *bare_rows_open(const char *store)
{
    struct bare_rows *rows = calloc(1, sizeof *rows);

    if (!rows)
        give_up("memory", "there is none");
    if (strncmp(store, "sqlite:", 7) == 0)
        sqlite_open_bare(rows);
    else
        server_open_bare(rows, store);
    return rows;
}

double bare_rows_write(struct bare_rows *rows, const se_record *records, size_t count)
{
    double began = seconds_now();

    if (rows->file)
        sqlite_write(rows, records, count);
    else
        server_write(rows, records, count);
    return seconds_now() - began;
}

void bare_rows_close(struct bare_rows *rows)
{
    (void)sqlite3_finalize(rows->insert);
    (void)sqlite3_close(rows->file);
    PQfinish(rows->server);
    (void)remove("bare.db");
    free(rows);
}
