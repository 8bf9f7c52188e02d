/* SPDX-License-Identifier: Apache-2.0 */
/* Groups that are appended to a chain in an SQLite file, at once with others and while something is
 * in the way. */
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/history/years.h"

/* ---- a big group, of which one thread makes the tree while another one stores ---- */

static void test_a_big_group_is_signed_once_by_its_caller(void **state)
{
    struct chain_under_test c;
    unsigned before;

    (void)state;
    chain_begin(&c);
    before = c.signatures;
    chain_append_days_ago(&c, 1, BIG);
    assert_int_equal(c.signatures, before + 1);
    chain_expect(&c, BIG);
    chain_end(&c);
}

/* As on a full disk: no file grows beyond that. */
static void limit_files(rlim_t size)
{
    struct rlimit limit;

    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_group_that_cannot_be_stored_leaves_nothing(void **state)
{
    struct chain_under_test c;
    se_error err = SE_ERROR_INIT;

    (void)state;
    chain_begin(&c);
    chain_append_days_ago(&c, 1, 5);
    clock_moved = 0;
    limit_files(256 << 10);
    assert_status(SE_ERR_IO, chain_append(&c, BIG, &err), &err);
    limit_files(RLIM_INFINITY);
    assert_non_null(strstr(err.text, "disk"));
    chain_expect(&c, 5);
    chain_append_days_ago(&c, 0, BIG);
    chain_expect(&c, BIG + 5);
    chain_end(&c);
}

/* It is met in the middle of a statement, which stores several. */
static void test_an_entry_in_the_way_leaves_nothing_of_a_group(void **state)
{
    struct chain_under_test c;
    se_error err = SE_ERROR_INIT;

    (void)state;
    chain_begin(&c);
    chain_append_days_ago(&c, 1, 5);
    chain_run(&c, "INSERT INTO entry SELECT key + 95, time, object, salt, payload, leaf FROM entry "
                  "WHERE (key & 65535) = 5");
    clock_moved = 0;
    assert_status(SE_ERR_IO, chain_append(&c, 200, &err), &err);
    assert_non_null(strstr(err.text, "UNIQUE"));
    chain_run(&c, "DELETE FROM entry WHERE (key & 65535) = 100");
    chain_expect(&c, 5);
    chain_append_days_ago(&c, 0, 200);
    chain_expect(&c, 205);
    chain_end(&c);
}

/* ---- another file in its place ---- */

static void put_in_place(const char *path)
{
    (void)unlink("h.db-wal");
    (void)unlink("h.db-shm");
    assert_int_equal(rename(path, "h.db"), 0);
}

/* As another process does. */
static void append_as_another(const struct chain_under_test *c)
{
    se_history *another;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, se_history_open(&another, c->engine, "sqlite:h.db", NULL, &err), &err);
    assert_status(
        SE_OK,
        se_history_append(NULL, another, (se_bytes){ "object", 6 }, (se_bytes){ "other", 5 }, &err),
        &err);
    se_history_close(&another);
}

static void test_a_file_that_was_replaced_is_not_written_to(void **state)
{
    struct chain_under_test c;
    se_error gone = SE_ERROR_INIT, older = SE_ERROR_INIT, anew = SE_ERROR_INIT, err = SE_ERROR_INIT;

    (void)state;
    chain_begin(&c);
    clock_moved = 0;
    assert_status(SE_OK, chain_append(&c, 5, &err), &err);
    chain_run(&c, "VACUUM INTO 'older.db'");
    assert_status(SE_OK, chain_append(&c, 5, &err), &err);
    chain_run(&c, "VACUUM INTO 'newest.db'");
    assert_int_equal(unlink("h.db"), 0);
    assert_status(SE_ERR_IO, chain_append(&c, 1, &gone), &gone);
    assert_non_null(strstr(gone.text, "No such file"));
    put_in_place("older.db");
    assert_status(SE_ERR_REJECTED, chain_append(&c, 1, &older), &older);
    assert_non_null(strstr(older.text, "an older state was put back"));
    append_as_another(&c);
    assert_status(SE_ERR_REJECTED, chain_append(&c, 1, &anew), &anew);
    assert_non_null(strstr(anew.text, "the history was written anew"));
    put_in_place("newest.db");
    assert_status(SE_OK, chain_append(&c, 1, &err), &err);
    chain_expect(&c, 11);
    chain_end(&c);
}

/* ---- what is refused lets go of the chain ---- */

static void test_others_go_on_after_a_refusal(void **state)
{
    struct chain_under_test c;
    se_error missing = SE_ERROR_INIT, refused = SE_ERROR_INIT, err = SE_ERROR_INIT;

    (void)state;
    chain_begin(&c);
    clock_moved = 0;
    assert_status(SE_OK, chain_append(&c, 5, &err), &err);
    assert_status(SE_ERR_USAGE, se_history_erase(c.history, 999, &missing), &missing);
    chain_run(&c, "UPDATE chain SET seals = seals + 1");
    assert_status(SE_ERR_REJECTED, chain_append(&c, 1, &refused), &refused);
    chain_run(&c, "UPDATE chain SET seals = seals - 1");
    assert_status(SE_OK, chain_append(&c, 1, &err), &err);
    chain_expect(&c, 6);
    chain_end(&c);
}

/* An error struct is only asked for its text. */
static void test_a_refusal_needs_no_error_struct(void **state)
{
    struct chain_under_test c;
    se_buf head = SE_BUF_INIT;
    se_history *another = NULL;
    se_error err = SE_ERROR_INIT;

    (void)state;
    chain_begin(&c);
    clock_moved = 0;
    assert_status(SE_OK, chain_append(&c, 5, &err), &err);
    chain_run(&c, "UPDATE chain SET seals = seals - 1");
    assert_int_equal(se_history_open(&another, c.engine, "sqlite:h.db", NULL, NULL),
                     SE_ERR_REJECTED);
    assert_null(another);
    assert_int_equal(se_history_head(&head, c.history, NULL), SE_ERR_REJECTED);
    assert_null(head.data);
    assert_int_equal(chain_append(&c, 1, NULL), SE_ERR_REJECTED);
    assert_int_equal(se_history_erase(c.history, 1, NULL), SE_ERR_REJECTED);
    chain_end(&c);
}

/* ---- a new seal over all, while others append ---- */

static void *append_some(void *arg)
{
    const struct chain_under_test *c = arg;
    se_error err = SE_ERROR_INIT;

    for (unsigned i = 0; i < 20; i++)
        if (se_history_append(NULL, c->history, (se_bytes){ "object", 6 },
                              (se_bytes){ "payload", 7 }, &err))
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
    chain_begin(&c);
    clock_moved = 0;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, append_some, &c), 0);
    for (unsigned i = 0; i < 10; i++)
        assert_status(SE_OK, se_history_resign(c.history, &err), &err);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    chain_expect(&c, 80);
    chain_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_a_big_group_is_signed_once_by_its_caller),
        IN_FOLDER(test_a_group_that_cannot_be_stored_leaves_nothing),
        IN_FOLDER(test_an_entry_in_the_way_leaves_nothing_of_a_group),
        IN_FOLDER(test_a_file_that_was_replaced_is_not_written_to),
        IN_FOLDER(test_others_go_on_after_a_refusal),
        IN_FOLDER(test_a_refusal_needs_no_error_struct),
        IN_FOLDER(test_others_append_while_a_chain_is_signed_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
