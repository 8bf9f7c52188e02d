/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that are kept, and shared by threads but not by processes. */
#include <signal.h>

#include "base/clock.h"
#include "base/thread.h"
#include "keystore/azure/http_pool.h"
#include "tests/unit/folder.h"
#include "tests/unit/https.h"

/* ---- kept connections ---- */

/* The server closes a connection that was kept when it is used again. */
static void lost_connections_are_replaced(void **state)
{
    AUTO(http_pool) pool = open_pool(1);
    unsigned requests;

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_ok(pool, url_of(&server, "localhost", "/bye"));
    requests = tls_server_requests(&server);
    assert_ok(pool, url_of(&server, "localhost", "/ok"));
    assert_ok(pool, url_of(&server, "localhost", "/die"));
    assert_int_equal(tls_server_requests(&server), requests + 3);
}

/* What must not be done twice is not sent twice, though it is a new connection that it costs. */
static void what_is_sent_once_is_not_sent_again(void **state)
{
    AUTO(http_pool) pool = open_pool(1);
    unsigned requests;
    struct http_answer answer;
    se_error err = SE_ERROR_INIT;
    struct http_request request = { .method = "POST",
                                    .is_once = true,
                                    .until = clock_monotonic_ms() + LONG_MS };

    (void)state;
    assert_ok(pool, url_of(&server, "localhost", "/ok"));
    requests = tls_server_requests(&server);
    request.url = url_of(&server, "localhost", "/none");
    assert_status(SE_ERR_UNAVAILABLE, http_send(&answer, pool, &request, &err), &err);
    assert_int_equal(tls_server_requests(&server), requests + 1);
    request.is_once = false;
    assert_ok(pool, url_of(&server, "localhost", "/ok"));
    requests = tls_server_requests(&server);
    request.url = url_of(&server, "localhost", "/none");
    assert_int_equal(http_send(&answer, pool, &request, NULL), SE_ERR_UNAVAILABLE);
    assert_int_equal(tls_server_requests(&server), requests + 2);
}

/* A connection that lay idle for too long is not used. */
static void old_connections_are_left(void **state)
{
    const struct http_settings settings = {
        .ca_file = "ca.pem", .proxy = "", .connections = 2, .keep_alive = 1
    };
    AUTO(http_pool) pool = NULL;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, http_pool_open(&pool, &settings, &err), &err);
    assert_ok(pool, url_of(&server, "localhost", "/ok"));
    assert_ok(pool, url_of(&server, "localhost", "/ok"));
    assert_int_equal(http_pool_opened(pool), 1);
    usleep(2100000);
    assert_ok(pool, url_of(&server, "localhost", "/ok"));
    assert_int_equal(http_pool_opened(pool), 2);
}

static bool is_pending(void)
{
    sigset_t pending;

    assert_int_equal(sigpending(&pending), 0);
    return sigismember(&pending, SIGPIPE);
}

/* Without the block, the first of these writes ends the process. */
static void a_broken_pipe_ends_nobody(void **state)
{
    sigset_t none;
    struct pipe_block block;
    sigset_t before, after;
    int ends[2];

    (void)state;
    assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    (void)sigemptyset(&none);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &none, &before), 0);
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    for (int i = 0; i < 2; i++) {
        pipe_block_begin(&block);
        assert_int_equal(write(ends[1], "x", 1), -1);
        assert_true(is_pending());
        pipe_block_end(&block);
        assert_false(is_pending());
    }
    close(ends[1]);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, &after), 0);
    assert_int_equal(sigismember(&after, SIGPIPE), 0);
}

/* A server that resets what was kept: a request may fail, but the next one does not. */
static void reset_connections_are_left(void **state)
{
    AUTO(http_pool) pool = open_pool(1);

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct http_answer answer;
        se_error err;
        se_status st =
            ask_server(&answer, pool, url_of(&server, "localhost", "/gone"), LONG_MS, &err);

        assert_true(st == SE_OK || st == SE_ERR_UNAVAILABLE);
        http_answer_free(&answer);
        usleep(60000);
        if (st)
            assert_ok(pool, url_of(&server, "localhost", "/ok"));
    }
}

/* ---- threads ---- */

enum { THREADS = 16, REQUESTS = 25 };

static void *ask_many(void *arg)
{
    for (int i = 0; i < REQUESTS; i++)
        assert_ok(arg, url_of(&server, "localhost", "/ok?5"));
    return NULL;
}

static void run_threads(struct http_pool *pool)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        assert_true(thread_start(&threads[i], ask_many, pool));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void threads_share_few_connections(void **state)
{
    AUTO(http_pool) pool = open_pool(4);
    unsigned before = tls_server_requests(&server);

    (void)state;
    run_threads(pool);
    assert_int_equal(tls_server_requests(&server), before + THREADS * REQUESTS);
    assert_int_equal(http_pool_opened(pool), 4);
    http_pool_close(pool);
    pool = open_pool(THREADS);
    run_threads(pool);
    assert_in_range(http_pool_opened(pool), 5, THREADS);
}

static void *ask_slowly(void *pool)
{
    assert_ok(pool, url_of(&server, "localhost", "/ok?1500"));
    return NULL;
}

static void nobody_waits_beyond_the_deadline(void **state)
{
    AUTO(http_pool) pool = open_pool(1);
    pthread_t thread;
    int64_t begin;

    (void)state;
    assert_true(thread_start(&thread, ask_slowly, pool));
    usleep(500000);
    begin = clock_monotonic_ms();
    assert_refused(pool, url_of(&server, "localhost", "/ok"), 200, SE_ERR_UNAVAILABLE,
                   "all 1 connections were in use until the deadline (maxSessions)");
    assert_in_range(clock_monotonic_ms() - begin, 195, 700);
    assert_ok(pool, url_of(&server, "localhost", "/ok"));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(http_pool_opened(pool), 1);
}

/* ---- forks ---- */

static void wait_for_child(pid_t child)
{
    int status;

    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Whether `count` requests pass over connections that the child opened. */
static bool child_asks(struct http_pool *pool, unsigned opened)
{
    struct http_answer answer;
    se_error err;

    for (int i = 0; i < 3; i++) {
        if (ask_server(&answer, pool, url_of(&server, "localhost", "/ok"), LONG_MS, &err))
            return false;
        http_answer_free(&answer);
    }
    opened = http_pool_opened(pool) - opened;
    http_pool_close(pool);
    return opened == 1;
}

static void a_child_has_connections_of_its_own(void **state)
{
    AUTO(http_pool) pool = open_pool(1);
    pid_t child;

    (void)state;
    assert_ok(pool, url_of(&server, "localhost", "/ok"));
    if (!(child = fork()))
        _exit(!child_asks(pool, 1));
    wait_for_child(child);
    if (!(child = fork())) { /* one that only says goodbye */
        http_pool_close(pool);
        _exit(0);
    }
    wait_for_child(child);
    for (int i = 0; i < 3; i++)
        assert_ok(pool, url_of(&server, "localhost", "/ok"));
    assert_int_equal(http_pool_opened(pool), 1);
}

/* The only connection is in use, and another caller waits for it, when the process forks. */
static void a_child_waits_for_no_parent(void **state)
{
    AUTO(http_pool) pool = open_pool(1);
    pthread_t busy, waiting;
    pid_t child;

    (void)state;
    assert_true(thread_start(&busy, ask_slowly, pool));
    usleep(300000);
    assert_true(thread_start(&waiting, ask_slowly, pool));
    usleep(300000);
    if (!(child = fork()))
        _exit(!child_asks(pool, http_pool_opened(pool)));
    wait_for_child(child);
    assert_int_equal(pthread_join(busy, NULL), 0);
    assert_int_equal(pthread_join(waiting, NULL), 0);
    assert_int_equal(http_pool_opened(pool), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_has_connections_of_its_own), /* the first: nothing is loaded */
        cmocka_unit_test(lost_connections_are_replaced),
        cmocka_unit_test(what_is_sent_once_is_not_sent_again),
        cmocka_unit_test(old_connections_are_left),
        cmocka_unit_test(a_broken_pipe_ends_nobody),
        cmocka_unit_test(reset_connections_are_left),
        cmocka_unit_test(threads_share_few_connections),
        cmocka_unit_test(nobody_waits_beyond_the_deadline),
        cmocka_unit_test(a_child_waits_for_no_parent),
    };

    return cmocka_run_group_tests(tests, https_begin, https_end);
}
