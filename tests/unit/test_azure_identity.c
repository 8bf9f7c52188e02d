/* SPDX-License-Identifier: Apache-2.0 */
/* Managed identities: each service that hands them out, as the environment shows it. */
#include <stdio.h>
#include <time.h>

#include "keystore/azure/credential.h"
#include "keystore/azure/identity.h"
#include "tests/unit/azure_fake.h"
#include "tests/unit/folder.h"

/* ---- time goes by without waiting, and the agent's folder is where the test is ---- */

static int64_t passed; /* milliseconds that were slept */

int64_t __real_clock_monotonic_ms(void);
int64_t __wrap_clock_monotonic_ms(void);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, mode_t mode);

int64_t __wrap_clock_monotonic_ms(void)
{
    return __real_clock_monotonic_ms() + passed;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
    (void)left;
    passed += (int64_t)time->tv_sec * 1000 + time->tv_nsec / 1000000;
    return 0;
}

int __wrap_open(const char *path, int flags, mode_t mode)
{
    return __real_open(strcmp(path, ARC_TOKENS) == 0 ? "." : path, flags, mode);
}

/* ---- services ---- */

static const char token[] = "{\"access_token\":\"t-1\",\"expires_in\":\"85770\","
                            "\"resource\":\"https://vault.azure.net\",\"token_type\":\"Bearer\"}";

static se_status give_token(struct http_answer *out, const struct http_request *request,
                            se_error *err)
{
    (void)request;
    (void)err;
    fake_json(out, 200, token);
    return SE_OK;
}

static long failing_status;
static unsigned failing; /* answers before it gives one */

static se_status fail_first(struct http_answer *out, const struct http_request *request,
                            se_error *err)
{
    if (!failing)
        return give_token(out, request, err);
    failing--;
    fake_json(out, failing_status, "{\"error\":\"busy\"}");
    return SE_OK;
}

static const char *realm;
static const char *method;

static se_status challenge_first(struct http_answer *out, const struct http_request *request,
                                 se_error *err)
{
    for (size_t i = 0; i < HTTP_HEADERS_MOST && request->headers[i]; i++)
        if (strstr(request->headers[i], "Authorization: Basic c2VjcmV0") == request->headers[i])
            return give_token(out, request, err);
    out->status = 401;
    (void)snprintf(out->authenticate, sizeof out->authenticate, "Basic realm=%s", realm);
    return SE_OK;
}

static se_status note_method(struct http_answer *out, const struct http_request *request,
                             se_error *err)
{
    method = strcmp(request->method, "POST") == 0 ? "POST" : "GET";
    return give_token(out, request, err);
}

static const char *const variables[] = {
    "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT",        "IMDS_ENDPOINT",
    "MSI_ENDPOINT",      "MSI_SECRET",      "AZURE_POD_IDENTITY_AUTHORITY_HOST",
};

static void clear_variables(void)
{
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        assert_int_equal(unsetenv(variables[i]), 0);
}

static void set_variable(const char *name, const char *value)
{
    assert_int_equal(setenv(name, value, 1), 0);
}

static se_status ask_for(const char *client, int64_t ms, se_error *err)
{
    struct keyref ref = fake_ref();
    AUTO(token_answer) answer = { .lifetime = 0 };
    AUTO(http_pool) pool = NULL;
    struct credential_request request = {
        .ref = &ref,
        .place = &fake_place,
        .claims = "",
        .until = in_ms(ms),
    };
    se_status st;

    ref.client = client;
    TRY(http_pool_open(&pool, &(struct http_settings){ .connections = 1 }, err));
    request.pool = pool;
    st = managed_identity_credential.ask(&answer, &request, err);
    assert_int_equal(answer.lifetime, st ? 0 : 85770);
    return st;
}

static void ask_well(const char *client, const char *url, const char *headers)
{
    se_error err = SE_ERROR_INIT;

    fake_begin(note_method);
    assert_status(SE_OK, ask_for(client, 1000, &err), &err);
    assert_string_equal(fake_url(), url);
    assert_string_equal(fake_headers(), headers);
    assert_int_equal(fake_requests(), 1);
}

static void ask_badly(const char *client, se_status expected, const char *text)
{
    se_error err = SE_ERROR_INIT;

    assert_status(expected, ask_for(client, 200000, &err), &err);
    if (!strstr(err.text, text))
        fail_msg("%s", err.text);
}

/* ---- */

static void test_imds(void **state)
{
    (void)state;
    clear_variables();
    ask_well("",
             "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"
             "&resource=https%3A%2F%2Fvault.azure.net",
             "Metadata: true\n");
    assert_string_equal(method, "GET");
    set_variable("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:8080/");
    ask_well("a b",
             "http://127.0.0.1:8080/metadata/identity/oauth2/token?api-version=2018-02-01"
             "&resource=https%3A%2F%2Fvault.azure.net&client_id=a%20b",
             "Metadata: true\n");
}

static void test_app_service(void **state)
{
    (void)state;
    clear_variables();
    set_variable("MSI_ENDPOINT", "http://127.0.0.1:41741/MSI/token/");
    set_variable("MSI_SECRET", "old");
    ask_well("id-1",
             "http://127.0.0.1:41741/MSI/token/?api-version=2017-09-01"
             "&resource=https%3A%2F%2Fvault.azure.net&clientid=id-1",
             "secret: old\n");
    set_variable("IDENTITY_ENDPOINT", "http://127.0.0.1:41741/msi/token?x=1");
    set_variable("IDENTITY_HEADER", "new");
    ask_well("id-1",
             "http://127.0.0.1:41741/msi/token?x=1&api-version=2019-08-01"
             "&resource=https%3A%2F%2Fvault.azure.net&client_id=id-1",
             "X-IDENTITY-HEADER: new\n");
    set_variable("IDENTITY_HEADER", "a\r\nHost: evil");
    fake_begin(give_token);
    ask_badly("", SE_ERR_STORE, "control character");
    assert_int_equal(fake_requests(), 0);
}

static void test_service_fabric(void **state)
{
    (void)state;
    clear_variables();
    set_variable("IDENTITY_ENDPOINT", "https://10.0.0.4:2377/metadata/identity/oauth2/token");
    set_variable("IDENTITY_HEADER", "h");
    set_variable("IDENTITY_SERVER_THUMBPRINT", "AB");
    ask_well("",
             "https://10.0.0.4:2377/metadata/identity/oauth2/token?api-version=2019-07-01-preview"
             "&resource=https%3A%2F%2Fvault.azure.net",
             "Secret: h\n");
    fake_begin(give_token);
    ask_badly("id-1", SE_ERR_CONFIG, "Service Fabric has one only");
    assert_int_equal(fake_requests(), 0);
}

static void test_cloud_shell(void **state)
{
    (void)state;
    clear_variables();
    set_variable("MSI_ENDPOINT", "http://localhost:50342/oauth2/token");
    ask_well("", "http://localhost:50342/oauth2/token",
             "Metadata: true\nContent-Type: application/x-www-form-urlencoded\n");
    assert_string_equal(method, "POST");
    assert_string_equal(fake_body(), "resource=https%3A%2F%2Fvault.azure.net");
}

/* ---- Azure Arc ---- */

static void set_arc(const char *file)
{
    clear_variables();
    set_variable("IDENTITY_ENDPOINT", "http://localhost:40342/metadata/identity/oauth2/token");
    set_variable("IMDS_ENDPOINT", "http://localhost:40342");
    fake_begin(challenge_first);
    realm = file;
}

static void test_arc(void **state)
{
    se_error err = SE_ERROR_INIT;

    (void)state;
    set_arc(ARC_TOKENS "/one.key");
    make("one.key", "c2VjcmV0\n", 0600);
    assert_status(SE_OK, ask_for("", 1000, &err), &err);
    assert_int_equal(fake_requests(), 2);
    assert_string_equal(fake_headers(), "Metadata: true\nAuthorization: Basic c2VjcmV0\n");
    assert_string_equal(fake_url(),
                        "http://localhost:40342/metadata/identity/oauth2/token?"
                        "api-version=2019-11-01&resource=https%3A%2F%2Fvault.azure.net");
    fake_begin(challenge_first);
    ask_badly("id-1", SE_ERR_CONFIG, "Azure Arc has one only");
    assert_int_equal(fake_requests(), 0);
}

/* What a program that listens in the agent's place could ask for. */
static void test_arc_reads_no_other_file(void **state)
{
    static const char *const files[] = {
        "/etc/shadow",
        "/etc/one.key",
        "one.key",
        ARC_TOKENS "/one.pem",
        ARC_TOKENS "/.key",
        ARC_TOKENS "/",
        ARC_TOKENS,
        ARC_TOKENS "x/one.key",
        ARC_TOKENS "/../one.key",
        ARC_TOKENS "/sub/one.key",
        ARC_TOKENS "//one.key",
    };

    (void)state;
    make("one.key", "c2VjcmV0", 0600);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        set_arc(files[i]);
        ask_badly("", SE_ERR_STORE, "is not read");
        assert_int_equal(fake_requests(), 1);
    }
}

static void test_arc_files_that_are_none(void **state)
{
    char large[4098] = "";

    (void)state;
    assert_int_equal(symlink("/etc/passwd", "link.key"), 0);
    set_arc(ARC_TOKENS "/link.key");
    ask_badly("", SE_ERR_STORE, "link.key");
    assert_int_equal(mkfifo("pipe.key", 0600), 0);
    set_arc(ARC_TOKENS "/pipe.key");
    ask_badly("", SE_ERR_STORE, "no file");
    assert_int_equal(mkdir("dir.key", 0700), 0);
    set_arc(ARC_TOKENS "/dir.key");
    ask_badly("", SE_ERR_STORE, "no file");
    set_arc(ARC_TOKENS "/none.key");
    ask_badly("", SE_ERR_STORE, "none.key");
    memset(large, 'x', 4097);
    make("large.key", large, 0600);
    set_arc(ARC_TOKENS "/large.key");
    ask_badly("", SE_ERR_STORE, "large.key");
    assert_int_equal(fake_requests(), 1);
    make("split.key", "a\001b", 0600);
    set_arc(ARC_TOKENS "/split.key");
    ask_badly("", SE_ERR_STORE, "control character");
}

/* ---- services that are not ready ---- */

static int64_t pass_until_answer(long status, unsigned answers, se_status expected,
                                 const char *text)
{
    const int64_t begun = passed;
    se_error err = SE_ERROR_INIT;

    clear_variables();
    fake_begin(fail_first);
    failing_status = status;
    failing = answers;
    assert_status(expected, ask_for("", 200000, &err), &err);
    if (text && !strstr(err.text, text))
        fail_msg("%s", err.text);
    return passed - begun;
}

static void test_asked_again(void **state)
{
    static const long passing[] = { 404, 408, 429, 500, 502, 503, 504 };

    (void)state;
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        assert_int_equal(pass_until_answer(passing[i], 1, SE_OK, NULL), 1000);
        assert_int_equal(pass_until_answer(passing[i], 3, SE_OK, NULL), 7000);
        assert_int_equal(pass_until_answer(passing[i], 9, SE_ERR_UNAVAILABLE, "IMDS"), 7000);
        assert_int_equal(fake_requests(), 4);
    }
    assert_int_equal(pass_until_answer(400, 1, SE_ERR_STORE, "IMDS"), 0);
    assert_int_equal(pass_until_answer(403, 1, SE_ERR_ACCESS, "IMDS"), 0);
    assert_int_equal(fake_requests(), 1);
}

static void test_gone_for_seventy_seconds(void **state)
{
    (void)state;
    assert_in_range(pass_until_answer(410, 10, SE_OK, NULL), 55000, 75000);
    assert_in_range(pass_until_answer(410, 100, SE_ERR_UNAVAILABLE, "IMDS"), 70000, 78000);
}

static void test_asked_within_the_deadline(void **state)
{
    const int64_t begun = passed;
    se_error err = SE_ERROR_INIT;

    (void)state;
    clear_variables();
    fake_begin(fail_first);
    failing_status = 503;
    failing = 9;
    assert_status(SE_ERR_UNAVAILABLE, ask_for("", 2500, &err), &err);
    assert_int_equal(passed - begun, 1000);
    assert_int_equal(fake_requests(), 2);
}

/* ---- as a login ---- */

static void test_never_through_a_proxy(void **state)
{
    static struct keyref ref;
    struct login *login;
    se_error err = SE_ERROR_INIT;

    (void)state;
    ref = fake_ref();
    ref.credential = CREDENTIAL_MANAGED_IDENTITY;
    ref.proxy = "http://proxy.example";
    fake_begin(give_token);
    assert_status(SE_OK, login_open(&login, &ref, &fake_place, &err), &err);
    assert_string_equal(fake_settings().proxy, "");
    assert_true(fake_settings().is_plain);
    login_close(login);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_imds),
        cmocka_unit_test(test_app_service),
        cmocka_unit_test(test_service_fabric),
        cmocka_unit_test(test_cloud_shell),
        IN_FOLDER(test_arc),
        IN_FOLDER(test_arc_reads_no_other_file),
        IN_FOLDER(test_arc_files_that_are_none),
        cmocka_unit_test(test_asked_again),
        cmocka_unit_test(test_gone_for_seventy_seconds),
        cmocka_unit_test(test_asked_within_the_deadline),
        cmocka_unit_test(test_never_through_a_proxy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
