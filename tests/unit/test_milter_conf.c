/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "milter/conf.h"
#include "milter/sender.h"
#include "tests/unit/unit.h"

#define MINIMAL "engine = e.xml\nsocket = unix:s\n"

static se_status parse(struct conf **out, const char *text, se_error *err)
{
    AUTO(se_buf) copy = SE_BUF_INIT;

    *err = (se_error)SE_ERROR_INIT;
    assert_int_equal(buf_copy(&copy, text_bytes(text), NULL), SE_OK);
    if (!conf_parse(out, &copy, "c", err) && rules_settle(&(*out)->rules, (*out)->path, err))
        conf_free(out);
    return err->status;
}

static bool is_local(const struct conf *conf, const char *address)
{
    struct in6_addr v6;

    assert_int_equal(inet_pton(AF_INET6, address, &v6), 1);
    return networks_hold(conf->networks, conf->network_count, &v6);
}

static void defaults_are_the_careful_ones(void **state)
{
    AUTO(conf) c = NULL;
    se_error err;

    (void)state;
    assert_status(SE_OK,
                  parse(&c, "# nothing else\n\n  engine\t= e.xml # here\r\nsocket = unix:s", &err),
                  &err);
    assert_string_equal(c->engine, "e.xml");
    assert_string_equal(c->socket, "unix:s");
    assert_true(!c->user && !c->audit.count && !c->metrics && !c->trust_config &&
                !c->trust_signers && !c->socket_group);
    assert_int_equal(c->socket_mode, 0660);
    assert_int_equal(c->encrypted, ENCRYPTED_REFUSE);
    assert_false(c->peers.anybody || c->peers.network_count);
    assert_false(c->any_envelope || c->sign_bounces || c->sign_lists || c->opaque || c->protect);
    assert_int_equal(c->rules.count, 0);
    assert_true(is_local(c, "::ffff:127.0.0.1") && is_local(c, "::ffff:127.255.0.1") &&
                is_local(c, "::1"));
    assert_false(is_local(c, "::ffff:128.0.0.1") || is_local(c, "::2") || is_local(c, "::"));
}

static void settings_are_taken(void **state)
{
    AUTO(conf) c = NULL;
    se_error err;

    (void)state;
    assert_status(SE_OK,
                  parse(&c,
                        MINIMAL
                        "user = u\naudit = file:a\naudit = journal  required # "
                        "both\nmetrics = m\ntrust-config = t\nlocal = "
                        "192.0.2.0/25 2001:db8::/33\nenvelope = any\n"
                        "bounces = sign\nlists = sign\nform = opaque\nheaders = "
                        "protected\nengine = again\nsocket-group = g\n"
                        "socket-mode = 0600\ntrust-signers = s\ncrl = r\nrevocation = required\n"
                        "config-crl = x\nconfig-revocation = required\n"
                        "encrypted = pass\npeers = "
                        "root 192.0.2.0/24 *\n",
                        &err),
                  &err);
    assert_string_equal(c->engine, "again");
    assert_string_equal(c->user, "u");
    assert_int_equal(c->audit.count, 2);
    assert_string_equal(c->audit.list[0].place, "a");
    assert_true(!c->audit.list[0].required && c->audit.list[1].required);
    assert_string_equal(c->metrics, "m");
    assert_string_equal(c->trust_config, "t");
    assert_string_equal(c->crls, "r");
    assert_true(c->revocation_required);
    assert_string_equal(c->config_crls, "x");
    assert_true(c->config_revocation_required);
    assert_true(c->any_envelope && c->sign_bounces && c->sign_lists && c->opaque && c->protect);
    assert_string_equal(c->socket_group, "g");
    assert_string_equal(c->trust_signers, "s");
    assert_int_equal(c->socket_mode, 0600);
    assert_int_equal(c->encrypted, ENCRYPTED_PASS);
    assert_true(c->peers.anybody && c->peers.count == 1 && c->peers.users[0] == 0 &&
                c->peers.network_count == 1);
    assert_true(is_local(c, "::ffff:192.0.2.127") && is_local(c, "2001:db8:7fff::"));
    assert_false(is_local(c, "::ffff:192.0.2.128") || is_local(c, "2001:db8:8000::") ||
                 is_local(c, "::1"));
}

static const struct rule *rule_of(const struct conf *c, const char *address, const char *descriptor)
{
    const struct rule *rule = rules_find(&c->rules, address);

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
    assert_status(
        SE_OK,
        parse(&c,
              MINIMAL
              "skip no-reply@Example.org\nrequire bills-*@example.org Bills:7\nsign @example.org\n"
              "require *@*.example.net Sub\nsign a*b*c@x.test Stars\nsign whole.test Whole\n"
              "sign b\xc3\xbc"
              "cher.test Books\nsign a@*.XN--bcher-kva.test Shelf\n",
              &err),
        &err);
    assert_int_equal(rule_of(c, "NO-reply@example.org", "SignEmailDescriptor")->policy,
                     POLICY_SKIP);
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
    assert_int_equal(c->rules.count, 1000);
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
        { "peers = no-such-user-here", "c:3: 'no-such-user-here' is neither a user" },
        { "peers = 1.2.3.4/33", "is neither a user of this machine nor a network" },
        { "socket-mode = 0690", "c:3: socket-mode is an octal number" },
        { "socket-mode = 01777", "is an octal number" },
        { "socket-mode = -1", "is an octal number" },
        { "encrypted = yes", "c:3: encrypted is refuse, sign or pass" },
        { "skip *@x.test",
          "c:4: the rule for 'ok@x.test' never counts: that for '*@x.test' in line 3 covers it" },
        { "sign ok@x.test", "c:4: the rule for 'ok@x.test' never counts" },
        { "skip \"o\\k\"@(c)X.TEST.", "c:4: the rule for 'ok@x.test' never counts" },
        { "skip *k*@*.test", "c:4: the rule for 'ok@x.test' never counts" },
        { "skip x.test\nrequire b*d@x.test",
          "c:4: the rule for 'b*d@x.test' never counts: that for '*@x.test' in line 3" },
        { "skip *@*.b\xc3\xbc"
          "cher.test\nsign a@b.xn--bcher-kva.test",
          "c:4: the rule for 'a@b.xn--bcher-kva.test' never counts" },
        { "require *", "c:4: the rule for 'ok@x.test' never counts" },
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

static void narrower_rules_may_come_first(void **state)
{
    AUTO(conf) c = NULL;
    se_error err;

    (void)state;
    assert_status(SE_OK,
                  parse(&c,
                        MINIMAL "skip a@x.test\nsign a*@x.test\nsign *a@x.test\nsign "
                                "*a*@x.test\nsign *@x.test\nsign *@*.x.test\n"
                                "sign *\n",
                        &err),
                  &err);
}

static void settled_as(const char *text, const char *wanted)
{
    char *settled = sender_settle(text);

    assert_string_equal(settled, wanted);
    free(settled);
}

static void addresses_are_compared_by_what_they_are(void **state)
{
    (void)state;
    settled_as("CEO@Bank.TEST", "ceo@bank.test");
    settled_as("\"ceo\"@bank.test", "ceo@bank.test");
    settled_as("\"c\\eo\"@bank.test.", "ceo@bank.test");
    settled_as("(a(b)\\))ceo(x)@(y)bank.test(z)", "ceo@bank.test");
    settled_as("ceo @\tbank . test", "ceo@bank.test");
    settled_as("ceo@bank\xe3\x80\x82test", "ceo@bank.test");
    settled_as("\"a b\"@b\xc3\xbc"
               "cher.test",
               "a b@xn--bcher-kva.test");
    settled_as("\xef\xbd\x83"
               "eo@bank.test",
               "ceo@bank.test");
    settled_as("", "");
    settled_as("...", "");
    settled_as("\xff\xfe@\xff", "\xff\xfe@\xff");
}

static void note_ceo(void *found, const char *address)
{
    *(bool *)found = *(bool *)found || strcmp(address, "ceo@bank.test") == 0;
}

static bool shows_ceo(const char *value)
{
    bool found = false;

    assert_int_equal(senders_read(value, note_ceo, &found, NULL), SE_OK);
    return found;
}

static const char *const shown[] = {
    "ceo@bank.test",
    "CEO <ceo@bank.test>",
    "x@mail.test, <CEO@BANK.TEST>",
    "\"ceo\"@bank.test",
    "\"c\\eo\"@bank.test",
    "ceo(x)@bank.test",
    "c(x)eo@bank.test",
    "(x)ceo@bank.test",
    "ceo @\n bank . test",
    "ceo@bank.test.",
    "Board: a@b.test, ceo@bank.test;",
    "\"ceo@bank.test\" <x@mail.test>",
    "ceo@bank.test <x@mail.test>",
    "<ceo@bank.test> <x@mail.test>",
    "(ceo@bank.test) x@mail.test",
    "<@r.test:ceo@bank.test>",
    "CEO <ceo@bank.test",
    "(CEO <ceo@bank.test>",
    "\"CEO <ceo@bank.test>",
    "\" ce(x)o@bank.test",
    "=?utf-8?q?ceo=40bank.test?=",
    "=?UTF-8*en?B?Y2VvQGJhbmsudGVzdA?=",
    "=?utf-8?q?c?= =?utf-8?q?eo=40bank.test?=",
    "=?utf-7?q?ceo+AEA-bank.test?=",
    "=?utf-16le?b?YwBlAG8AQABiAGEAbgBrAC4AdABlAHMAdAA=?=",
    "=?ibm037?q?=83=85=96=7C=82=81=95=92=4B=A3=85=A2=A3?=",
    "=?no-such-charset?q?ceo=40bank.test?=",
    "\"=?utf-8?q?ceo=40?= =?utf-8?q?bank.test?=\" <x@mail.test>",
    "=? =?utf-8?q?ceo=40bank.test?=",
    "c\x01"
    "eo@bank.test",
    "ceo\xe2\x80\x8b@bank.test",
    "ceo@ba\xc2\xadnk.test",
    "ceo\xef\xbc\xa0"
    "bank.test",
    "ceo@\xef\xbd\x82"
    "ank.test",
    "ceo@@bank.test",
    "ceo@bank.test@mail.test",
    "\xc2\xa0"
    "ceo@bank.test\xe2\x80\x83",
    "\xff"
    " ceo@bank.test",
};
static const char *const not_shown[] = { "CEO",
                                         "ceo at bank.test",
                                         "ceo@bank.test.evil.test",
                                         "xceo@bank.test",
                                         "ceo@xbank.test",
                                         "ceo+x@bank.test",
                                         "@",
                                         "@@@",
                                         "ceo@",
                                         "@bank.test",
                                         "=?",
                                         "=?utf-8?q?",
                                         "=?utf-8?x?ceo=40bank.test?=" };

static void all_that_a_field_shows_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (!shows_ceo(shown[i]))
            fail_msg("not found: %s", shown[i]);
    for (size_t i = 0; i < sizeof not_shown / sizeof *not_shown; i++)
        if (shows_ceo(not_shown[i]))
            fail_msg("found: %s", not_shown[i]);
}

/* Nobody can wait until thousands of addresses are compared with thousands of rules. */
static void what_can_not_be_read_is_told(void **state)
{
    static const char *const empty[] = { "", " ", "\r\n\t " };
    AUTO(writer) w = { 0 };
    bool found = false;

    (void)state;
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
        assert_int_equal(senders_read(empty[i], note_ceo, &found, NULL), SE_ERR_FORMAT);
    for (unsigned i = 0; i < 3000; i++)
        writer_text(&w, "a@b,");
    assert_int_equal(senders_read(writer_string(&w), note_ceo, &found, NULL), SE_ERR_FORMAT);
    assert_false(found);
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
    assert_int_equal(buf_copy(&nul, (se_bytes){ MINIMAL "\0sign x", sizeof MINIMAL + 6 }, NULL),
                     SE_OK);
    assert_status(SE_ERR_CONFIG, conf_parse(&c, &nul, "c", &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_careful_ones),
        cmocka_unit_test(settings_are_taken),
        cmocka_unit_test(the_first_rule_that_fits_counts),
        cmocka_unit_test(many_rules_are_kept),
        cmocka_unit_test(findings_name_their_line),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(narrower_rules_may_come_first),
        cmocka_unit_test(addresses_are_compared_by_what_they_are),
        cmocka_unit_test(all_that_a_field_shows_is_found),
        cmocka_unit_test(what_can_not_be_read_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
