/* SPDX-License-Identifier: Apache-2.0 */
/* Logins: one token for all keys and threads, renewed ahead, asked for by one. */
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>

#include <sys/stat.h>

#include "base/file.h"
#include "tests/unit/azure_fake.h"
#include "tests/unit/needle.h"

enum { THREADS = 16 };

static unsigned tokens;
static long lifetime = 3600;

static void make_token(struct http_answer *out)
{
    char json[200];

    (void)snprintf(json, sizeof json,
                   "{\"token_type\":\"Bearer\",\"expires_in\":%ld,\"access_token\":\"token-%u\"}",
                   lifetime, ++tokens);
    fake_json(out, 200, json);
}

static se_status give_token(struct http_answer *out, const struct http_request *request,
                            se_error *err)
{
    (void)request;
    (void)err;
    make_token(out);
    return SE_OK;
}

static se_status refuse_secret(struct http_answer *out, const struct http_request *request,
                               se_error *err)
{
    (void)request;
    (void)err;
    fake_json(out, 401,
              "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid "
              "client secret provided.\",\"error_codes\":[7000215]}");
    return SE_OK;
}

static se_status be_away(struct http_answer *out, const struct http_request *request, se_error *err)
{
    (void)out;
    (void)request;
    return error_set(err, SE_ERR_UNAVAILABLE, "cannot connect to login.microsoftonline.com");
}

static void begin_with(fake_fn answer, long lasts)
{
    tokens = 0;
    lifetime = lasts;
    login_forget_refused();
    fake_begin(answer);
}

static struct keyref ref_with(char *secret)
{
    struct keyref ref = fake_ref();

    ref.credential = CREDENTIAL_SECRET;
    ref.pin = (se_buf){ (unsigned char *)secret, strlen(secret) };
    return ref;
}

static char first_secret[] = "secret&=+ 1";

/* A login may last a little longer than its owners, and what it refers to with it: in a program its
 * configuration, here what is static. */
static struct login *open_login(const struct keyref *ref)
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

static void assert_header(struct login *login, const char *expected)
{
    AUTO(se_buf) header = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, login_header(&header, login, in_ms(5000), &err), &err);
    assert_string_equal((char *)header.data, expected);
    assert_int_equal(header.size, strlen(expected));
}

static void assert_no_header(se_status expected, struct login *login, const char *text)
{
    AUTO(se_buf) header = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(expected, login_header(&header, login, in_ms(5000), &err), &err);
    assert_null(header.data);
    assert_non_null(strstr(err.text, text));
}

/* What still flies holds its login. */
static void wait_for_landing(unsigned open)
{
    for (unsigned i = 0; i < 3000 && fake_pools() > open; i++)
        (void)usleep(1000);
    assert_int_equal(fake_pools(), open);
}

static void wait_for_request(void)
{
    for (unsigned i = 0; i < 3000 && !fake_requests(); i++)
        (void)usleep(1000);
    assert_int_equal(fake_requests(), 1);
}

/* ---- */

static void test_what_is_asked(void **state)
{
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;

    (void)state;
    begin_with(give_token, 3600);
    ref.ca_file = "/etc/ca.pem";
    ref.proxy = "http://proxy.example:3128";
    login = open_login(&ref);
    assert_string_equal(fake_settings().ca_file, "/etc/ca.pem");
    assert_string_equal(fake_settings().proxy, "http://proxy.example:3128");
    assert_false(fake_settings().is_plain);
    assert_int_equal(fake_requests(), 0);
    assert_header(login, "Authorization: Bearer token-1");
    assert_string_equal(fake_url(), "https://login.microsoftonline.com/"
                                    "11111111-2222-3333-4444-555555555555/oauth2/v2.0/token");
    assert_string_equal(form_field(fake_body(), "grant_type"), "client_credentials");
    assert_string_equal(form_field(fake_body(), "client_id"), "client-1");
    assert_string_equal(form_field(fake_body(), "scope"), "https://vault.azure.net/.default");
    assert_string_equal(form_field(fake_body(), "client_secret"), first_secret);
    assert_string_equal(form_field(fake_body(), "claims"), "");
    assert_non_null(strstr(fake_headers(), "Content-Type: application/x-www-form-urlencoded\n"));
    assert_header(login, "Authorization: Bearer token-1");
    assert_int_equal(fake_requests(), 1);
}

static void test_equal_logins_are_one(void **state)
{
    static char same[] = "secret&=+ 1", another[] = "secret&=+ 2";
    struct keyref ref = ref_with(first_secret), equal = ref_with(same);
    struct keyref others[] = { ref, ref, ref, ref, ref_with(another), ref };
    struct login *login, *second, *other;

    (void)state;
    begin_with(give_token, 3600);
    others[0].tenant = "66666666-2222-3333-4444-555555555555";
    others[1].client = "client-2";
    others[2].proxy = "http://proxy";
    others[3].ca_file = "/ca.pem";
    others[5].pin = (se_buf)SE_BUF_INIT;
    others[5].pin_source = "env:SECRET";
    login = open_login(&ref);
    second = open_login(&equal);
    assert_ptr_equal(login, second);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        other = open_login(&others[i]);
        assert_ptr_not_equal(login, other);
        login_close(other);
    }
    assert_header(login, "Authorization: Bearer token-1");
    login_close(login);
    assert_header(second, "Authorization: Bearer token-1");
    login_close(second);
    wait_for_landing(0);
    login = open_login(&ref);
    assert_header(login, "Authorization: Bearer token-2");
    login_close(login);
}

static void test_what_is_not_given(void **state)
{
    struct keyref ref = fake_ref();
    struct vault_place stranger = fake_place;
    struct login *login;
    se_error err = SE_ERROR_INIT;

    (void)state;
    begin_with(give_token, 3600);
    assert_status(SE_ERR_CONFIG, login_open(&login, &ref, &fake_place, &err), &err);
    assert_null(login);
    assert_non_null(strstr(err.text, "managedIdentity"));
    ref = ref_with(first_secret);
    ref.credential = CREDENTIAL_NONE; /* a secret is given: that is one */
    login = open_login(&ref);
    assert_header(login, "Authorization: Bearer token-1");
    login_close(login);
    ref.tenant = "";
    login = open_login(&ref);
    assert_no_header(SE_ERR_CONFIG, login, "needs a tenant");
    login_close(login);
    ref = fake_ref();
    ref.credential = CREDENTIAL_SECRET;
    login = open_login(&ref);
    assert_no_header(SE_ERR_ACCESS, login, "pin.source");
    login_close(login);
    err = (se_error)SE_ERROR_INIT;
    stranger.host = (char[]){ "vault.azure.net.evil.example" };
    assert_status(SE_ERR_CONFIG, login_open(&login, &ref, &stranger, &err), &err);
    assert_int_equal(fake_requests(), 1);
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

static void *take_one(void *arg)
{
    struct job *job = arg;
    AUTO(se_buf) header = SE_BUF_INIT;

    job->st = login_header(&header, job->login, in_ms(5000), &job->err);
    (void)snprintf(job->last, sizeof job->last, "%s", header.data ? (const char *)header.data : "");
    return NULL;
}

static void *take_many(void *arg)
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

static void run_threads(void *(*run)(void *arg), struct job jobs[THREADS])
{
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, &jobs[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void fill_jobs(struct job jobs[THREADS], struct login *login, int64_t until)
{
    for (size_t i = 0; i < THREADS; i++)
        jobs[i] = (struct job){ .login = login, .until = until, .err = SE_ERROR_INIT };
}

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
    fake_delay(400);
    fill_jobs(jobs, login, in_ms(5000));
    run_threads(take_many, jobs);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(jobs[i].failed, 0);
        assert_true(jobs[i].done > 100);
        assert_true(jobs[i].longest < 350); /* less than an answer takes */
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
    fake_delay(400);
    login = open_login(&ref);
    assert_status(SE_ERR_UNAVAILABLE, login_header(&header, login, in_ms(50), &err), &err);
    assert_non_null(strstr(err.text, "https://vault.azure.net"));
    assert_in_range(clock_monotonic_ms() - begun, 45, 350);
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

/* ---- refused secrets ---- */

static void test_a_refused_secret_is_not_presented_again(void **state)
{
    static char second_secret[] = "right one";
    struct keyref ref = ref_with(first_secret), changed = ref_with(second_secret);
    struct login *login;

    (void)state;
    begin_with(refuse_secret, 3600);
    login = open_login(&ref);
    assert_no_header(SE_ERR_ACCESS, login, "is wrong");
    assert_no_header(SE_ERR_ACCESS, login, "does not present it again");
    login_close(login);
    login = open_login(&ref); /* another engine */
    assert_no_header(SE_ERR_ACCESS, login, "does not present it again");
    assert_int_equal(fake_requests(), 1);
    login_forget_refused();
    assert_no_header(SE_ERR_ACCESS, login, "is wrong");
    assert_int_equal(fake_requests(), 2);
    login_close(login);
    login = open_login(&changed);
    begin_with(give_token, 3600);
    assert_header(login, "Authorization: Bearer token-1");
    login_close(login);
}

static void test_a_changed_secret_is_tried_at_once(void **state)
{
    struct keyref ref = fake_ref();
    AUTO(login) login = NULL;

    (void)state;
    begin_with(refuse_secret, 3600);
    ref.credential = CREDENTIAL_SECRET;
    ref.pin_source = "env:TEST_AZURE_SECRET";
    assert_int_equal(setenv("TEST_AZURE_SECRET", "one", 1), 0);
    login = open_login(&ref);
    assert_no_header(SE_ERR_ACCESS, login, "is wrong");
    fake_begin(give_token);
    assert_no_header(SE_ERR_ACCESS, login, "does not present it again");
    assert_int_equal(fake_requests(), 0);
    assert_int_equal(setenv("TEST_AZURE_SECRET", "two", 1), 0);
    assert_header(login, "Authorization: Bearer token-1");
}

/* What is no fault of the secret's is asked again. */
static se_status refuse_client(struct http_answer *out, const struct http_request *request,
                               se_error *err)
{
    (void)request;
    (void)err;
    fake_json(out, 400,
              "{\"error\":\"unauthorized_client\",\"error_description\":\"AADSTS700016: "
              "Application not found\",\"error_codes\":[700016]}");
    return SE_OK;
}

static void test_only_secrets_are_remembered(void **state)
{
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;

    (void)state;
    begin_with(refuse_client, 3600);
    login = open_login(&ref);
    assert_no_header(SE_ERR_ACCESS, login, "no such application");
    assert_no_header(SE_ERR_ACCESS, login, "no such application");
    assert_int_equal(fake_requests(), 2);
    fake_begin(give_token);
    assert_header(login, "Authorization: Bearer token-1");
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
    fake_delay(300);
    fill_jobs(jobs, login, in_ms(3000)); /* beyond the moment of renewal */
    run_threads(take_many, jobs);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(jobs[i].failed, 0);
        assert_true(jobs[i].longest < 250);
    }
    assert_in_range(fake_requests(), 1, 8);
    (void)usleep(1200 * 1000);
    assert_no_header(SE_ERR_UNAVAILABLE, login, "cannot connect");
}

/* ---- a vault refuses the token ---- */

static void refuse(struct login *login, const char *header, const struct challenge *challenge)
{
    AUTO(se_buf) refused = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, buf_copy(&refused, text_bytes(header), &err), &err);
    assert_status(SE_OK, login_refused(login, &refused, challenge, &err), &err);
}

static void test_a_refused_token_is_asked_anew(void **state)
{
    const struct challenge same = { .scheme = "Bearer",
                                    .tenant = "11111111-2222-3333-4444-555555555555",
                                    .resource = "https://vault.azure.net/" };
    struct challenge claims = same;
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;

    (void)state;
    begin_with(give_token, 3600);
    login = open_login(&ref);
    assert_header(login, "Authorization: Bearer token-1");
    refuse(login, "Authorization: Bearer token-1", &same);
    assert_header(login, "Authorization: Bearer token-2");
    refuse(login, "Authorization: Bearer token-1", &same); /* another thread is late */
    assert_header(login, "Authorization: Bearer token-2");
    assert_string_equal(form_field(fake_body(), "claims"), "");
    (void)snprintf(claims.claims, sizeof claims.claims, "eyJhY2Nlc3NfdG9rZW4iOnsieCI6Ij8_In19");
    refuse(login, "Authorization: Bearer token-2", &claims);
    assert_header(login, "Authorization: Bearer token-3");
    assert_string_equal(form_field(fake_body(), "claims"), "{\"access_token\":{\"x\":\"??\"}}");
    refuse(login, "Authorization: Bearer token-3", &same);
    assert_header(login, "Authorization: Bearer token-4");
    assert_string_equal(form_field(fake_body(), "claims"), "");
}

/* A renewal is under way when a vault asks for claims: its token would not have them. */
static void test_claims_during_a_renewal(void **state)
{
    struct challenge claims = { .scheme = "Bearer", .claims = "e30=" };
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;

    (void)state;
    begin_with(give_token, 2);
    login = open_login(&ref);
    assert_header(login, "Authorization: Bearer token-1");
    fake_delay(300);
    (void)usleep(1100 * 1000);
    assert_header(login, "Authorization: Bearer token-1"); /* begins it */
    refuse(login, "Authorization: Bearer token-1", &claims);
    assert_header(login, "Authorization: Bearer token-3");
    assert_string_equal(form_field(fake_body(), "claims"), "{}");
}

static void test_challenges_for_strangers(void **state)
{
    static const struct {
        struct challenge challenge;
        const char *text;
    } bad[] = {
        { { .resource = "https://evil.example" }, "'https://evil.example'" },
        { { .resource = "https://vault.azure.cn" }, "'https://vault.azure.net'" },
        { { .resource = "https://vault.azure.net.evil.example" }, "gets none" },
        { { .resource = "https://azure.net" }, "say so by 'resource'" },
        { { .tenant = "66666666-2222-3333-4444-555555555555" },
          "'66666666-2222-3333-4444-555555555555'" },
    };
    const struct challenge by_name = { .tenant = "contoso.example" };
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;
    AUTO(se_buf) header = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    begin_with(give_token, 3600);
    login = open_login(&ref);
    assert_status(SE_OK, login_header(&header, login, in_ms(5000), &err), &err);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (se_error)SE_ERROR_INIT;
        assert_status(SE_ERR_STORE, login_refused(login, &header, &bad[i].challenge, &err), &err);
        if (!strstr(err.text, bad[i].text))
            fail_msg("%s", err.text);
    }
    assert_header(login, "Authorization: Bearer token-1"); /* not forgotten for such ones */
    refuse(login, "Authorization: Bearer token-1", &by_name);
    assert_header(login, "Authorization: Bearer token-2");
    assert_string_equal(fake_url(), "https://login.microsoftonline.com/"
                                    "11111111-2222-3333-4444-555555555555/oauth2/v2.0/token");
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
    return fake_pools() ? 4 : 0; /* the parent's flight holds nothing here */
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
    wait_for_request();
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
    wait_for_request();
    if (!(pid = fork()))
        _exit(log_in_as_child(login));
    assert_int_equal(waitpid(pid, &end, 0), pid);
    assert_int_equal(end, 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(job.st, SE_OK);
}

/* ---- memory ---- */

static const char secret_file[] = "/tmp/signengine-azure-secret";

static void write_secret(const char *pin)
{
    FILE *file = fopen(secret_file, "w");

    if (!file || fprintf(file, "%s\n", pin) < 0 || fclose(file))
        _exit(1);
    _exit(chmod(secret_file, 0600));
}

/* The same text is the token, so that both are looked for. */
static se_status give_secret_token(struct http_answer *out, const struct http_request *request,
                                   se_error *err)
{
    AUTO(se_buf) token = SE_BUF_INIT;

    (void)request;
    TRY(file_read(&token, secret_file, 100, err));
    out->status = 200;
    (void)snprintf(out->content_type, sizeof out->content_type, "application/json");
    writer_text(&out->body, "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"");
    writer_put(&out->body, token.data, token.size - 1);
    writer_text(&out->body, "\"}");
    return SE_OK;
}

static void test_nothing_stays_in_memory(void **state)
{
    struct keyref ref = fake_ref();
    static char source[64];
    struct login *login;
    se_error err = SE_ERROR_INIT;

    (void)state;
    (void)snprintf(source, sizeof source, "file:%s", secret_file);
    (void)unlink(secret_file);
    in_child(write_secret);
    begin_with(give_secret_token, 3600);
    fake_forget_texts();
    ref.credential = CREDENTIAL_SECRET;
    ref.pin_source = source;
    login = open_login(&ref);
    for (int i = 0; i < 3; i++) {
        AUTO(se_buf) header = SE_BUF_INIT;
        const struct challenge challenge = { .scheme = "Bearer" };

        assert_status(SE_OK, login_header(&header, login, in_ms(5000), &err), &err);
        assert_status(SE_OK, login_refused(login, &header, &challenge, &err), &err);
    }
    assert_int_equal(pieces_in_memory(), 0);
    {
        AUTO(se_buf) header = SE_BUF_INIT;

        assert_status(SE_OK, login_header(&header, login, in_ms(5000), &err), &err);
    }
    assert_true(pieces_in_memory() > 0); /* the token that is in use: the search finds it */
    login_close(login);
    wait_for_landing(0);
    assert_int_equal(fake_requests(), 4);
    assert_int_equal(pieces_in_memory(), 0);
    (void)unlink(secret_file);
}

static int leave_nothing(void **state)
{
    (void)state;
    wait_for_landing(0);
    return 0;
}

#define LOGIN_TEST(test) cmocka_unit_test_teardown(test, leave_nothing)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        LOGIN_TEST(test_what_is_asked),
        LOGIN_TEST(test_equal_logins_are_one),
        LOGIN_TEST(test_what_is_not_given),
        LOGIN_TEST(test_one_asks_for_all),
        LOGIN_TEST(test_all_share_a_failure),
        LOGIN_TEST(test_tokens_of_three_seconds),
        LOGIN_TEST(test_a_caller_leaves_and_the_token_comes),
        LOGIN_TEST(test_closed_while_it_is_asked),
        LOGIN_TEST(test_a_refused_secret_is_not_presented_again),
        LOGIN_TEST(test_a_changed_secret_is_tried_at_once),
        LOGIN_TEST(test_only_secrets_are_remembered),
        LOGIN_TEST(test_others_fail_at_once),
        LOGIN_TEST(test_others_do_not_wait_for_a_probe),
        LOGIN_TEST(test_a_token_that_lasts_is_used_in_an_outage),
        LOGIN_TEST(test_a_refused_token_is_asked_anew),
        LOGIN_TEST(test_claims_during_a_renewal),
        LOGIN_TEST(test_challenges_for_strangers),
        LOGIN_TEST(test_fork_while_another_thread_logs_in),
        LOGIN_TEST(test_fork_during_a_probe),
        LOGIN_TEST(test_nothing_stays_in_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
