/* Histories of years, in minutes: the clock of this program says what the tests want.  Windows, progress, and a big group that fails. */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>

#include "history/entry.h"
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"

enum { DAY = 86400, BIG = 10000, OLD = 600, MIDDLE = 300, NEW = 200 };

static const char configuration[] = "<engineSignEncrypt><descriptors><descriptor name=\"ObjectHistorySigner\">"
                                    "<type algorithm=\"SHA-256\" key=\"k\"/></descriptor></descriptors>"
                                    "<keys><key name=\"k\"><type name=\"pem\" locationValue=\"classpath:k.pem\"/></key></keys>"
                                    "</engineSignEncrypt>";

/* ---- the clock ---- */

static time_t moved; /* seconds */

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int result = (int)syscall(SYS_clock_gettime, clock, out);

    if (!result && clock == CLOCK_REALTIME)
        out->tv_sec += moved;
    return result;
}

time_t time(time_t *out)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

/* ---- a chain ---- */

struct chain_under_test {
    se_engine *engine;
    se_history *history;
    sqlite3 *db;
    uint64_t done, total; /* of the progress */
    unsigned calls, most; /* it is stopped after so many */
    unsigned signatures;  /* that were made on the thread of the test */
    pthread_t thread;
};

static bool progress(void *arg, uint64_t done, uint64_t total)
{
    struct chain_under_test *c = arg;

    assert_true(done >= c->done && done <= total);
    c->done = done;
    c->total = total;
    return ++c->calls < c->most;
}

static void event(void *arg, const se_event *event)
{
    struct chain_under_test *c = arg;

    c->signatures += strcmp(event->operation, "sign") == 0 && pthread_equal(pthread_self(), c->thread);
}

static void begin(struct chain_under_test *c)
{
    se_options engine_options = SE_OPTIONS_INIT;
    struct certificate_wish wish = { .usage = "critical,digitalSignature", .from_days = -2000, .to_days = 100 };
    EVP_PKEY *key = make_key("P-256");
    X509 *certificate = make_certificate(key, &wish);
    se_history_options options = SE_HISTORY_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;

    *c = (struct chain_under_test){ .most = UINT32_MAX, .thread = pthread_self() };
    engine_options.event = event;
    engine_options.event_arg = c;
    moved = 0;
    make_bundle("k.pem", key, certificate);
    EVP_PKEY_free(key);
    X509_free(certificate);
    make("engine.xml", configuration, 0600);
    options.progress = progress;
    options.progress_arg = c;
    moved = -900 * (time_t)DAY;
    assert_status(SE_OK, se_open(&c->engine, "engine.xml", &engine_options, &err), &err);
    assert_status(SE_OK, se_history_create(c->engine, "sqlite:h.db", NULL, &err), &err);
    assert_status(SE_OK, se_history_open(&c->history, c->engine, "sqlite:h.db", &options, &err), &err);
    assert_int_equal(sqlite3_open("h.db", &c->db), SQLITE_OK);
}

static void end(struct chain_under_test *c)
{
    assert_int_equal(sqlite3_close(c->db), SQLITE_OK);
    se_history_close(&c->history);
    se_close(&c->engine);
    moved = 0;
}

static se_status append(const struct chain_under_test *c, size_t count, se_error *err)
{
    static se_record records[BIG];
    static char payloads[BIG][16];

    for (size_t i = 0; i < count; i++)
        records[i] = (se_record){ { "object", 6 }, { payloads[i], (size_t)snprintf(payloads[i], sizeof payloads[i], "%zu", i) } };
    return se_history_append_many(NULL, c->history, records, count, err);
}

static void append_days_ago(const struct chain_under_test *c, int days, size_t count)
{
    se_error err = SE_ERROR_INIT;

    moved = -days * (time_t)DAY;
    assert_status(SE_OK, append(c, count, &err), &err);
    moved = 0;
}

static void run(const struct chain_under_test *c, const char *sql)
{
    char *text = NULL;

    if (sqlite3_exec(c->db, sql, NULL, NULL, &text))
        fail_msg("%s: %s", sql, text);
}

static se_status verify(const struct chain_under_test *c, unsigned months, se_history_report *out)
{
    se_history_verify_options options = SE_HISTORY_VERIFY_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;

    options.months = months;
    return se_history_verify(out, c->history, &options, &err);
}

/* ---- windows ---- */

static void begin_years(struct chain_under_test *c)
{
    begin(c);
    append_days_ago(c, 800, OLD);
    append_days_ago(c, 400, MIDDLE);
    append_days_ago(c, 200, NEW);
    append_days_ago(c, 1, NEW);
}

static void test_older_entries_are_not_read(void **state)
{
    struct chain_under_test c;
    se_history_report report;

    (void)state;
    begin_years(&c);
    assert_int_equal(verify(&c, 0, &report), SE_OK);
    assert_int_equal(report.first, 1);
    assert_int_equal(report.entries, OLD + MIDDLE + NEW + NEW);
    assert_int_equal(verify(&c, 12, &report), SE_OK);
    assert_in_range(report.first, OLD + MIDDLE - 256, OLD + MIDDLE + 1);
    assert_int_equal(report.first + report.entries - 1, OLD + MIDDLE + NEW + NEW);
    run(&c, "UPDATE entry SET payload = x'00' WHERE key = (1 << 44) + 42");
    assert_int_equal(verify(&c, 12, &report), SE_OK);
    assert_int_equal(verify(&c, 24, &report), SE_OK);
    assert_int_equal(verify(&c, 36, &report), SE_ERR_REJECTED);
    assert_int_equal(verify(&c, 0, &report), SE_ERR_REJECTED);
    end(&c);
}

static void test_a_window_is_a_year_at_the_least(void **state)
{
    struct chain_under_test c;
    se_history_report report;

    (void)state;
    begin_years(&c);
    run(&c, "UPDATE entry SET payload = x'00' WHERE key = (1 << 44) + 950"); /* 200 days old */
    assert_int_equal(verify(&c, 1, &report), SE_ERR_REJECTED);
    assert_int_equal(report.findings, 1);
    assert_int_equal(verify(&c, 12, &report), SE_ERR_REJECTED);
    assert_int_equal(report.findings, 1);
    end(&c);
}

/* ---- progress ---- */

static se_status verify_with(struct chain_under_test *c, unsigned threads, unsigned most, se_error *err)
{
    se_history_verify_options options = SE_HISTORY_VERIFY_OPTIONS_INIT;

    options.threads = threads;
    c->calls = 0;
    c->done = 0;
    c->most = most;
    return se_history_verify(NULL, c->history, &options, err);
}

static void test_progress_is_told_and_stops(void **state)
{
    static const unsigned threads[] = { 1, 2, 3 };
    struct chain_under_test c;
    se_error err = SE_ERROR_INIT;

    (void)state;
    begin(&c);
    append_days_ago(&c, 1, BIG);
    append_days_ago(&c, 1, BIG);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        assert_status(SE_OK, verify_with(&c, threads[i], UINT32_MAX, &err), &err);
        assert_true(c.calls > 0);
        assert_int_equal(c.total, 2 * BIG);
        assert_status(SE_ERR_CANCELLED, verify_with(&c, threads[i], 1, &err), &err);
        assert_int_equal(c.calls, 1);
        assert_status(SE_OK, verify_with(&c, threads[i], UINT32_MAX, &(se_error)SE_ERROR_INIT), &err);
    }
    end(&c);
}

/* ---- a big group, of which one thread makes the tree while another one stores ---- */

static void expect_entries(const struct chain_under_test *c, uint64_t entries)
{
    se_history_report report;

    assert_int_equal(verify(c, 0, &report), SE_OK);
    assert_int_equal(report.entries, entries);
}

static void test_a_big_group_is_signed_once_by_its_caller(void **state)
{
    struct chain_under_test c;
    unsigned before;

    (void)state;
    begin(&c);
    before = c.signatures;
    append_days_ago(&c, 1, BIG);
    assert_int_equal(c.signatures, before + 1);
    expect_entries(&c, BIG);
    end(&c);
}

static void test_a_group_that_cannot_be_stored_leaves_nothing(void **state)
{
    struct chain_under_test c;
    se_error err = SE_ERROR_INIT;

    (void)state;
    begin(&c);
    append_days_ago(&c, 1, 5);
    run(&c, "CREATE TRIGGER full BEFORE INSERT ON entry WHEN (new.key & 65535) = 3000 BEGIN SELECT RAISE(ABORT, 'no more'); END");
    moved = 0;
    assert_status(SE_ERR_IO, append(&c, BIG, &err), &err);
    assert_non_null(strstr(err.text, "no more"));
    expect_entries(&c, 5);
    run(&c, "DROP TRIGGER full");
    append_days_ago(&c, 0, BIG);
    expect_entries(&c, BIG + 5);
    end(&c);
}

/* It is met in the middle of a statement, which stores several. */
static void test_an_entry_in_the_way_leaves_nothing_of_a_group(void **state)
{
    struct chain_under_test c;
    se_error err = SE_ERROR_INIT;

    (void)state;
    begin(&c);
    append_days_ago(&c, 1, 5);
    run(&c, "INSERT INTO entry SELECT key + 95, time, object, salt, payload, leaf FROM entry WHERE (key & 65535) = 5");
    moved = 0;
    assert_status(SE_ERR_IO, append(&c, 200, &err), &err);
    assert_non_null(strstr(err.text, "UNIQUE"));
    run(&c, "DELETE FROM entry WHERE (key & 65535) = 100");
    expect_entries(&c, 5);
    append_days_ago(&c, 0, 200);
    expect_entries(&c, 205);
    end(&c);
}

/* ---- two changes ---- */

static sqlite3_stmt *select_one(const struct chain_under_test *c, const char *sql)
{
    sqlite3_stmt *q;

    assert_int_equal(sqlite3_prepare_v2(c->db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    return q;
}

static se_bytes blob_at(sqlite3_stmt *q, int column)
{
    return (se_bytes){ sqlite3_column_blob(q, column), (size_t)sqlite3_column_bytes(q, column) };
}

/* With the hash that goes with it, as somebody would do who has read the page about formats. */
static void forge_entry_25(const struct chain_under_test *c)
{
    sqlite3_stmt *q = select_one(c, "SELECT time, object, salt, id FROM entry, chain WHERE (key & 65535) = 25"), *change;
    struct row row = {
        .seq = 25, .time = sqlite3_column_int64(q, 0), .object = blob_at(q, 1), .salt = blob_at(q, 2), .payload = { "x", 1 }
    };
    se_error err = SE_ERROR_INIT;

    assert_int_equal(sqlite3_column_bytes(q, 3), sizeof(struct chain_id));
    assert_status(SE_OK, row_leaf(&row.leaf, &row, sqlite3_column_blob(q, 3), &err), &err);
    assert_int_equal(sqlite3_finalize(q), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(c->db, "UPDATE entry SET payload = 'x', leaf = ? WHERE (key & 65535) = 25", -1, &change, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_bind_blob(change, 1, &row.leaf, sizeof row.leaf, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(change), SQLITE_DONE);
    assert_int_equal(sqlite3_finalize(change), SQLITE_OK);
}

/* The seals between them say that all was well after the first. */
static void test_a_change_does_not_hide_a_later_one(void **state)
{
    struct chain_under_test c;
    se_history_report report;

    (void)state;
    begin(&c);
    for (int days = 3; days; days--)
        append_days_ago(&c, days, 10);
    forge_entry_25(&c);
    assert_int_equal(verify(&c, 0, &report), SE_ERR_REJECTED);
    assert_int_equal(report.findings, 1);
    run(&c, "UPDATE entry SET payload = 'changed' WHERE (key & 65535) = 5");
    assert_int_equal(verify(&c, 0, &report), SE_ERR_REJECTED);
    assert_int_equal(report.findings, 2);
    end(&c);
}

/* ---- a new seal over all, while others append ---- */

static void *append_some(void *arg)
{
    const struct chain_under_test *c = arg;
    se_error err = SE_ERROR_INIT;

    for (unsigned i = 0; i < 20; i++)
        if (se_history_append(NULL, c->history, (se_bytes){ "object", 6 }, (se_bytes){ "payload", 7 }, &err))
            return arg;
    return NULL;
}

static void test_others_append_while_a_chain_is_signed_anew(void **state)
{
    struct chain_under_test c;
    pthread_t threads[4];
    se_error err = SE_ERROR_INIT;
    void *failed;

    (void)state;
    begin(&c);
    moved = 0;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, append_some, &c), 0);
    for (unsigned i = 0; i < 10; i++)
        assert_status(SE_OK, se_history_resign(c.history, &err), &err);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    expect_entries(&c, 80);
    end(&c);
}

/* ---- an erasure that never was ---- */

static void forge_erasure_of_950(const struct chain_under_test *c)
{
    sqlite3_stmt *q = select_one(c, "SELECT salt, payload FROM entry WHERE (key & 65535) = 950"), *change;
    const struct row row = { .salt = blob_at(q, 0), .payload = blob_at(q, 1) };
    struct hash commitment;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, row_commitment(&commitment, &row, &err), &err);
    assert_int_equal(sqlite3_finalize(q), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(c->db, "UPDATE entry SET salt = x'', payload = ? WHERE (key & 65535) = 950", -1, &change, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_bind_blob(change, 1, &commitment, sizeof commitment, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(change), SQLITE_DONE);
    assert_int_equal(sqlite3_finalize(change), SQLITE_OK);
}

/* Nobody looks at the signatures of seals that are older than the window. */
static void test_an_older_seal_excuses_nothing_in_a_window(void **state)
{
    struct chain_under_test c;
    se_error err = SE_ERROR_INIT;
    se_history_report report;

    (void)state;
    begin(&c);
    append_days_ago(&c, 800, OLD);
    moved = -700 * (time_t)DAY;
    assert_status(SE_OK, se_history_erase(c.history, 42, &err), &err);
    append_days_ago(&c, 600, MIDDLE - 1);
    append_days_ago(&c, 400, 1);
    append_days_ago(&c, 200, NEW);
    moved = -100 * (time_t)DAY;
    assert_status(SE_OK, se_history_erase(c.history, 951, &err), &err);
    moved = 0;
    assert_int_equal(verify(&c, 12, &report), SE_OK);
    assert_int_equal(report.erased, 1);
    forge_erasure_of_950(&c);
    run(&c, "UPDATE seal SET note = CAST(replace(CAST(note AS TEXT), 'erases 42', 'erases 950') AS BLOB)");
    assert_int_equal(verify(&c, 12, &report), SE_ERR_REJECTED);
    assert_int_equal(report.findings, 1);
    end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_older_entries_are_not_read),
        IN_FOLDER(test_a_window_is_a_year_at_the_least),
        IN_FOLDER(test_progress_is_told_and_stops),
        IN_FOLDER(test_a_big_group_is_signed_once_by_its_caller),
        IN_FOLDER(test_a_group_that_cannot_be_stored_leaves_nothing),
        IN_FOLDER(test_an_entry_in_the_way_leaves_nothing_of_a_group),
        IN_FOLDER(test_a_change_does_not_hide_a_later_one),
        IN_FOLDER(test_others_append_while_a_chain_is_signed_anew),
        IN_FOLDER(test_an_older_seal_excuses_nothing_in_a_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
