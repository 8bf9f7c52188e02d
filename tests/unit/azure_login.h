/* SPDX-License-Identifier: Apache-2.0 */
/* Logins with a secret at a login service that is a fake, by one thread or many. */
#ifndef TESTS_UNIT_AZURE_LOGIN_H
#define TESTS_UNIT_AZURE_LOGIN_H

#include <pthread.h>
#include <stdio.h>

#include "tests/unit/azure_fake.h"

enum { THREADS = 16 };

static unsigned fake_tokens;
static long fake_lifetime = 3600, fake_refresh;

static inline void make_token(struct http_answer *out)
{
    char json[200], refresh[40] = "";

    if (fake_refresh)
        (void)snprintf(refresh, sizeof refresh, "\"refresh_in\":%ld,", fake_refresh);
    (void)snprintf(json, sizeof json,
                   "{\"token_type\":\"Bearer\",\"expires_in\":%ld,%s\"access_token\":\"token-%u\"}",
                   fake_lifetime, refresh, ++fake_tokens);
    fake_json(out, 200, json);
}

static inline se_status give_token(struct http_answer *out, const struct http_request *request,
                                   se_error *err)
{
    (void)request;
    (void)err;
    make_token(out);
    return SE_OK;
}

static inline se_status refuse_secret(struct http_answer *out, const struct http_request *request,
                                      se_error *err)
{
    (void)request;
    (void)err;
    fake_json(out, 401,
              "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid "
              "client secret provided.\",\"error_codes\":[7000215]}");
    return SE_OK;
}

static inline se_status be_away(struct http_answer *out, const struct http_request *request,
                                se_error *err)
{
    (void)out;
    (void)request;
    return error_set(err, SE_ERR_UNAVAILABLE, "cannot connect to login.microsoftonline.com");
}

static inline void begin_with(fake_fn answer, long lasts)
{
    fake_tokens = 0;
    fake_lifetime = lasts;
    fake_refresh = 0;
    login_forget_refused();
    fake_begin(answer);
}

static inline struct keyref ref_with(char *secret)
{
    struct keyref ref = fake_ref();

    ref.credential = CREDENTIAL_SECRET;
    ref.pin = (se_buf){ (unsigned char *)secret, strlen(secret) };
    return ref;
}

static char first_secret[] = "secret&=+ 1";

/* A login may last a little longer than its owners, and what it refers to with it: in a program its
 * configuration, here what is static. */
static inline struct login *open_login(const struct keyref *ref)
{
    static struct keyref kept[100];
    static size_t count;
    se_error err = SE_ERROR_INIT;
    struct login *login;

    assert_true(count < sizeof kept / sizeof *kept);
    kept[count] = *ref;
    assert_status(SE_OK, login_open(&login, &kept[count++], &fake_place, &err), &err);
    return login;
}

static inline void assert_header(struct login *login, const char *expected)
{
    AUTO(se_buf) header = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, login_header(&header, login, in_ms(5000), &err), &err);
    assert_string_equal((char *)header.data, expected);
    assert_int_equal(header.size, strlen(expected));
}

static inline void assert_no_header(se_status expected, struct login *login, const char *text)
{
    AUTO(se_buf) header = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(expected, login_header(&header, login, in_ms(5000), &err), &err);
    assert_null(header.data);
    assert_non_null(strstr(err.text, text));
}

/* What still flies holds its login. */
static inline void wait_for_landing(unsigned open)
{
    for (unsigned i = 0; i < 3000 && fake_pools() > open; i++)
        (void)usleep(1000);
    assert_int_equal(fake_pools(), open);
}

static inline void wait_for_requests(unsigned count)
{
    for (unsigned i = 0; i < 3000 && fake_requests() < count; i++)
        (void)usleep(1000);
    assert_int_equal(fake_requests(), count);
}

/* ---- many threads ---- */

struct job {
    struct login *login;
    int64_t until;
    unsigned done, failed;
    char last[64];
    se_status st;
    int64_t longest; /* milliseconds of a call */
    se_error err;
};

static inline void *take_one(void *arg)
{
    struct job *job = arg;
    AUTO(se_buf) header = SE_BUF_INIT;

    job->st = login_header(&header, job->login, in_ms(5000), &job->err);
    (void)snprintf(job->last, sizeof job->last, "%s", header.data ? (const char *)header.data : "");
    return NULL;
}

static inline void *take_many(void *arg)
{
    struct job *job = arg;

    while (clock_monotonic_ms() < job->until) {
        AUTO(se_buf) header = SE_BUF_INIT;
        const int64_t begun = clock_monotonic_ms();
        se_error err = SE_ERROR_INIT;

        if (login_header(&header, job->login, in_ms(5000), &err)) {
            job->failed++;
            job->err = err;
        }
        if (clock_monotonic_ms() - begun > job->longest)
            job->longest = clock_monotonic_ms() - begun;
        job->done++;
        (void)usleep(500);
    }
    return NULL;
}

static inline void run_threads(void *(*run)(void *arg), struct job jobs[THREADS])
{
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, &jobs[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static inline void fill_jobs(struct job jobs[THREADS], struct login *login, int64_t until)
{
    for (size_t i = 0; i < THREADS; i++)
        jobs[i] = (struct job){ .login = login, .until = until, .err = SE_ERROR_INIT };
}

static inline int leave_nothing(void **state)
{
    (void)state;
    wait_for_landing(0);
    return 0;
}

#define LOGIN_TEST(test) cmocka_unit_test_teardown(test, leave_nothing)

#endif
