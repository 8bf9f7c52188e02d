/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h>
#include <string.h>

#include "daemon/settings.h"
#include "tests/unit/unit.h"

#define MINIMAL   "listen = unix:/run/s\n"
#define TEN       "1234567890"
#define LONG_NAME TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static se_status parse(struct settings **out, const char *text, se_error *err)
{
    AUTO(se_buf) copy = SE_BUF_INIT;

    *err = (se_error)SE_ERROR_INIT;
    assert_int_equal(buf_copy(&copy, text_bytes(text), NULL), SE_OK);
    return settings_parse(out, &copy, "s", err);
}

static void defaults_are_bounds(void **state)
{
    AUTO(settings) s = NULL;
    se_revocation_params revocation;
    se_error err;

    (void)state;
    assert_status(SE_OK, parse(&s, MINIMAL, &err), &err);
    assert_string_equal(s->socket, "/run/s");
    assert_true(!s->config && !s->trust_config && !s->config_crls && !s->user && !s->group &&
                !s->spool);
    assert_null(settings_verify_revocation(&revocation, s));
    assert_int_equal(s->mode, 0660);
    assert_true(s->threads == 64 && s->io_threads == 2 && s->queue == 1000);
    assert_true(s->connections == 4096 && s->per_user == 256);
    assert_true(s->head_timeout == 10 && s->body_timeout == 30 && s->idle_timeout == 60);
    assert_true(s->body == 16 << 20 && s->bodies == 256 << 20);
    assert_true(s->spool_body == 1 << 30 && s->spool_size == 4ULL << 30);
    assert_true(!s->history_count && !s->audit.count);
}

static void settings_are_taken(void **state)
{
    AUTO(settings) s = NULL;
    se_error err;

    (void)state;
    assert_status(SE_OK,
                  parse(&s,
                        MINIMAL "config = e.xml # this one\r\ntrust-config = ca.pem\n"
                                "config-crl = c.crl\nconfig-revocation = required\n"
                                "user = u\ngroup = g\nmode = 0600\nspool = /s\nthreads = 3\n"
                                "body = 64k\nbodies = 1G\nidle-timeout = 7\n"
                                "spool-body = 2M\nspool-size = 3M\n"
                                "history a = sqlite:a.db chain Signer\n"
                                "history b.c-d_9 = sqlite:b.db chain Signer\n"
                                "audit = file:/a required\naudit = journal\n",
                        &err),
                  &err);
    assert_string_equal(s->config, "e.xml");
    assert_string_equal(s->trust_config, "ca.pem");
    assert_string_equal(s->config_crls, "c.crl");
    assert_true(s->config_revocation_required);
    assert_true(strcmp(s->user, "u") == 0 && strcmp(s->group, "g") == 0);
    assert_true(s->mode == 0600 && s->threads == 3 && s->idle_timeout == 7);
    assert_true(s->body == 65536 && s->bodies == 1 << 30);
    assert_true(s->spool_body == 2 << 20 && s->spool_size == 3 << 20);
    assert_int_equal(s->history_count, 2);
    assert_string_equal(s->histories[1].name, "b.c-d_9");
    assert_string_equal(s->histories[1].store, "sqlite:b.db");
    assert_string_equal(s->histories[1].descriptor, "Signer");
    assert_int_equal(s->audit.count, 2);
    assert_true(s->audit.list[0].required && s->audit.list[1].kind == AUDIT_JOURNAL);
}

static void revocation_of_signers_is_taken(void **state)
{
    AUTO(settings) s = NULL;
    se_revocation_params r;
    se_error err;

    (void)state;
    assert_status(SE_OK,
                  parse(&s,
                        MINIMAL "verify-crl = c\nverify-crl-max-age = 3\nverify-ocsp = on\n"
                                "verify-fetch-crls = on\nverify-revocation = required\n",
                        &err),
                  &err);
    assert_ptr_equal(settings_verify_revocation(&r, s), &r);
    assert_string_equal(r.crls, "c");
    assert_int_equal(r.max_age, 3 * 86400);
    assert_true(r.ask_responders && r.fetch_crls && r.required && !r.stamps_outlive_compromise);
    settings_free(&s);
    assert_status(SE_OK, parse(&s, MINIMAL "verify-fetch-crls = on\n", &err), &err);
    assert_ptr_equal(settings_verify_revocation(&r, s), &r);
    assert_true(!r.crls && !r.max_age && !r.ask_responders && !r.required);
    assert_null(settings_config_revocation(&r, s));
}

static void networks_are_taken(void **state)
{
    static const char files[] = "certificate = c\nkey = k\nclient-ca = a\ncrl = r\n";
    AUTO(settings) s = NULL;
    AUTO(writer) w = { 0 };
    const struct sockaddr_in *v4;
    const struct sockaddr_in6 *v6;
    se_error err;

    (void)state;
    writer_format(&w, MINIMAL "tls = 192.0.2.1:8700\n%s", files);
    assert_status(SE_OK, parse(&s, writer_string(&w), &err), &err);
    v4 = (const struct sockaddr_in *)&s->tls_address;
    assert_true(v4->sin_family == AF_INET && ntohs(v4->sin_port) == 8700);
    assert_int_equal(ntohl(v4->sin_addr.s_addr), 0xc0000201);
    assert_true(strcmp(s->certificate, "c") == 0 && strcmp(s->key, "k") == 0);
    assert_true(strcmp(s->client_ca, "a") == 0 && strcmp(s->crl, "r") == 0);
    settings_free(&s);
    writer_free(&w);
    writer_format(&w, MINIMAL "tls = [::1]:443\n%s", files);
    assert_status(SE_OK, parse(&s, writer_string(&w), &err), &err);
    v6 = (const struct sockaddr_in6 *)&s->tls_address;
    assert_true(v6->sin6_family == AF_INET6 && ntohs(v6->sin6_port) == 443);
    assert_true(IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr));
}

static void mistakes_are_told_with_their_lines(void **state)
{
    static const struct {
        const char *line, *text;
    } cases[] = {
        { "threds = 3", "s:2: no setting 'threds'; did you mean 'threads'?" },
        { "threads", "s:2: not 'NAME = VALUE': 'threads'" },
        { "threads = 0", "s:2: threads is a number from 1 to 1024" },
        { "threads = 3 4", "s:2: threads is a number from 1 to 1024" },
        { "threads = -3", "s:2: threads is a number from 1 to 1024" },
        { "body = 3x", "s:2: body is a number of bytes" },
        { "body = 0", "s:2: body is a number of bytes" },
        { "body = k", "s:2: body is a number of bytes" },
        { "body = 99999999G", "s:2: body is a number of bytes" },
        { "mode = 999", "s:2: mode is an octal number" },
        { "listen = 127.0.0.1:80", "s:2: listen is unix:PATH" },
        { "listen = unix:relative", "s:2: listen is unix:PATH" },
        { "listen = unix:/" LONG_NAME, "s:2: the path of the socket is longer than" },
        { "history x = store", "s:2: a history is 'history NAME = STORE CHAIN DESCRIPTOR'" },
        { "history a/b = s c d", "s:2: 'a/b' is no name of a history" },
        { "audit = paper", "s:2: " },
        { "verify-ocsp = yes", "s:2: verify-ocsp is off or on" },
        { "verify-crl-max-age = 0", "s:2: verify-crl-max-age is a number from 1" },
        { "verify-revocations = on",
          "s:2: no setting 'verify-revocations'; did you mean 'verify-revocation'?" },
        { "tls = 8700", "s:2: tls is ADDRESS:PORT in digits" },
        { "tls = localhost:8700", "s:2: tls is ADDRESS:PORT in digits" },
        { "tls = 127.0.0.1:0", "s:2: tls is ADDRESS:PORT in digits" },
        { "tls = 127.0.0.1:65536", "s:2: tls is ADDRESS:PORT in digits" },
        { "tls = 127.0.0.1", "s:2: tls is ADDRESS:PORT in digits" },
        { "tls = ::1:8700", "s:2: tls is ADDRESS:PORT in digits" },
        { "tls = [::1:8700", "s:2: tls is ADDRESS:PORT in digits" },
        { "tls = [127.0.0.1]:8700", "s:2: tls is ADDRESS:PORT in digits" },
        { "tls = []:8700", "s:2: tls is ADDRESS:PORT in digits" },
        { "tls = [" LONG_NAME "]:8700", "s:2: tls is ADDRESS:PORT in digits" },
        { "tls = 127.0.0.1:8700", "s: 'tls' needs 'certificate' and 'key'" },
        { "bodies = 1k", "s: 'bodies', of all together, is less than 'body'" },
    };
    AUTO(settings) s = NULL;
    AUTO(writer) w = { 0 };
    se_error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        writer_free(&w);
        writer_format(&w, MINIMAL "%s\n", cases[i].line);
        assert_status(SE_ERR_CONFIG, parse(&s, writer_string(&w), &err), &err);
        assert_null(s);
        if (strncmp(err.text, cases[i].text, strlen(cases[i].text)) != 0)
            fail_msg("%s: %s", cases[i].line, err.text);
    }
    assert_status(SE_ERR_CONFIG, parse(&s, "# nothing\n", &err), &err);
    assert_non_null(strstr(err.text, "'listen' is missing"));
    assert_status(SE_ERR_CONFIG, parse(&s, MINIMAL "history a = s c d\nhistory a = s c d\n", &err),
                  &err);
    assert_non_null(strstr(err.text, "s:3: the history 'a' is there already"));
}

static void a_reload_tells_what_needs_a_start(void **state)
{
    AUTO(settings) one = NULL;
    AUTO(settings) other = NULL;
    se_error err;

    (void)state;
    assert_status(SE_OK, parse(&one, MINIMAL "audit = journal\n", &err), &err);
    assert_status(SE_OK, parse(&other, MINIMAL "audit = journal\nconfig = x\n", &err), &err);
    assert_null(settings_difference(one, other));
    settings_free(&other);
    assert_status(SE_OK, parse(&other, MINIMAL "audit = journal required\n", &err), &err);
    assert_string_equal(settings_difference(one, other), "audit");
    settings_free(&other);
    assert_status(SE_OK, parse(&other, MINIMAL "audit = journal\nthreads = 5\n", &err), &err);
    assert_string_equal(settings_difference(one, other), "threads");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_bounds),
        cmocka_unit_test(settings_are_taken),
        cmocka_unit_test(revocation_of_signers_is_taken),
        cmocka_unit_test(networks_are_taken),
        cmocka_unit_test(mistakes_are_told_with_their_lines),
        cmocka_unit_test(a_reload_tells_what_needs_a_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
