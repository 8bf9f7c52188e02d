/* SPDX-License-Identifier: Apache-2.0 */
/* What verification of chains in an SQLite file finds besides single changes: windows, progress. */
#include "history/tree.h"
#include "tests/history/years.h"

enum { OLD = 600, MIDDLE = 300, NEW = 200 };

/* ---- windows ---- */

static void begin_years(struct chain_under_test *c)
{
    chain_begin(c);
    chain_append_days_ago(c, 800, OLD);
    chain_append_days_ago(c, 400, MIDDLE);
    chain_append_days_ago(c, 200, NEW);
    chain_append_days_ago(c, 1, NEW);
}

static void test_older_entries_are_not_read(void **state)
{
    struct chain_under_test c;
    se_history_report report;

    (void)state;
    begin_years(&c);
    assert_int_equal(chain_verify(&c, 0, &report), SE_OK);
    assert_int_equal(report.first, 1);
    assert_int_equal(report.entries, OLD + MIDDLE + NEW + NEW);
    assert_int_equal(chain_verify(&c, 12, &report), SE_OK);
    assert_in_range(report.first, OLD + MIDDLE - 256, OLD + MIDDLE + 1);
    assert_int_equal(report.first + report.entries - 1, OLD + MIDDLE + NEW + NEW);
    chain_run(&c, "UPDATE entry SET payload = x'00' WHERE key = (1 << 44) + 42");
    assert_int_equal(chain_verify(&c, 12, &report), SE_OK);
    assert_int_equal(chain_verify(&c, 24, &report), SE_OK);
    assert_int_equal(chain_verify(&c, 36, &report), SE_ERR_REJECTED);
    assert_int_equal(chain_verify(&c, UINT32_MAX, &report), SE_ERR_REJECTED);
    assert_int_equal(chain_verify(&c, 0, &report), SE_ERR_REJECTED);
    chain_end(&c);
}

static void test_a_window_is_a_year_at_the_least(void **state)
{
    struct chain_under_test c;
    se_history_report report;

    (void)state;
    begin_years(&c);
    chain_run(&c,
              "UPDATE entry SET payload = x'00' WHERE key = (1 << 44) + 950"); /* 200 days old */
    assert_int_equal(chain_verify(&c, 1, &report), SE_ERR_REJECTED);
    assert_int_equal(report.findings, 1);
    assert_int_equal(chain_verify(&c, 12, &report), SE_ERR_REJECTED);
    assert_int_equal(report.findings, 1);
    chain_end(&c);
}

/* ---- progress ---- */

static se_status verify_with(struct chain_under_test *c, unsigned threads, unsigned most,
                             se_error *err)
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
    chain_begin(&c);
    chain_append_days_ago(&c, 1, BIG);
    chain_append_days_ago(&c, 1, BIG);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        assert_status(SE_OK, verify_with(&c, threads[i], UINT32_MAX, &err), &err);
        assert_true(c.calls > 0);
        assert_int_equal(c.total, 2 * BIG);
        assert_status(SE_ERR_CANCELLED, verify_with(&c, threads[i], 1, &err), &err);
        assert_int_equal(c.calls, 1);
        assert_status(SE_OK, verify_with(&c, threads[i], UINT32_MAX, &(se_error)SE_ERROR_INIT),
                      &err);
    }
    chain_end(&c);
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
    sqlite3_stmt *q = select_one(
                     c, "SELECT time, object, salt, id FROM entry, chain WHERE (key & 65535) = 25"),
                 *change;
    struct row row = { .seq = 25,
                       .time = sqlite3_column_int64(q, 0),
                       .object = blob_at(q, 1),
                       .salt = blob_at(q, 2),
                       .payload = { "x", 1 } };
    se_error err = SE_ERROR_INIT;

    assert_int_equal(sqlite3_column_bytes(q, 3), sizeof(struct chain_id));
    assert_status(SE_OK, entry_leaf(&row.leaf, &row, sqlite3_column_blob(q, 3), &err), &err);
    assert_int_equal(sqlite3_finalize(q), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(
                         c->db, "UPDATE entry SET payload = 'x', leaf = ? WHERE (key & 65535) = 25",
                         -1, &change, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_bind_blob(change, 1, &row.leaf, sizeof row.leaf, SQLITE_STATIC),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(change), SQLITE_DONE);
    assert_int_equal(sqlite3_finalize(change), SQLITE_OK);
}

/* The checkpoints between them say that all was well after the first. */
static void test_a_change_does_not_hide_a_later_one(void **state)
{
    struct chain_under_test c;
    se_history_report report;

    (void)state;
    chain_begin(&c);
    for (int days = 3; days; days--)
        chain_append_days_ago(&c, days, 10);
    forge_entry_25(&c);
    assert_int_equal(chain_verify(&c, 0, &report), SE_ERR_REJECTED);
    assert_int_equal(report.findings, 1);
    chain_run(&c, "UPDATE entry SET payload = 'changed' WHERE (key & 65535) = 5");
    assert_int_equal(chain_verify(&c, 0, &report), SE_ERR_REJECTED);
    assert_int_equal(report.findings, 2);
    chain_end(&c);
}

/* ---- an erasure that never was ---- */

static void forge_erasure_of_950(const struct chain_under_test *c)
{
    sqlite3_stmt *q = select_one(c, "SELECT salt, payload FROM entry WHERE (key & 65535) = 950"),
                 *change;
    const struct row row = { .salt = blob_at(q, 0), .payload = blob_at(q, 1) };
    struct hash commitment;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, entry_commitment(&commitment, &row, &err), &err);
    assert_int_equal(sqlite3_finalize(q), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(c->db,
                           "UPDATE entry SET salt = x'', payload = ? WHERE (key & 65535) = 950", -1,
                           &change, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_bind_blob(change, 1, &commitment, sizeof commitment, SQLITE_STATIC),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(change), SQLITE_DONE);
    assert_int_equal(sqlite3_finalize(change), SQLITE_OK);
}

/* Nobody looks at the signatures of checkpoints that are older than the window. */
static void test_an_older_seal_excuses_nothing_in_a_window(void **state)
{
    struct chain_under_test c;
    se_error err = SE_ERROR_INIT;
    se_history_report report;

    (void)state;
    chain_begin(&c);
    chain_append_days_ago(&c, 800, OLD);
    clock_moved = -700 * (time_t)DAY;
    assert_status(SE_OK, se_history_erase(c.history, 42, &err), &err);
    chain_append_days_ago(&c, 600, MIDDLE - 1);
    chain_append_days_ago(&c, 400, 1);
    chain_append_days_ago(&c, 200, NEW);
    clock_moved = -100 * (time_t)DAY;
    assert_status(SE_OK, se_history_erase(c.history, 951, &err), &err);
    clock_moved = 0;
    assert_int_equal(chain_verify(&c, 12, &report), SE_OK);
    assert_int_equal(report.erased, 1);
    forge_erasure_of_950(&c);
    chain_run(&c, "UPDATE seal SET note = CAST(replace(CAST(note AS TEXT), 'erases 42', 'erases "
                  "950') AS BLOB)");
    assert_int_equal(chain_verify(&c, 12, &report), SE_ERR_REJECTED);
    assert_int_equal(report.findings, 1);
    chain_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_older_entries_are_not_read),
        IN_FOLDER(test_a_window_is_a_year_at_the_least),
        IN_FOLDER(test_progress_is_told_and_stops),
        IN_FOLDER(test_a_change_does_not_hide_a_later_one),
        IN_FOLDER(test_an_older_seal_excuses_nothing_in_a_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
