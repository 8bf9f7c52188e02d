/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/https.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>

#include "base/clock.h"
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"

struct https_parties parties;
struct tls_server server = { .kind = SERVER_TLS };

/* libcurl asks here, because the test's program exports it. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **out);
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        (__typeof__(real))dlsym(RTLD_NEXT, "getaddrinfo");

    if (strcmp(node, "slow.example") == 0) {
        sleep(3);
        return EAI_AGAIN;
    }
    if (strcmp(node, "nowhere.example") == 0)
        return EAI_NONAME;
    return real(strcmp(node, "vault.example") == 0 ? "127.0.0.1" : node, service, hints, out);
}

static X509 *make_signed(const char *alt_name, int from_days, int to_days, X509 *issuer)
{
    return make_certificate(parties.key,
                            &(struct certificate_wish){ .alt_name = alt_name,
                                                        .from_days = from_days,
                                                        .to_days = to_days,
                                                        .issuer = issuer,
                                                        .issuer_key = parties.ca_key });
}

int https_begin(void **state)
{
    static const char names[] = "DNS:localhost,IP:127.0.0.1,DNS:vault.example";

    if (folder_enter(state))
        return -1;
    parties.ca_key = make_key("P-256");
    parties.key = make_key("P-256");
    parties.ca = make_certificate(
        parties.ca_key,
        &(struct certificate_wish){ .subject = "ca", .usage = "keyCertSign", .ca = true });
    parties.other_ca = make_certificate(
        parties.ca_key,
        &(struct certificate_wish){ .subject = "other", .usage = "keyCertSign", .ca = true });
    parties.certificate = make_signed(names, -1, 10, parties.ca);
    parties.expired = make_signed(names, -10, -1, parties.ca);
    parties.elsewhere = make_signed("DNS:evil.example", -1, 10, parties.ca);
    parties.stranger = make_signed(names, -1, 10, parties.other_ca);
    make_bundle("ca.pem", NULL, parties.ca);
    server.key = parties.key;
    server.certificate = parties.certificate;
    tls_server_start(&server);
    /* none of it counts */
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    setenv("NO_PROXY", "vault.example", 1);
    return 0;
}

int https_end(void **state)
{
    tls_server_stop(&server);
    X509_free(parties.ca);
    X509_free(parties.other_ca);
    X509_free(parties.certificate);
    X509_free(parties.expired);
    X509_free(parties.elsewhere);
    X509_free(parties.stranger);
    EVP_PKEY_free(parties.ca_key);
    EVP_PKEY_free(parties.key);
    return folder_leave(state);
}

struct http_pool *open_pool(unsigned connections)
{
    const struct http_settings settings = {
        .ca_file = "ca.pem", .proxy = "", .connections = connections, .keep_alive = 60
    };
    struct http_pool *pool;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, http_pool_open(&pool, &settings, &err), &err);
    return pool;
}

const char *url_of(const struct tls_server *s, const char *host, const char *path)
{
    static _Thread_local char url[300];

    (void)snprintf(url, sizeof url, "https://%s:%d%s", host, s->port, path);
    return url;
}

se_status ask_server(struct http_answer *out, struct http_pool *pool, const char *url, int64_t ms,
                     se_error *err)
{
    const struct http_request request = { .method = "GET",
                                          .url = url,
                                          .headers = { "Authorization: Bearer secret-1" },
                                          .until = clock_monotonic_ms() + ms };

    *err = (se_error)SE_ERROR_INIT;
    return http_send(out, pool, &request, err);
}

void assert_ok(struct http_pool *pool, const char *url)
{
    AUTO(http_answer) answer = { .status = 0 };
    se_error err;

    assert_status(SE_OK, ask_server(&answer, pool, url, LONG_MS, &err), &err);
    assert_int_equal(answer.status, 200);
    assert_string_equal(writer_string(&answer.body), "{\"a\":\"b\"}\r\n");
    assert_string_equal(answer.content_type, "application/json");
    assert_int_equal(answer.retry_after, -1);
}

void assert_refused(struct http_pool *pool, const char *url, int64_t ms, se_status status,
                    const char *says)
{
    struct http_answer answer;
    se_error err;

    if (ask_server(&answer, pool, url, ms, &err) != status)
        fail_msg("%s: %s, status %ld, '%s'", url, se_status_name(err.status), answer.status,
                 err.text);
    if (!strstr(err.text, says))
        fail_msg("%s: '%s' does not say '%s'", url, err.text, says);
    if (strstr(err.text, "secret") || strstr(err.text, "query"))
        fail_msg("%s: '%s' says too much", url, err.text);
    assert_null(answer.body.buf.data);
    assert_int_equal(answer.status, 0);
    assert_string_equal(answer.location, "");
}
