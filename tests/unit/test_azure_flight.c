/* SPDX-License-Identifier: Apache-2.0 */
/* One asks for a token and all others wait, go on with the old one, or fail at once. */
#include <sys/wait.h>

#include "tests/unit/azure_login.h"

/* ---- one for all ---- */

static void test_one_asks_for_all(void **state)
{
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;
    struct job jobs[THREADS];

    (void)state;
    begin_with(give_token, 3600);
    fake_delay(200);
    login = open_login(&ref);
    fill_jobs(jobs, login, 0);
    run_threads(take_one, jobs);
    for (size_t i = 0; i < THREADS; i++) {
        assert_status(SE_OK, jobs[i].st, &jobs[i].err);
        assert_string_equal(jobs[i].last, "Authorization: Bearer token-1");
    }
    assert_int_equal(fake_requests(), 1);
}

static void test_all_share_a_failure(void **state)
{
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;
    struct job jobs[THREADS];

    (void)state;
    begin_with(refuse_secret, 3600);
    fake_delay(200);
    login = open_login(&ref);
    fill_jobs(jobs, login, 0);
    run_threads(take_one, jobs);
    for (size_t i = 0; i < THREADS; i++) {
        assert_status(SE_ERR_ACCESS, jobs[i].st, &jobs[i].err);
        assert_non_null(strstr(jobs[i].err.text, "client secret"));
    }
    assert_int_equal(fake_requests(), 1);
}

/* Renewed at half of its life: nobody waits for more than the first one. */
static void test_tokens_of_three_seconds(void **state)
{
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;
    struct job jobs[THREADS];

    (void)state;
    begin_with(give_token, 3);
    login = open_login(&ref);
    assert_header(login, "Authorization: Bearer token-1");
    fake_delay(1000);
    fill_jobs(jobs, login, in_ms(5000));
    run_threads(take_many, jobs);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(jobs[i].failed, 0);
        assert_true(jobs[i].done > 100);
        assert_true(jobs[i].longest < 900); /* less than an answer takes */
    }
    assert_in_range(fake_requests(), 3, 4);
}

static void test_a_caller_leaves_and_the_token_comes(void **state)
{
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;
    se_error err = SE_ERROR_INIT;
    AUTO(se_buf) header = SE_BUF_INIT;
    const int64_t begun = clock_monotonic_ms();

    (void)state;
    begin_with(give_token, 3600);
    fake_delay(2000);
    login = open_login(&ref);
    assert_status(SE_ERR_UNAVAILABLE, login_header(&header, login, in_ms(50), &err), &err);
    assert_non_null(strstr(err.text, "https://vault.azure.net"));
    assert_in_range(clock_monotonic_ms() - begun, 45, 1900);
    assert_header(login, "Authorization: Bearer token-1");
    assert_int_equal(fake_requests(), 1);
}

static void test_closed_while_it_is_asked(void **state)
{
    struct keyref ref = ref_with(first_secret);
    struct login *login;
    AUTO(se_buf) header = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    begin_with(give_token, 3600);
    fake_delay(200);
    login = open_login(&ref);
    assert_status(SE_ERR_UNAVAILABLE, login_header(&header, login, in_ms(10), &err), &err);
    login_close(login);
    wait_for_landing(0);
}

/* ---- an authority that is away ---- */

static void test_others_fail_at_once(void **state)
{
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;
    struct job jobs[THREADS];
    unsigned done = 0;

    (void)state;
    begin_with(be_away, 3600);
    login = open_login(&ref);
    fill_jobs(jobs, login, in_ms(1500));
    run_threads(take_many, jobs);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(jobs[i].failed, jobs[i].done);
        assert_non_null(strstr(jobs[i].err.text, "cannot connect"));
        done += jobs[i].done;
    }
    assert_true(done > 1000);
    assert_in_range(fake_requests(), 3, 20);
    fake_begin(give_token);
    (void)usleep(600 * 1000);
    assert_header(login, "Authorization: Bearer token-1");
}

/* While one tries whether it is back, which takes a while. */
static void test_others_do_not_wait_for_a_probe(void **state)
{
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;
    struct job jobs[THREADS];
    size_t slow = 0;

    (void)state;
    begin_with(be_away, 3600);
    login = open_login(&ref);
    assert_no_header(SE_ERR_UNAVAILABLE, login, "cannot connect");
    fake_delay(1000);
    (void)usleep(150 * 1000);
    fill_jobs(jobs, login, in_ms(600));
    run_threads(take_many, jobs);
    for (size_t i = 0; i < THREADS; i++)
        slow += jobs[i].longest > 700;
    assert_int_equal(slow, 1);
    assert_int_equal(fake_requests(), 2);
}

static void test_a_token_that_lasts_is_used_in_an_outage(void **state)
{
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;
    struct job jobs[THREADS];

    (void)state;
    begin_with(give_token, 4);
    login = open_login(&ref);
    assert_header(login, "Authorization: Bearer token-1");
    fake_begin(be_away);
    fake_delay(1000);
    fill_jobs(jobs, login, in_ms(3000)); /* beyond the moment of renewal */
    run_threads(take_many, jobs);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(jobs[i].failed, 0);
        assert_true(jobs[i].longest < 900);
    }
    assert_in_range(fake_requests(), 1, 8);
    (void)usleep(1200 * 1000);
    assert_no_header(SE_ERR_UNAVAILABLE, login, "cannot connect");
}

/* ---- forks ---- */

static void *take_one_quietly(void *arg)
{
    struct job *job = arg;
    AUTO(se_buf) header = SE_BUF_INIT;

    job->st = login_header(&header, job->login, in_ms(5000), NULL);
    return NULL;
}

static int log_in_as_child(struct login *login)
{
    AUTO(se_buf) header = SE_BUF_INIT;
    const int64_t begun = clock_monotonic_ms();

    fake_delay(0);
    if (login_header(&header, login, in_ms(1000), NULL))
        return 1;
    if (strcmp((char *)header.data, "Authorization: Bearer token-1") != 0)
        return 2;
    if (clock_monotonic_ms() - begun > 500)
        return 3;
    login_close(login);
    /* the parent's flight holds nothing here, and the own one ends */
    for (unsigned i = 0; i < 1000 && fake_pools(); i++)
        (void)usleep(1000);
    return fake_pools() ? 4 : 0;
}

static int close_as_child(struct login *login)
{
    login_close(login);
    return fake_pools() ? 4 : 0;
}

static void fork_in_flight(int (*child)(struct login *login))
{
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;
    struct job job = { .err = SE_ERROR_INIT };
    pthread_t thread;
    pid_t pid;
    int end;

    begin_with(give_token, 3600);
    fake_delay(1000);
    job.login = login = open_login(&ref);
    assert_int_equal(pthread_create(&thread, NULL, take_one_quietly, &job), 0);
    wait_for_requests(1);
    if (!(pid = fork()))
        _exit(child(login));
    assert_int_equal(waitpid(pid, &end, 0), pid);
    assert_int_equal(end, 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(job.st, SE_OK);
    assert_int_equal(fake_requests(), 1);
}

static void test_fork_while_another_thread_logs_in(void **state)
{
    (void)state;
    fork_in_flight(log_in_as_child);
    wait_for_landing(0);
    fork_in_flight(close_as_child);
}

/* A probe that is under way belongs to the parent: the child begins its own. */
static void test_fork_during_a_probe(void **state)
{
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;
    struct job job = { .err = SE_ERROR_INIT };
    pthread_t thread;
    pid_t pid;
    int end;

    (void)state;
    begin_with(be_away, 3600);
    job.login = login = open_login(&ref);
    assert_no_header(SE_ERR_UNAVAILABLE, login, "cannot connect");
    (void)usleep(150 * 1000);
    begin_with(give_token, 3600);
    fake_delay(1000);
    assert_int_equal(pthread_create(&thread, NULL, take_one_quietly, &job), 0);
    wait_for_requests(1);
    if (!(pid = fork()))
        _exit(log_in_as_child(login));
    assert_int_equal(waitpid(pid, &end, 0), pid);
    assert_int_equal(end, 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(job.st, SE_OK);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        LOGIN_TEST(test_one_asks_for_all),
        LOGIN_TEST(test_all_share_a_failure),
        LOGIN_TEST(test_tokens_of_three_seconds),
        LOGIN_TEST(test_a_caller_leaves_and_the_token_comes),
        LOGIN_TEST(test_closed_while_it_is_asked),
        LOGIN_TEST(test_others_fail_at_once),
        LOGIN_TEST(test_others_do_not_wait_for_a_probe),
        LOGIN_TEST(test_a_token_that_lasts_is_used_in_an_outage),
        LOGIN_TEST(test_fork_while_another_thread_logs_in),
        LOGIN_TEST(test_fork_during_a_probe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
