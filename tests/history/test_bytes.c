/* Whatever byte of what a store keeps is changed: verification finds it.  BYTES in the environment: how many changes. */
#include <sqlite3.h>
#include <stdio.h>

#include "tests/unit/folder.h"
#include "tests/unit/maker.h"

enum { ENTRIES = 300, GROUP = 25, CHANGES = 300, TABLES = 4 };

static const char configuration[] = "<engineSignEncrypt><descriptors><descriptor name=\"ObjectHistorySigner\">"
                                    "<type algorithm=\"SHA-256\" key=\"k\"/></descriptor></descriptors>"
                                    "<keys><key name=\"k\"><type name=\"pem\" locationValue=\"classpath:k.pem\"/></key></keys>"
                                    "</engineSignEncrypt>";

static const char *const tables[TABLES] = { "chain", "entry", "node", "seal" };
static unsigned dice = 1;

static unsigned throw_dice(unsigned sides)
{
    dice = dice * 1103515245 + 12345;
    return (dice >> 8) % sides;
}

static se_engine *begin(se_history **history)
{
    struct certificate_wish wish = { .usage = "critical,digitalSignature" };
    EVP_PKEY *key = make_key("P-256");
    X509 *certificate = make_certificate(key, &wish);
    se_error err = SE_ERROR_INIT;
    se_history_options options = SE_HISTORY_OPTIONS_INIT;
    se_engine *engine;

    make_bundle("k.pem", key, certificate);
    EVP_PKEY_free(key);
    X509_free(certificate);
    make("engine.xml", configuration, 0600);
    assert_status(SE_OK, se_open(&engine, "engine.xml", NULL, &err), &err);
    assert_status(SE_OK, se_history_create(engine, "sqlite:h.db", NULL, &err), &err);
    options.inspect = true;
    assert_status(SE_OK, se_history_open(history, engine, "sqlite:h.db", &options, &err), &err);
    return engine;
}

static void append(se_history *history)
{
    se_record records[GROUP];
    char payloads[GROUP][32];
    se_error err = SE_ERROR_INIT;

    for (size_t i = 0; i < ENTRIES / GROUP; i++) {
        for (size_t k = 0; k < GROUP; k++) {
            int size = snprintf(payloads[k], sizeof payloads[k], "payload %zu of %zu", k, i);

            records[k] = (se_record){ { "object", 6 }, { payloads[k], (size_t)size } };
        }
        assert_status(SE_OK, se_history_append_many(NULL, history, records, GROUP, &err), &err);
    }
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *q;

    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL))
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    return q;
}

/* Changes a byte of one value; the place is told in `what`.  False: nothing came of it, as with an empty value. */
static bool change(sqlite3 *db, char what[200])
{
    const char *table = tables[throw_dice(TABLES)];
    bool keyed = strcmp(table, "node") != 0;
    unsigned char bytes[5000];
    sqlite3_stmt *q;
    char sql[300];
    int columns, column, size, at, type;
    int64_t number, row;

    (void)snprintf(sql, sizeof sql, "SELECT * FROM %s LIMIT 1 OFFSET abs(random()) %% (SELECT count(*) FROM %s)", table, table);
    q = prepare(db, sql);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    columns = sqlite3_column_count(q);
    column = (int)throw_dice((unsigned)columns);
    row = keyed ? sqlite3_column_int64(q, 0) : sqlite3_column_int64(q, 2);
    type = sqlite3_column_type(q, column);
    number = sqlite3_column_int64(q, column);
    size = type == SQLITE_INTEGER ? 8 : sqlite3_column_bytes(q, column);
    if (size > 0 && type != SQLITE_INTEGER)
        memcpy(bytes, sqlite3_column_blob(q, column), (size_t)size);
    (void)snprintf(what, 200, "%s.%s of %lld", table, sqlite3_column_name(q, column), (long long)row);
    (void)snprintf(sql, sizeof sql, "UPDATE %s SET %s = ? WHERE %s = %lld", table, sqlite3_column_name(q, column),
                   keyed ? sqlite3_column_name(q, 0) : "number", (long long)row);
    sqlite3_finalize(q);
    if (!size)
        return false;
    at = (int)throw_dice((unsigned)size);
    q = prepare(db, sql);
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

static void test_every_byte_counts(void **state)
{
    const char *asked = getenv("BYTES");
    unsigned wanted = asked ? (unsigned)atoi(asked) : CHANGES, done = 0;
    se_error err = SE_ERROR_INIT;
    se_history *history;
    se_engine *engine = begin(&history);
    char what[200];
    sqlite3 *db, *kept;

    (void)state;
    append(history);
    assert_status(SE_OK, se_history_verify(NULL, history, NULL, &err), &err);
    assert_int_equal(sqlite3_open("h.db", &db), SQLITE_OK);
    assert_int_equal(sqlite3_open(":memory:", &kept), SQLITE_OK);
    sqlite3_backup *backup = sqlite3_backup_init(kept, "main", db, "main");
    assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    sqlite3_backup_finish(backup);
    while (done < wanted) {
        se_error found = SE_ERROR_INIT;

        if (change(db, what)) {
            done++;
            if (se_history_verify(NULL, history, NULL, &found) != SE_ERR_REJECTED)
                fail_msg("change %u, %s, was not found: %s", done, what, found.text);
        }
        backup = sqlite3_backup_init(db, "main", kept, "main");
        assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
        sqlite3_backup_finish(backup);
    }
    assert_status(SE_OK, se_history_verify(NULL, history, NULL, &err), &err);
    sqlite3_close(db);
    sqlite3_close(kept);
    se_history_close(&history);
    se_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = { IN_FOLDER(test_every_byte_counts) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
