/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine understood, and its canonical form; and how findings are told. */
#include "config/findings.h"
#include "tests/unit/config.h"

static se_buf canonical(const char *text)
{
    AUTO(config) config = parsed(text);
    se_buf out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, config_canonical(&out, config, &err), &err);
    assert_int_equal(out.size, strlen((char *)out.data));
    return out;
}

#define DESCRIPTOR_A                                                                               \
    "<descriptor name='A' version='2'><type algorithm='sha256' key='a'/></descriptor>\n"
#define DESCRIPTOR_B                                                                               \
    "<descriptor name='B'><type algorithm='AES/CBC/PKCS5Padding' key='b' "                         \
    "asymCipher='RSA/None/OAEPWithSHA1AndMGF1Padding'/></descriptor>\n"
#define DESCRIPTOR_A10                                                                             \
    "<descriptor name='A' version='10'><type algorithm='SHA-256' key='a'/></descriptor>\n"
#define KEY_A "<key name='a'><type name='HSM' locationValue='lib' alias='x' slot='0' %s/></key>\n"
#define KEY_B                                                                                      \
    "<key name='b'><type name='pem' locationValue='file:b.pem'/><type name='PEM' "                 \
    "locationValue='c.pem'/></key>\n"

static const char expected[] = "engineSignEncrypt 1\n"
                               "descriptor A:2\tkey\ta\n"
                               "descriptor A:2\talgorithm\tSHA-256\n"
                               "descriptor A:10\tkey\ta\n"
                               "descriptor A:10\talgorithm\tSHA-256\n"
                               "descriptor B:1\tkey\tb\n"
                               "descriptor B:1\talgorithm\tAES/CBC/PKCS7Padding\n"
                               "descriptor B:1\tsize\t256\n"
                               "descriptor B:1\tresult\tNX02\n"
                               "descriptor B:1\tasymCipher\tRSA/ECB/OAEPWithSHA-1AndMGF1Padding\n"
                               "descriptor B:1\tmgf1\tSHA-1\n"
                               "key a\ttype\tHSM\n"
                               "key a\tlocationValue\tlib\n"
                               "key a\talias\tx\n"
                               "key a\tslot\t0\n"
                               "key b replica 1\ttype\tpem\n"
                               "key b replica 1\tlocationValue\tfile:b.pem\n"
                               "key b replica 2\ttype\tpem\n"
                               "key b replica 2\tlocationValue\tc.pem\n";

static void the_canonical_form_knows_no_order_spelling_or_pin(void **state)
{
    static const char *const pins[] = { "",
                                        "pin='1234'",
                                        "pin='12345'",
                                        "pin.encrypted='1234'",
                                        "pin.source='env:X'",
                                        "pin.source='file:x'" };

    (void)state;
    for (size_t i = 0; i < sizeof pins / sizeof *pins; i++) {
        AUTO(writer) one = { 0 };
        AUTO(writer) two = { 0 };
        AUTO(se_buf) first = SE_BUF_INIT;
        AUTO(se_buf) second = SE_BUF_INIT;

        writer_format(&one, ROOT(DESCRIPTOR_A DESCRIPTOR_B DESCRIPTOR_A10, KEY_A KEY_B), pins[i]);
        writer_format(&two, ROOT("<!-- -->" DESCRIPTOR_A10 DESCRIPTOR_A DESCRIPTOR_B, KEY_B KEY_A),
                      pins[i]);
        first = canonical(writer_string(&one));
        second = canonical(writer_string(&two));
        assert_string_equal((char *)first.data, expected);
        assert_string_equal((char *)second.data, expected);
    }
}

static void the_canonical_form_tells_all_else(void **state)
{
    static const char *const variants[] = {
        ROOT(DESCRIPTOR_A, "<key name='a'><type name='pem' locationValue='a'/></key>"),
        ROOT(DESCRIPTOR_A10, "<key name='a'><type name='pem' locationValue='a'/></key>"),
        ROOT(DESCRIPTOR_A, "<key name='a'><type name='pem' locationValue='b'/></key>"),
        ROOT(DESCRIPTOR_A, "<key name='a'><type name='pem' locationValue='./a'/></key>"),
        ROOT(DESCRIPTOR_A, "<key name='a'><type name='pkcs12' locationValue='a'/></key>"),
        ROOT(DESCRIPTOR_A, "<key name='a'><type name='pkcs12' locationValue='a' alias='a'/></key>"),
        ROOT(DESCRIPTOR_A,
             "<key name='a'><type name='pkcs12' locationValue='a' certificate='file:x'/></key>"),
        ROOT(DESCRIPTOR_A,
             "<key name='a'><type name='pkcs12' locationValue='a' certificate='MAMCAQE='/></key>"),
        ROOT(DESCRIPTOR_A, "<key name='a'><type name='HSM' locationValue='a' alias='a'/></key>"),
        ROOT(DESCRIPTOR_A,
             "<key name='a'><type name='HSM' locationValue='a' alias='a' slot='0'/></key>"),
        ROOT(DESCRIPTOR_A,
             "<key name='a'><type name='HSM' locationValue='a' alias='a' slotIndex='0'/></key>"),
        ROOT(DESCRIPTOR_A,
             "<key name='a'><type name='HSM' locationValue='a' alias='a' tokenLabel='0'/></key>"),
        ROOT(DESCRIPTOR_A,
             "<key name='a'><type name='HSM' locationValue='a' alias='a' tokenSerial='0'/></key>"),
        ROOT(DESCRIPTOR_A,
             "<key name='a'><type name='HSM' locationValue='a' alias='a' initArgs='0'/></key>"),
        ROOT(DESCRIPTOR_A,
             "<key name='a'><type name='HSM' locationValue='a' alias='a' maxSessions='1'/></key>"),
        ROOT(DESCRIPTOR_A,
             "<key name='a'><type name='HSM' locationValue='a' alias='a' keepAlive='1'/></key>"),
        ROOT(DESCRIPTOR_A,
             "<key name='a'><type name='HSM' locationValue='a' alias='a' failback='true'/></key>"),
        ROOT(DESCRIPTOR_A, "<key name='a'><type name='pem' locationValue='a'/><type name='pem' "
                           "locationValue='b'/></key>"),
        ROOT(DESCRIPTOR_A, "<key name='a'><type name='pem' locationValue='b'/><type name='pem' "
                           "locationValue='a'/></key>"),
    };
    enum { COUNT = sizeof variants / sizeof *variants };
    se_buf forms[COUNT];

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        forms[i] = canonical(variants[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal((char *)forms[i].data, (char *)forms[j].data);
    }
    for (size_t i = 0; i < COUNT; i++)
        se_buf_free(&forms[i]);
}

/* doc/formats.md has its SHA-256, and this text */
static void the_documented_form_is_the_form(void **state)
{
    AUTO(se_buf)
    out = canonical("<engineSignEncrypt>\n  <descriptors>\n"
                    "    <descriptor name=\"FileSigner\"><type algorithm=\"sha256WithRSA\" "
                    "key=\"k\"/></descriptor>\n"
                    "  </descriptors>\n  <keys>\n"
                    "    <key name=\"k\"><type name=\"hsm\" locationValue=\"libsofthsm2\" "
                    "alias=\"file signer\" slot=\"0\" "
                    "pin=\"1234\"/></key>\n  </keys>\n</engineSignEncrypt>\n");

    (void)state;
    assert_string_equal((char *)out.data, "engineSignEncrypt 1\n"
                                          "descriptor FileSigner:1\tkey\tk\n"
                                          "descriptor FileSigner:1\talgorithm\tSHA256withRSA\n"
                                          "key k\ttype\tHSM\n"
                                          "key k\tlocationValue\tlibsofthsm2\n"
                                          "key k\talias\tfile signer\n"
                                          "key k\tslot\t0\n");
}

/* likewise */
static void the_documented_access_is_the_form(void **state)
{
    AUTO(se_buf)
    out = canonical(ROOT_WITH(
        "<descriptor name='FileSigner'><type algorithm='SHA256withRSA' key='k'/></descriptor>\n",
        "<key name='k'><type name='pem' locationValue='k'/></key>\n",
        "<access>\n"
        "  <allow name='portal' operations='verify sign' perMinute='6000'>\n"
        "    <certificate issuer='CN=Clients CA,O=Example' san='DNS:app1.example.test'/>\n"
        "    <user name='tomcat'/>\n    <descriptor name='FileSigner'/>\n  </allow>\n"
        "  <allow name='card history' operations='history-append'>\n"
        "    <group name='cards'/>\n    <history name='default'/>\n  </allow>\n</access>\n"));
    const char *access = strstr((char *)out.data, "access ");

    (void)state;
    assert_non_null(access);
    assert_string_equal(access, "access portal\trow\t1\n"
                                "access portal\toperations\tsign verify\n"
                                "access portal\tperMinute\t6000\n"
                                "access portal\tdescriptor FileSigner:*\tallowed\n"
                                "access portal\tuser tomcat\tallowed\n"
                                "access portal certificate 1\tissuer\tCN=Clients CA,O=Example\n"
                                "access portal certificate 1\tsan\tDNS:app1.example.test\n"
                                "access card history\trow\t2\n"
                                "access card history\toperations\thistory-append\n"
                                "access card history\thistory default\tallowed\n"
                                "access card history\tgroup cards\tallowed\n");
}

#define IN_ACCESS(rows)                                                                            \
    ROOT_WITH(DESCRIPTOR_A, "<key name='a'><type name='pem' locationValue='a'/></key>",            \
              "<access>" rows "</access>")
#define ALLOW(attributes, content) "<allow name='a' " attributes ">" content "</allow>"
#define CALLER                     "<user name='u'/>"
#define TARGET                     "<descriptor name='A'/>"

/* Each differs from all others in what somebody may do. */
static void the_canonical_form_tells_every_right(void **state)
{
    static const char *const variants[] = {
        IN_ACCESS(""),
        IN_ACCESS(ALLOW("operations='sign'", CALLER TARGET)),
        IN_ACCESS(ALLOW("operations='verify'", CALLER TARGET)),
        IN_ACCESS(ALLOW("operations='sign verify'", CALLER TARGET)),
        IN_ACCESS(ALLOW("operations='sign' perMinute='1'", CALLER TARGET)),
        IN_ACCESS(ALLOW("operations='sign'", CALLER "<descriptor name='A' version='2'/>")),
        IN_ACCESS(ALLOW("operations='sign'", "<group name='u'/>" TARGET)),
        IN_ACCESS(ALLOW("operations='sign'", "<user name='v'/>" TARGET)),
        IN_ACCESS(ALLOW("operations='sign'", CALLER "<user name='v'/>" TARGET)),
        IN_ACCESS(ALLOW("operations='sign'", "<certificate subject='CN=u'/>" TARGET)),
        IN_ACCESS(ALLOW("operations='sign'", "<certificate issuer='CN=u'/>" TARGET)),
        IN_ACCESS(ALLOW("operations='sign'", "<certificate san='URI:u'/>" TARGET)),
        IN_ACCESS(ALLOW("operations='sign'", "<certificate san='DNS:u'/>" TARGET)),
        IN_ACCESS(ALLOW("operations='sign'", "<certificate subject='CN=u' san='DNS:u'/>" TARGET)),
        IN_ACCESS(ALLOW("operations='sign'",
                        "<certificate subject='CN=u'/><certificate san='DNS:u'/>" TARGET)),
        IN_ACCESS(ALLOW("operations='history-read'", CALLER "<history name='A'/>")),
        IN_ACCESS(ALLOW("operations='history-read'", CALLER "<history name='B'/>")),
        IN_ACCESS(ALLOW("operations='monitor'", CALLER)),
        IN_ACCESS(ALLOW("operations='monitor'",
                        CALLER) "<allow name='b' operations='monitor'><group name='g'/></allow>"),
        IN_ACCESS("<allow name='b' operations='monitor'><group name='g'/></allow>" ALLOW(
            "operations='monitor'", CALLER)),
    };
    enum { COUNT = sizeof variants / sizeof *variants };
    se_buf forms[COUNT];

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        forms[i] = canonical(variants[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal((char *)forms[i].data, (char *)forms[j].data);
    }
    for (size_t i = 0; i < COUNT; i++)
        se_buf_free(&forms[i]);
}

static void line_ends_and_tabs_are_escaped(void **state)
{
    AUTO(se_buf) out = canonical(
        ROOT("", "<key name='a&#9;b&#10;c&#13;d\\'><type name='pem' locationValue='x'/></key>"));

    (void)state;
    assert_string_equal((char *)out.data,
                        "engineSignEncrypt 1\nkey a\\tb\\nc\\rd\\\\\ttype\tpem\nkey "
                        "a\\tb\\nc\\rd\\\\\tlocationValue\tx\n");
}

static void pins_are_masked(void **state)
{
    AUTO(config)
    config = parsed(ROOT(
        "", "<key name='a'><type name='pkcs12' locationValue='/a' pin='1234'/></key>"
            "<key name='b'><type name='pkcs12' locationValue='/b' pin.encrypted='1234'/></key>"));
    AUTO(writer) got = { 0 };

    (void)state;
    config_describe(config, put_property, &got);
    assert_string_equal(writer_string(&got),
                        "key a | type | pkcs12\nkey a | locationValue | /a\nkey a | pin | ***\n"
                        "key b | type | pkcs12\nkey b | locationValue | /b\nkey b | pin | ***\n");
}

static void findings_come_in_the_order_of_lines_and_once(void **state)
{
    AUTO(findings) findings = { 0 };
    AUTO(writer) got = { 0 };
    struct config_options options = { .report = put_finding, .report_arg = &got };
    se_error err = SE_ERROR_INIT;

    (void)state;
    findings_error(&findings, 7, "%s", "seven");
    findings_warning(&findings, 3, "three");
    findings_error(&findings, 7, "another\nseven");
    findings_error(&findings, 7, "seven");
    findings_warning(&findings, 7, "seven");
    findings_warning(&findings, 0, "all");
    assert_true(findings_error_at(&findings, 7));
    assert_false(findings_error_at(&findings, 3));
    assert_status(SE_ERR_CONFIG, findings_report(&findings, "f.xml", &options, &err), &err);
    assert_string_equal(err.text, "f.xml:7: seven");
    assert_string_equal(
        writer_string(&got),
        "0: warning: all\n3: warning: three\n7: seven\n7: another seven\n7: warning: seven\n");
}

static void warnings_leave_room_for_errors(void **state)
{
    AUTO(findings) findings = { 0 };
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (int i = 0; i < 2 * FINDINGS_MAX; i++)
        findings_warning(&findings, 1 + i, "warning");
    assert_false(findings_full(&findings));
    assert_status(SE_OK, findings_report(&findings, "f.xml", NULL, &err), &err);
    for (int i = 0; i < 2 * FINDINGS_MAX; i++)
        findings_error(&findings, 500 + i, "error");
    assert_true(findings_full(&findings));
    assert_status(SE_ERR_CONFIG, findings_report(&findings, "f.xml", NULL, &err), &err);
    assert_string_equal(err.text, "f.xml:500: error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_canonical_form_knows_no_order_spelling_or_pin),
        cmocka_unit_test(the_canonical_form_tells_all_else),
        cmocka_unit_test(the_documented_form_is_the_form),
        cmocka_unit_test(the_documented_access_is_the_form),
        cmocka_unit_test(the_canonical_form_tells_every_right),
        cmocka_unit_test(line_ends_and_tabs_are_escaped),
        cmocka_unit_test(pins_are_masked),
        cmocka_unit_test(findings_come_in_the_order_of_lines_and_once),
        cmocka_unit_test(warnings_leave_room_for_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
