/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps encrypted fields in SQLite.
 *
 *   fields CONFIG DATABASE fill COUNT     writes COUNT people, each with a secret PIN
 *   fields CONFIG DATABASE show ROW       decrypts one
 *   fields CONFIG DATABASE verify         decrypts all and says how many, and of which versions
 *   fields CONFIG DATABASE rotate         encrypts all anew, under the newest version, batch by
 * batch; readers go on meanwhile fields CONFIG DATABASE swap A B       what somebody with write
 * access to the database would try: the values of two rows change places
 *
 * The context of a value is its table, its column and its row: it decrypts nowhere else.
 */
#include <signengine.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 500 };

static const char descriptor[] = "EncryptedFields";

struct app {
    se_engine *engine;
    sqlite3 *db;
};

/* ---- failures: this program is small enough to give up at once ---- */

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "fields: %s: %s\n", what, why);
    exit(1);
}

static void check(se_status status, const se_error *error)
{
    if (status != SE_OK)
        give_up(se_status_name(status), error->text);
}

static sqlite3_stmt *prepare(const struct app *app, const char *sql)
{
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v2(app->db, sql, -1, &statement, NULL) != SQLITE_OK)
        give_up(sql, sqlite3_errmsg(app->db));
    return statement;
}

static void execute(const struct app *app, const char *sql)
{
    if (sqlite3_exec(app->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        give_up(sql, sqlite3_errmsg(app->db));
}

/* ---- a field in its place ---- */

static se_buf context_of(sqlite3_int64 row)
{
    char number[24];
    const se_pair pairs[] = {
        { { "table", 5 }, { "person", 6 } },
        { { "column", 6 }, { "pin", 3 } },
        { { "row", 3 },
          { number, (size_t)snprintf(number, sizeof number, "%lld", (long long)row) } },
    };
    se_error error = SE_ERROR_INIT;
    se_buf context;

    check(se_context(&context, pairs, 3, &error), &error);
    return context;
}

struct batch {
    sqlite3_int64 rows[BATCH];
    se_buf contexts[BATCH], values[BATCH];
    se_field fields[BATCH];
    size_t count;
};

static void batch_add(struct batch *b, sqlite3_int64 row, const void *data, int size)
{
    size_t i = b->count++;

    b->rows[i] = row;
    b->contexts[i] = context_of(row);
    b->values[i] = (se_buf){ malloc((size_t)size + 1), (size_t)size };
    memcpy(b->values[i].data, data, (size_t)size);
    b->fields[i] = (se_field){
        .in = { b->values[i].data, b->values[i].size },
        .context = { b->contexts[i].data, b->contexts[i].size },
    };
}

static void batch_clear(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        se_buf_free(&b->contexts[i]);
        se_buf_free(&b->values[i]);
        se_buf_free(&b->fields[i].out);
    }
    b->count = 0;
}

/* The next rows after `row`. */
static void batch_read(struct batch *b, const struct app *app, sqlite3_int64 row)
{
    sqlite3_stmt *statement =
        prepare(app, "SELECT id, pin FROM person WHERE id > ? ORDER BY id LIMIT ?");

    sqlite3_bind_int64(statement, 1, row);
    sqlite3_bind_int(statement, 2, BATCH);
    while (sqlite3_step(statement) == SQLITE_ROW)
        batch_add(b, sqlite3_column_int64(statement, 0), sqlite3_column_text(statement, 1),
                  sqlite3_column_bytes(statement, 1));
    sqlite3_finalize(statement);
}

/* ---- the commands ---- */

static void insert(const struct app *app, const struct batch *b)
{
    sqlite3_stmt *statement = prepare(app, "INSERT INTO person (id, pin) VALUES (?, ?)");

    for (size_t i = 0; i < b->count; i++) {
        sqlite3_bind_int64(statement, 1, b->rows[i]);
        sqlite3_bind_text(statement, 2, (const char *)b->fields[i].out.data,
                          (int)b->fields[i].out.size, SQLITE_STATIC);
        if (sqlite3_step(statement) != SQLITE_DONE)
            give_up("INSERT", sqlite3_errmsg(app->db));
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
}

static void fill(const struct app *app, long count)
{
    static struct batch b;
    se_error error = SE_ERROR_INIT;

    for (long row = 1; row <= count; row++) {
        char pin[24];

        batch_add(&b, row, pin, snprintf(pin, sizeof pin, "%06ld", row * 7919 % 1000000));
        if (b.count < BATCH && row < count)
            continue;
        check(se_encrypt_many(b.fields, b.count, app->engine, descriptor, NULL, &error), &error);
        execute(app, "BEGIN");
        insert(app, &b);
        execute(app, "COMMIT");
        batch_clear(&b);
    }
    printf("%ld rows\n", count);
}

static void show(const struct app *app, sqlite3_int64 row)
{
    sqlite3_stmt *statement = prepare(app, "SELECT pin FROM person WHERE id = ?");
    se_field_params params = SE_FIELD_PARAMS_INIT;
    se_buf context = context_of(row), plain;
    se_error error = SE_ERROR_INIT;

    sqlite3_bind_int64(statement, 1, row);
    if (sqlite3_step(statement) != SQLITE_ROW)
        give_up("SELECT", "no such row");
    params.context = (se_bytes){ context.data, context.size };
    check(se_decrypt(&plain, app->engine, descriptor,
                     (se_bytes){ sqlite3_column_text(statement, 0),
                                 (size_t)sqlite3_column_bytes(statement, 0) },
                     &params, &error),
          &error);
    printf("row %lld: %.*s\n", (long long)row, (int)plain.size, (const char *)plain.data);
    se_buf_free(&plain);
    se_buf_free(&context);
    sqlite3_finalize(statement);
}

static void verify(const struct app *app)
{
    static struct batch b;
    sqlite3_int64 last = 0;
    long good = 0, bad = 0;
    se_error error = SE_ERROR_INIT;

    for (batch_read(&b, app, last); b.count; batch_read(&b, app, last)) {
        /* whether a single one failed is in its status */
        if (se_decrypt_many(b.fields, b.count, app->engine, descriptor, NULL, &error) ==
            SE_ERR_UNAVAILABLE)
            give_up("the key store", error.text);
        for (size_t i = 0; i < b.count; i++) {
            good += b.fields[i].status == SE_OK;
            bad += b.fields[i].status != SE_OK;
        }
        last = b.rows[b.count - 1];
        batch_clear(&b);
    }
    printf("%ld good, %ld refused\n", good, bad);
}

/* Only where the value is still the one that was read: a writer may have been faster. */
static void update(const struct app *app, const struct batch *b)
{
    sqlite3_stmt *statement = prepare(app, "UPDATE person SET pin = ? WHERE id = ? AND pin = ?");

    for (size_t i = 0; i < b->count; i++) {
        if (b->fields[i].status != SE_OK || b->fields[i].kept)
            continue;
        sqlite3_bind_text(statement, 1, (const char *)b->fields[i].out.data,
                          (int)b->fields[i].out.size, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 2, b->rows[i]);
        sqlite3_bind_text(statement, 3, (const char *)b->values[i].data, (int)b->values[i].size,
                          SQLITE_STATIC);
        if (sqlite3_step(statement) != SQLITE_DONE)
            give_up("UPDATE", sqlite3_errmsg(app->db));
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
}

static void rotate(const struct app *app)
{
    static struct batch b;
    sqlite3_int64 last = 0;
    long renewed = 0, kept = 0, bad = 0;
    se_error error = SE_ERROR_INIT;

    for (batch_read(&b, app, last); b.count; batch_read(&b, app, last)) {
        if (se_rekey_many(b.fields, b.count, app->engine, descriptor, NULL, &error) ==
            SE_ERR_UNAVAILABLE)
            give_up("the key store", error.text);
        execute(app, "BEGIN IMMEDIATE");
        update(app, &b);
        execute(app, "COMMIT");
        for (size_t i = 0; i < b.count; i++) {
            kept += b.fields[i].kept;
            bad += b.fields[i].status != SE_OK;
            renewed += b.fields[i].status == SE_OK && !b.fields[i].kept;
        }
        last = b.rows[b.count - 1];
        batch_clear(&b);
    }
    printf("%ld re-keyed, %ld were under the newest key already, %ld refused\n", renewed, kept,
           bad);
}

static void swap(const struct app *app, const char *a, const char *b)
{
    sqlite3_stmt *statement =
        prepare(app, "UPDATE person SET pin = old.pin FROM (SELECT id, pin FROM person WHERE id IN "
                     "(?1, ?2)) AS old "
                     "WHERE person.id IN (?1, ?2) AND old.id = ?1 + ?2 - person.id");

    sqlite3_bind_int64(statement, 1, atoll(a));
    sqlite3_bind_int64(statement, 2, atoll(b));
    if (sqlite3_step(statement) != SQLITE_DONE)
        give_up("UPDATE", sqlite3_errmsg(app->db));
    sqlite3_finalize(statement);
}

static struct app open_app(const char *config, const char *database)
{
    struct app app;
    se_error error = SE_ERROR_INIT;

    check(se_open(&app.engine, config, NULL, &error), &error);
    if (sqlite3_open(database, &app.db) != SQLITE_OK)
        give_up(database, sqlite3_errmsg(app.db));
    sqlite3_busy_timeout(app.db, 10000);
    /* readers go on while a writer writes */
    execute(&app, "PRAGMA journal_mode = WAL");
    execute(&app, "CREATE TABLE IF NOT EXISTS person (id INTEGER PRIMARY KEY, pin TEXT NOT NULL)");
    return app;
}

int main(int argc, char **argv)
{
    const char *command = argc > 3 ? argv[3] : "";
    struct app app;

    if (argc < 4) {
        fprintf(
            stderr,
            "usage: fields CONFIG DATABASE fill COUNT | show ROW | verify | rotate | swap A B\n");
        return 64;
    }
    app = open_app(argv[1], argv[2]);
    if (strcmp(command, "fill") == 0 && argc == 5)
        fill(&app, atol(argv[4]));
    else if (strcmp(command, "show") == 0 && argc == 5)
        show(&app, atoll(argv[4]));
    else if (strcmp(command, "verify") == 0)
        verify(&app);
    else if (strcmp(command, "rotate") == 0)
        rotate(&app);
    else if (strcmp(command, "swap") == 0 && argc == 6)
        swap(&app, argv[4], argv[5]);
    else
        give_up(command, "no such command");
    sqlite3_close(app.db);
    se_close(&app.engine);
    return 0;
}
