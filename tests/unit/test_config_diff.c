/* SPDX-License-Identifier: Apache-2.0 */
/* What two configurations differ in; and what no canonical form is. */
#include "config/canonical.h"
#include "config/diff.h"
#include "tests/unit/config.h"

static void put_difference(void *arg, const char *item, const char *property, const char *before,
                           const char *after)
{
    writer_format(arg, "%s | %s | %s | %s\n", item, property, before ? before : "(none)",
                  after ? after : "(none)");
}

static void assert_differences(const char *before, const char *after, const char *expected)
{
    AUTO(writer) told = { 0 };
    se_error err = SE_ERROR_INIT;

    assert_status(
        SE_OK, canonical_diff(text_bytes(before), text_bytes(after), put_difference, &told, &err),
        &err);
    assert_string_equal(writer_string(&told), expected);
}

#define HEAD CANONICAL_HEADING

static void lines_are_compared_whatever_their_order(void **state)
{
    (void)state;
    assert_differences(HEAD, HEAD, "");
    assert_differences(HEAD "a\tp\t1\na\tq\t\n", HEAD "a\tq\t\na\tp\t1\n", "");
    assert_differences(HEAD "a\tp\t1\n", HEAD "a\tp\t2\n", "a | p | 1 | 2\n");
    assert_differences(HEAD, HEAD "a\tp\t1\n", "a | p | (none) | 1\n");
    assert_differences(HEAD "a\tp\t1\n", HEAD, "a | p | 1 | (none)\n");
    assert_differences(HEAD "b\tp\t1\na\tp\t1\nd\tp\t1\n", HEAD "a\tp\t1\nc\tp\t1\nd\tp\t\n",
                       "b | p | 1 | (none)\nc | p | (none) | 1\nd | p | 1 | \n");
    assert_differences(HEAD "ab\tc\t1\n", HEAD "a\tbc\t1\n",
                       "a | bc | (none) | 1\nab | c | 1 | (none)\n");
}

static void what_is_no_canonical_form_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "engineSignEncrypt 1",
        "engineSignEncrypt 2\n",
        HEAD "\n",
        HEAD "a\n",
        HEAD "a\tp\n",
        HEAD "a\tp\t1",
        HEAD "a\tp\t1\n\n",
        HEAD "a\tp\nb\tp\t1\n",
        HEAD "a\tp\t1\t2\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int second = 0; second < 2; second++) {
            AUTO(writer) told = { 0 };
            const se_bytes bad = text_bytes(texts[i]), good = text_bytes(HEAD "a\tp\t1\n");
            se_error err = SE_ERROR_INIT;

            assert_status(SE_ERR_FORMAT,
                          canonical_diff(second ? good : bad, second ? bad : good, put_difference,
                                         &told, &err),
                          &err);
            assert_string_equal(err.text, "not a canonical configuration");
            assert_string_equal(writer_string(&told), "");
        }
}

static void a_nul_is_no_line_end(void **state)
{
    static const char text[] = HEAD "a\tp\t1\0a\tq\t1\n";
    AUTO(writer) told = { 0 };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_FORMAT,
                  canonical_diff((se_bytes){ text, sizeof text - 1 }, text_bytes(HEAD),
                                 put_difference, &told, &err),
                  &err);
}

#define DESCRIPTOR(algorithm)                                                                      \
    "<descriptor name='A'><type algorithm='" algorithm "' key='a'/></descriptor>\n"
#define KEY(pin) "<key name='a'><type name='HSM' locationValue='lib' alias='x' " pin "/></key>\n"
#define REPLICAS(pin)                                                                              \
    "<key name='a'><type name='pkcs12' locationValue='1'/><type name='pkcs12' "                    \
    "locationValue='2' " pin "/></key>\n"

static void assert_config_differences(const char *before, const char *after, const char *expected)
{
    AUTO(config) a = parsed(before);
    AUTO(config) b = parsed(after);
    AUTO(writer) told = { 0 };
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, config_diff(a, b, put_difference, &told, &err), &err);
    assert_string_equal(writer_string(&told), expected);
}

static void pins_differ_without_being_told(void **state)
{
    (void)state;
    assert_config_differences(ROOT(DESCRIPTOR("SHA-256"), KEY("pin='1'")),
                              ROOT(DESCRIPTOR("sha256"), KEY("pin='1'")), "");
    assert_config_differences(
        ROOT(DESCRIPTOR("SHA-256"), KEY("pin='1'")), ROOT(DESCRIPTOR("SHA-512"), KEY("pin='2'")),
        "descriptor A:1 | algorithm | SHA-256 | SHA-512\nkey a | pin | *** | ***\n");
    assert_config_differences(
        ROOT(DESCRIPTOR("SHA-256"), KEY("pin='1'")),
        ROOT(DESCRIPTOR("SHA-256"), KEY("pin.source='env:PIN'")),
        "key a | pin | *** | (none)\nkey a | pin.source | (none) | env:PIN\n");
    assert_config_differences(ROOT(DESCRIPTOR("SHA-256"), REPLICAS("pin='1'")),
                              ROOT(DESCRIPTOR("SHA-256"), REPLICAS("pin='2'")),
                              "key a replica 2 | pin | *** | ***\n");
}

#define ACCESS(rows) ROOT_WITH(DESCRIPTOR("SHA-256"), KEY("pin='1'"), "<access>" rows "</access>\n")
#define ROW_A(attributes, who)                                                                     \
    "<allow name='a' " attributes "><descriptor name='A'/>" who "</allow>"
#define ROW_B "<allow name='b' operations='monitor'><group name='g'/></allow>"

static void a_right_is_named_that_came_or_went(void **state)
{
    (void)state;
    assert_config_differences(ACCESS(ROW_A("operations='sign verify'", "<user name='u'/>")),
                              ACCESS(ROW_A("operations='verify sign'", "<user name='u'/>")), "");
    assert_config_differences(
        ACCESS(ROW_A("operations='sign'", "<user name='u'/><user name='v'/>")),
        ACCESS(ROW_A("operations='sign verify' perMinute='60'",
                     "<user name='a'/><user name='v'/><certificate san='DNS:a'/>")),
        "access a | operations | sign | sign verify\naccess a | perMinute | (none) | 60\n"
        "access a | user a | (none) | allowed\naccess a | user u | allowed | (none)\n"
        "access a certificate 1 | san | (none) | DNS:a\n");
    assert_config_differences(ACCESS(ROW_A("operations='sign'", "<user name='u'/>") ROW_B),
                              ACCESS(ROW_B ROW_A("operations='sign'", "<user name='u'/>")),
                              "access a | row | 1 | 2\naccess b | row | 2 | 1\n");
    assert_config_differences(ROOT(DESCRIPTOR("SHA-256"), KEY("pin='1'")), ACCESS(ROW_B),
                              "access b | group g | (none) | allowed\n"
                              "access b | operations | (none) | monitor\n"
                              "access b | row | (none) | 1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_compared_whatever_their_order),
        cmocka_unit_test(what_is_no_canonical_form_is_refused),
        cmocka_unit_test(a_nul_is_no_line_end),
        cmocka_unit_test(pins_differ_without_being_told),
        cmocka_unit_test(a_right_is_named_that_came_or_went),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
