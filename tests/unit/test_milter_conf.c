#include <arpa/inet.h>

#include "milter/conf.h"
#include "tests/unit/unit.h"

#define MINIMAL "engine = e.xml\nsocket = unix:s\n"

static se_status parse(struct conf **out, const char *text, se_error *err)
{
    AUTO(se_buf) copy = SE_BUF_INIT;

    *err = (se_error)SE_ERROR_INIT;
    assert_int_equal(buf_copy(&copy, text_bytes(text), NULL), SE_OK);
    return conf_parse(out, &copy, "c", err) ? err->status : conf_settle(*out, err);
}

static bool is_local(const struct conf *conf, const char *address)
{
    struct in6_addr v6;

    assert_int_equal(inet_pton(AF_INET6, address, &v6), 1);
    return conf_is_local(conf, &v6);
}

static void defaults_are_the_careful_ones(void **state)
{
    AUTO(conf) c = NULL;
    se_error err;

    (void)state;
    assert_status(SE_OK, parse(&c, "# nothing else\n\n  engine\t= e.xml # here\r\nsocket = unix:s", &err), &err);
    assert_string_equal(c->engine, "e.xml");
    assert_string_equal(c->socket, "unix:s");
    assert_true(!c->user && !c->audit && !c->metrics && !c->trust_config);
    assert_false(c->any_envelope || c->sign_bounces || c->sign_lists || c->opaque || c->protect);
    assert_int_equal(c->rule_count, 0);
    assert_true(is_local(c, "::ffff:127.0.0.1") && is_local(c, "::ffff:127.255.0.1") && is_local(c, "::1"));
    assert_false(is_local(c, "::ffff:128.0.0.1") || is_local(c, "::2") || is_local(c, "::"));
}

static void settings_are_taken(void **state)
{
    AUTO(conf) c = NULL;
    se_error err;

    (void)state;
    assert_status(SE_OK,
                  parse(&c,
                        MINIMAL "user = u\naudit = a\nmetrics = m\ntrust-config = t\nlocal = 192.0.2.0/25 2001:db8::/33\nenvelope = any\n"
                                "bounces = sign\nlists = sign\nform = opaque\nheaders = protected\nengine = again\n",
                        &err),
                  &err);
    assert_string_equal(c->engine, "again");
    assert_string_equal(c->user, "u");
    assert_string_equal(c->audit, "a");
    assert_string_equal(c->metrics, "m");
    assert_string_equal(c->trust_config, "t");
    assert_true(c->any_envelope && c->sign_bounces && c->sign_lists && c->opaque && c->protect);
    assert_true(is_local(c, "::ffff:192.0.2.127") && is_local(c, "2001:db8:7fff::"));
    assert_false(is_local(c, "::ffff:192.0.2.128") || is_local(c, "2001:db8:8000::") || is_local(c, "::1"));
}

static const struct rule *rule_of(const struct conf *c, const char *address, const char *descriptor)
{
    const struct rule *rule = conf_rule(c, address);

    if (!descriptor)
        assert_null(rule);
    else {
        assert_non_null(rule);
        assert_string_equal(rule->descriptor, descriptor);
    }
    return rule;
}

static void the_first_rule_that_fits_counts(void **state)
{
    AUTO(conf) c = NULL;
    se_error err;

    (void)state;
    assert_status(SE_OK,
                  parse(&c,
                        MINIMAL "skip no-reply@Example.org\nrequire bills-*@example.org Bills:7\nsign @example.org\n"
                                "require *@*.example.net Sub\nsign a*b*c@x.test Stars\nsign whole.test Whole\n"
                                "sign b\xc3\xbc"
                                "cher.test Books\nsign a@*.XN--bcher-kva.test Shelf\n",
                        &err),
                  &err);
    assert_int_equal(rule_of(c, "NO-reply@example.org", "SignEmailDescriptor")->policy, POLICY_SKIP);
    assert_int_equal(rule_of(c, "bills-2026@example.org", "Bills")->version, 7);
    assert_int_equal(rule_of(c, "Anybody@EXAMPLE.org", "SignEmailDescriptor")->policy, POLICY_SIGN);
    (void)rule_of(c, "x@sub.example.net", "Sub");
    (void)rule_of(c, "x@example.net", NULL);
    (void)rule_of(c, "x@notexample.org", NULL);
    (void)rule_of(c, "x@example.org.evil", NULL);
    (void)rule_of(c, "a-b-b-c@x.test", "Stars");
    (void)rule_of(c, "acb@x.test", NULL);
    (void)rule_of(c, "a@whole.test", "Whole");
    (void)rule_of(c, "", NULL);
    (void)rule_of(c, "a@xn--bcher-kva.test", "Books");
    (void)rule_of(c, "a@b.xn--bcher-kva.test", "Shelf");
}

static void many_rules_are_kept(void **state)
{
    AUTO(writer) w = { 0 };
    AUTO(conf) c = NULL;
    se_error err;

    (void)state;
    writer_text(&w, MINIMAL);
    for (unsigned i = 0; i < 1000; i++)
        writer_format(&w, "sign a%u@x.test D%u\n", i, i);
    assert_status(SE_OK, parse(&c, writer_string(&w), &err), &err);
    assert_int_equal(c->rule_count, 1000);
    (void)rule_of(c, "a999@x.test", "D999");
    (void)rule_of(c, "a1000@x.test", NULL);
}

static void findings_name_their_line(void **state)
{
    static const struct {
        const char *line, *finding;
    } rows[] = {
        { "nonsense", "c:3: neither" },
        { "sing a@x.test", "c:3: neither" },
        { "engine", "c:3: neither" },
        { "engine = a b", "c:3: engine takes one value" },
        { "envelope = none", "c:3: envelope is same or any" },
        { "metrisc = x", "did you mean 'metrics'" },
        { "local = 1.2.3", "c:3: '1.2.3' is no network" },
        { "local = 1.2.3.4/33", "is no network" },
        { "local = ::/129", "is no network" },
        { "local = 1.2.3.4/", "is no network" },
        { "sign", "c:3: a rule is" },
        { "sign a b c", "c:3: a rule is" },
        { "skip a b", "c:3: a rule is" },
        { "sign a X:0", "c:3: 'X:0' is no NAME:VERSION" },
        { "sign a X:1x", "is no NAME:VERSION" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(writer) w = { 0 };
        struct conf *c = (struct conf *)&w;
        se_error err;

        writer_format(&w, MINIMAL "%s\nsign ok@x.test\n", rows[i].line);
        assert_status(SE_ERR_CONFIG, parse(&c, writer_string(&w), &err), &err);
        assert_null(c);
        if (!strstr(err.text, rows[i].finding))
            fail_msg("%s: %s", rows[i].line, err.text);
    }
}

static void what_is_missing_is_named(void **state)
{
    AUTO(se_buf) nul = SE_BUF_INIT;
    struct conf *c;
    se_error err;

    (void)state;
    assert_status(SE_ERR_CONFIG, parse(&c, "socket = unix:s\n", &err), &err);
    assert_non_null(strstr(err.text, "'engine' is missing"));
    assert_status(SE_ERR_CONFIG, parse(&c, "engine = e\n", &err), &err);
    assert_non_null(strstr(err.text, "'socket' is missing"));
    assert_status(SE_ERR_CONFIG, parse(&c, "", &err), &err);
    err = (se_error)SE_ERROR_INIT;
    assert_int_equal(buf_copy(&nul, (se_bytes){ MINIMAL "\0sign x", sizeof MINIMAL + 6 }, NULL), SE_OK);
    assert_status(SE_ERR_CONFIG, conf_parse(&c, &nul, "c", &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_careful_ones),   cmocka_unit_test(settings_are_taken),
        cmocka_unit_test(the_first_rule_that_fits_counts), cmocka_unit_test(many_rules_are_kept),
        cmocka_unit_test(findings_name_their_line),        cmocka_unit_test(what_is_missing_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
