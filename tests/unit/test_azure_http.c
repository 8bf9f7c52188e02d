/* SPDX-License-Identifier: Apache-2.0 */
/* Requests over HTTPS, against servers of the test's own that do what servers should not. */
#include <stdio.h>

#include "base/clock.h"
#include "libcurl/curl_calls.h"
#include "tests/unit/folder.h"
#include "tests/unit/https.h"

/* ---- answers ---- */

static void answers_come_over_one_connection(void **state)
{
    AUTO(http_pool) pool = open_pool(4);
    unsigned before = tls_server_connections(&server);

    (void)state;
    for (int i = 0; i < 20; i++)
        assert_ok(pool, url_of(&server, "localhost", "/ok"));
    assert_int_equal(http_pool_opened(pool), 1);
    assert_int_equal(tls_server_connections(&server), before + 1);
    assert_non_null(
        strstr(tls_server_last(&server), "\r\nUser-Agent: signengine/" PACKAGE_VERSION));
    assert_non_null(strstr(tls_server_last(&server), "\r\nAuthorization: Bearer secret-1\r\n"));
    assert_null(strcasestr(tls_server_last(&server), "accept-encoding"));
    http_pool_drop(pool);
    assert_ok(pool, url_of(&server, "vault.example", "/ok"));
    assert_int_equal(http_pool_opened(pool), 2);
}

static void bodies_are_sent(void **state)
{
    static const struct {
        const char *method, *type, *body, *line, *must, *must_not;
        size_t size;
    } rows[] = {
        { "POST", "Content-Type: application/json", "{}", "POST /echo HTTP/1.1\r\n",
          "\r\nContent-Length: 2\r\n", "form", 2 },
        { "PUT", NULL, "a\0b", "PUT /echo HTTP/1.1\r\n", "\r\nContent-Length: 3\r\n",
          "Content-Type", 3 },
        { "POST", NULL, NULL, "POST /echo HTTP/1.1\r\n", "\r\nContent-Length: 0\r\n",
          "Content-Type", 0 },
        { "DELETE", NULL, NULL, "DELETE /echo HTTP/1.1\r\n", "", "Content-Length", 0 },
        { "PATCH", NULL, "x", "PATCH /echo HTTP/1.1\r\n", "\r\nContent-Length: 1\r\n",
          "Content-Type", 1 },
        { "GET", NULL, NULL, "GET /echo HTTP/1.1\r\n", "", "Content-Length", 0 },
    };
    AUTO(http_pool) pool = open_pool(1);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(http_answer) answer = { .status = 0 };
        se_error err = SE_ERROR_INIT;
        const struct http_request request = { .method = rows[i].method,
                                              .url = url_of(&server, "localhost", "/echo"),
                                              .headers = { rows[i].type },
                                              .body = { rows[i].body, rows[i].size },
                                              .until = clock_monotonic_ms() + LONG_MS };

        assert_status(SE_OK, http_send(&answer, pool, &request, &err), &err);
        assert_int_equal(answer.body.buf.size, rows[i].size);
        if (rows[i].size)
            assert_memory_equal(answer.body.buf.data, rows[i].body, rows[i].size);
        assert_int_equal(strncmp(tls_server_last(&server), rows[i].line, strlen(rows[i].line)), 0);
        assert_non_null(strstr(tls_server_last(&server), rows[i].must));
        assert_null(strstr(tls_server_last(&server), rows[i].must_not));
        assert_null(strstr(tls_server_last(&server), "Expect"));
    }
    assert_int_equal(http_pool_opened(pool), 1);
}

static void headers_are_read(void **state)
{
    AUTO(http_pool) pool = open_pool(1);
    AUTO(http_answer) a = { .status = 0 };
    se_error err;

    (void)state;
    assert_status(
        SE_OK, ask_server(&a, pool, url_of(&server, "localhost", "/headers"), LONG_MS, &err), &err);
    assert_int_equal(a.status, 429);
    assert_string_equal(a.content_type, "text/html; charset=x");
    assert_string_equal(a.authenticate, "bearer authorization=\"a\"");
    assert_string_equal(a.location, "https://three");
    assert_string_equal(a.request_id, "id -1");
    assert_int_equal(a.latency, 37);
    assert_int_equal(a.retry_after, 17);
    http_answer_free(&a);
    assert_status(
        SE_OK, ask_server(&a, pool, url_of(&server, "localhost", "/async"), LONG_MS, &err), &err);
    assert_string_equal(a.location, "https://one");
    assert_int_equal(a.retry_after, -1);
    assert_int_equal(a.latency, 0);
    assert_status(SE_OK, ask_server(&a, pool, url_of(&server, "localhost", "/late"), LONG_MS, &err),
                  &err);
    assert_int_equal(a.retry_after, 86400);
    assert_status(SE_OK, ask_server(&a, pool, url_of(&server, "localhost", "/past"), LONG_MS, &err),
                  &err);
    assert_int_equal(a.retry_after, 0);
    assert_status(SE_OK,
                  ask_server(&a, pool, url_of(&server, "localhost", "/continue"), LONG_MS, &err),
                  &err);
    assert_string_equal(a.location, "");
    assert_int_equal(a.retry_after, -1);
    assert_string_equal(writer_string(&a.body), "ok");
    http_answer_free(&a);
    assert_status(
        SE_OK, ask_server(&a, pool, url_of(&server, "localhost", "/empty"), LONG_MS, &err), &err);
    assert_int_equal(a.status, 204);
    http_answer_free(&a);
    assert_status(
        SE_OK, ask_server(&a, pool, url_of(&server, "localhost", "/trailer"), LONG_MS, &err), &err);
    assert_string_equal(writer_string(&a.body), "ok");
    assert_int_equal(http_pool_opened(pool), 1);
}

static void redirects_are_not_followed(void **state)
{
    AUTO(http_pool) pool = open_pool(1);
    AUTO(http_answer) a = { .status = 0 };
    se_error err;

    (void)state;
    assert_status(SE_OK,
                  ask_server(&a, pool, url_of(&server, "localhost", "/redirect"), LONG_MS, &err),
                  &err);
    assert_int_equal(a.status, 302);
    assert_string_equal(a.location, "https://localhost:1/elsewhere");
}

/* ---- answers that are none ---- */

static void bad_answers_are_refused(void **state)
{
    static const struct {
        const char *path, *says;
        se_status status;
        int64_t ms;
    } rows[] = {
        { "/cut?query", "was cut", SE_ERR_UNAVAILABLE, LONG_MS },
        { "/cut", "was cut", SE_ERR_UNAVAILABLE, LONG_MS },
        { "/cut-chunk", "was cut", SE_ERR_UNAVAILABLE, LONG_MS },
        { "/cut-end", "broke off", SE_ERR_UNAVAILABLE, LONG_MS },
        { "/cut-head", "was cut", SE_ERR_UNAVAILABLE, LONG_MS },
        { "/none", "closed without an answer", SE_ERR_UNAVAILABLE, LONG_MS },
        { "/reset", "broke off", SE_ERR_UNAVAILABLE, LONG_MS },
        { "/nonsense", "is no HTTP", SE_ERR_STORE, LONG_MS },
        { "/announced", "longer than any", SE_ERR_STORE, LONG_MS },
        { "/endless", "longer than any", SE_ERR_STORE, LONG_MS },
        { "/endless-headers", "longer than any", SE_ERR_STORE, LONG_MS },
        { "/wait?query=1", "no whole answer", SE_ERR_UNAVAILABLE, 300 },
        { "/drip", "no whole answer", SE_ERR_UNAVAILABLE, 300 },
        { "/ok?2000", "no whole answer", SE_ERR_UNAVAILABLE, 200 },
    };
    AUTO(http_pool) pool = open_pool(1);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t begin = clock_monotonic_ms();

        assert_refused(pool, url_of(&server, "localhost", rows[i].path), rows[i].ms, rows[i].status,
                       rows[i].says);
        assert_true(clock_monotonic_ms() - begin < rows[i].ms + 1000);
        assert_ok(pool, url_of(&server, "localhost", "/ok"));
    }
}

static void try_server(struct tls_server *s, const char *host, int64_t ms, se_status status,
                       const char *says)
{
    AUTO(http_pool) pool = open_pool(1);
    int64_t begin = clock_monotonic_ms();

    tls_server_start(s);
    assert_refused(pool, url_of(s, host, "/ok?query"), ms, status, says);
    assert_true(clock_monotonic_ms() - begin < ms + 1000);
    assert_int_equal(tls_server_requests(s), 0); /* the token has not left */
    http_pool_drop(pool);
    tls_server_stop(s);
}

static void other_servers_get_no_request(void **state)
{
    struct {
        struct tls_server server;
        const char *host, *says;
        se_status status;
        int64_t ms;
    } rows[] = {
        { { .kind = SERVER_TLS, .certificate = parties.expired },
          "localhost",
          "is not accepted: SSL certificate problem: certificate has expired",
          SE_ERR_STORE,
          LONG_MS },
        { { .kind = SERVER_TLS, .certificate = parties.elsewhere },
          "localhost",
          "the certificate of localhost:",
          SE_ERR_STORE,
          LONG_MS },
        { { .kind = SERVER_TLS, .certificate = parties.stranger },
          "localhost",
          "; caFile names the certificates that are trusted",
          SE_ERR_STORE,
          LONG_MS },
        { { .kind = SERVER_OLD_TLS, .certificate = parties.certificate },
          "localhost",
          "no TLS connection is made with localhost:",
          SE_ERR_UNAVAILABLE,
          LONG_MS },
        { { .kind = SERVER_PLAIN }, "localhost", "no connection to", SE_ERR_UNAVAILABLE, 300 },
        { { .kind = SERVER_CLOSING }, "localhost", "no TLS", SE_ERR_UNAVAILABLE, LONG_MS },
        { { .kind = SERVER_SILENT }, "localhost", "no connection to", SE_ERR_UNAVAILABLE, 300 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rows[i].server.key = parties.key;
        try_server(&rows[i].server, rows[i].host, rows[i].ms, rows[i].status, rows[i].says);
    }
}

static void nobody_there_is_said(void **state)
{
    AUTO(http_pool) pool = open_pool(1);
    int64_t begin;

    (void)state;
    assert_refused(pool, "https://localhost:1/x?query", LONG_MS, SE_ERR_UNAVAILABLE,
                   "no connection to localhost:1: Connection refused");
    assert_refused(pool, "https://nowhere.example/x?query", LONG_MS, SE_ERR_UNAVAILABLE,
                   "no address is found for nowhere.example: is the name right");
    /* a name server that is away keeps no one beyond the deadline */
    begin = clock_monotonic_ms();
    assert_refused(pool, "https://slow.example/x", 300, SE_ERR_UNAVAILABLE, "in time");
    assert_true(clock_monotonic_ms() - begin < 1500);
    assert_refused(pool, "https://slow.example/x", 0, SE_ERR_UNAVAILABLE, "no time is left");
    assert_refused(pool, "http://localhost/secret", LONG_MS, SE_ERR_STORE, "must begin with https");
    assert_refused(pool, "file:///etc/hostname", LONG_MS, SE_ERR_STORE, "must begin with https");
    assert_refused(pool, "https:///x", LONG_MS, SE_ERR_STORE, "must begin with https");
    assert_refused(pool, "https://a:secret@localhost:1/x", LONG_MS, SE_ERR_UNAVAILABLE,
                   "no connection to localhost:1");
    assert_refused(pool, "https://local host/x", LONG_MS, SE_ERR_STORE, "can't be read");
    assert_ok(pool, url_of(&server, "localhost", "/ok"));
}

static void plain_http_is_for_those_who_ask(void **state)
{
    struct tls_server plain = { .kind = SERVER_PLAIN };
    const struct http_settings settings = {
        .ca_file = "", .proxy = "", .connections = 1, .is_plain = true
    };
    AUTO(http_pool) pool = NULL;
    se_error err = SE_ERROR_INIT;
    char url[100];

    (void)state;
    tls_server_start(&plain);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/ok", plain.port);
    assert_status(SE_OK, http_pool_open(&pool, &settings, &err), &err);
    assert_ok(pool, url);
    http_pool_drop(pool);
    tls_server_stop(&plain);
}

/* ---- trust and proxies ---- */

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void ca_files_are_checked(void **state)
{
    static const struct {
        const char *path, *says;
    } rows[] = { { "missing.pem", "caFile: " },
                 { "empty.pem", "caFile: " },
                 { "text.pem", "caFile: " },
                 { "ca.der", "not in a PEM file" } };
    unsigned char *der = NULL;
    int size = i2d_X509(parties.ca, &der);
    FILE *file = fopen("ca.der", "w");

    (void)state;
    assert_true(size > 0 && file && fwrite(der, (size_t)size, 1, file) == 1);
    assert_int_equal(fclose(file), 0);
    OPENSSL_free(der);
    write_text("empty.pem", "");
    write_text("text.pem", "no certificate\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct http_settings settings = { .ca_file = rows[i].path,
                                                .proxy = "",
                                                .connections = 1 };
        struct http_pool *pool;
        se_error err = SE_ERROR_INIT;

        assert_status(SE_ERR_CONFIG, http_pool_open(&pool, &settings, &err), &err);
        assert_non_null(strstr(err.text, rows[i].says));
        assert_null(pool);
    }
}

/* Without caFile it is the system's, which do not know the test's. */
static void the_system_does_not_trust_the_test(void **state)
{
    const struct http_settings settings = { .ca_file = "", .proxy = "", .connections = 1 };
    AUTO(http_pool) pool = NULL;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, http_pool_open(&pool, &settings, &err), &err);
    assert_refused(pool, url_of(&server, "localhost", "/ok"), LONG_MS, SE_ERR_STORE, "certificate");
}

static struct http_pool *open_proxied(const struct tls_server *proxy)
{
    struct http_pool *pool;
    se_error err = SE_ERROR_INIT;
    char url[100];

    (void)snprintf(url, sizeof url, "http://user:secret@127.0.0.1:%d", proxy->port);
    assert_status(
        SE_OK,
        http_pool_open(&pool,
                       &(struct http_settings){
                           .ca_file = "ca.pem", .proxy = url, .connections = 1, .keep_alive = 60 },
                       &err),
        &err);
    return pool;
}

static void proxies_see_no_token(void **state)
{
    struct tls_server proxy = { .kind = SERVER_PROXY,
                                .key = parties.key,
                                .certificate = parties.certificate };
    AUTO(http_pool) pool = NULL;
    char connect[sizeof proxy.last];
    se_error err;
    struct http_answer answer;

    (void)state;
    tls_server_start(&proxy);
    pool = open_proxied(&proxy);
    /* what the proxy is asked for is all that it sees */
    assert_status(SE_ERR_UNAVAILABLE,
                  ask_server(&answer, pool, "https://vault.example/wait", 300, &err), &err);
    assert_int_equal(tls_server_requests(&proxy), 2);
    assert_ok(pool, "https://vault.example/ok");
    assert_ok(pool, "https://vault.example/ok");
    assert_int_equal(tls_server_connections(&proxy), 2);
    http_pool_drop(pool);
    tls_server_stop(&proxy);

    proxy = (struct tls_server){ .kind = SERVER_BAD_PROXY };
    tls_server_start(&proxy);
    http_pool_close(pool);
    pool = open_proxied(&proxy);
    assert_refused(pool, "https://vault.example/ok?query", LONG_MS, SE_ERR_STORE,
                   "the proxy refuses to connect to vault.example, with status 407: it wants a "
                   "login");
    (void)snprintf(connect, sizeof connect, "%s", tls_server_last(&proxy));
    assert_int_equal(strncmp(connect, "CONNECT vault.example:443 HTTP/1.1\r\n", 36), 0);
    assert_null(strstr(connect, "secret-1"));
    assert_null(strstr(connect, "\r\nAuthorization"));
    tls_server_stop(&proxy);
}

/* ---- small things ---- */

static void texts_are_escaped(void **state)
{
    AUTO(writer) w = { .room = 0 };

    (void)state;
    writer_percent(&w, "aZ09-._~");
    writer_percent(&w, "");
    writer_percent(&w, " &=+/%\"\xc3\xa9\x01");
    assert_string_equal(writer_string(&w), "aZ09-._~%20%26%3D%2B%2F%25%22%C3%A9%01");
}

static void other_libcurls_are_refused(void **state)
{
    static const int all = CURL_VERSION_SSL | CURL_VERSION_ASYNCHDNS | CURL_VERSION_THREADSAFE;
    static const struct {
        curl_version_info_data info;
        const char *says;
    } rows[] = {
        { { .version = "7.86.0", .version_num = 0x075600, .features = all }, "7.86.0 is too old" },
        { { .version = "8.1.0", .version_num = 0x080100, .features = all & ~CURL_VERSION_SSL },
          "8.1.0 can't be used: it was built with no TLS" },
        { { .version = "8.1.0",
            .version_num = 0x080100,
            .features = all & ~CURL_VERSION_ASYNCHDNS },
          "resolver" },
        { { .version = "8.1.0",
            .version_num = 0x080100,
            .features = all & ~CURL_VERSION_THREADSAFE },
          "threads" },
    };
    const curl_version_info_data good = { .version_num = 0x075700, .features = all };
    const struct curl_calls *curl;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, curl_version_check(&good, &err), &err);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        err = (se_error)SE_ERROR_INIT;
        assert_status(SE_ERR_STORE, curl_version_check(&rows[i].info, &err), &err);
        assert_non_null(strstr(err.text, rows[i].says));
    }
    err = (se_error)SE_ERROR_INIT;
    assert_status(SE_OK, curl_calls_load(&curl, &err), &err);
    assert_non_null(curl->easy_perform);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_over_one_connection),
        cmocka_unit_test(bodies_are_sent),
        cmocka_unit_test(headers_are_read),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(bad_answers_are_refused),
        cmocka_unit_test(other_servers_get_no_request),
        cmocka_unit_test(nobody_there_is_said),
        cmocka_unit_test(plain_http_is_for_those_who_ask),
        cmocka_unit_test(ca_files_are_checked),
        cmocka_unit_test(the_system_does_not_trust_the_test),
        cmocka_unit_test(proxies_see_no_token),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(other_libcurls_are_refused),
    };

    return cmocka_run_group_tests(tests, https_begin, https_end);
}
