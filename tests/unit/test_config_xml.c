/* SPDX-License-Identifier: Apache-2.0 */
/* The tree: lines, lookups, and that libxml2 has read what the scanner has read. */
#include "base/array.h"
#include "config/xml.h"
#include "tests/unit/config.h"

static const char text[] =
    "<a pin='1234'>\n<b c='1'\n  d='x &amp; y' pin='5'/>\n<!-- -->\n<b/>\n<c><b/></c><b\n/></a>";

static struct redacted redacted_text(void)
{
    struct redacted redacted;
    se_error err = SE_ERROR_INIT;
    int line;

    assert_status(SE_OK, pins_extract(&redacted, text_bytes(text), &line, &err), &err);
    return redacted;
}

static void every_node_has_its_line(void **state)
{
    AUTO(redacted) redacted = redacted_text();
    AUTO(findings) findings = { 0 };
    AUTO(xml_doc) doc = NULL;
    const xmlNode *root, *b;

    (void)state;
    xml_parse(&doc, &redacted, &findings);
    assert_non_null(doc);
    assert_int_equal(findings.count, 0);
    root = xmlDocGetRootElement(doc);
    assert_int_equal(xml_line(root), 1);
    assert_int_equal(xml_count(root, "b"), 3);
    b = xml_child(root, "b");
    assert_int_equal(xml_line(b), 2);
    assert_int_equal(xml_attribute_line(b, "c"), 2);
    assert_int_equal(xml_attribute_line(b, "d"), 3);
    assert_int_equal(xml_attribute_line(b, "none"), 2);
    assert_int_equal(xml_line(xml_next(b)), 5);
    assert_int_equal(xml_line(xml_next(xml_next(b))), 6);
    assert_null(xml_next(xml_next(xml_next(b))));
    assert_null(xml_child(root, "d"));
}

static void values_are_decoded_and_pins_are_numbers(void **state)
{
    AUTO(redacted) redacted = redacted_text();
    AUTO(findings) findings = { 0 };
    AUTO(xml_doc) doc = NULL;
    const xmlNode *root, *b;

    (void)state;
    xml_parse(&doc, &redacted, &findings);
    root = xmlDocGetRootElement(doc);
    b = xml_child(root, "b");
    assert_string_equal(xml_value(b, "d"), "x & y");
    assert_string_equal(xml_value(b, "none"), "");
    assert_null(xml_attribute(b, "none"));
    assert_string_equal(xml_value(root, "pin"), "0");
    assert_string_equal(xml_value(b, "pin"), "1");
}

static void assert_not_understood(const struct redacted *redacted)
{
    AUTO(findings) findings = { 0 };
    AUTO(xml_doc) doc = NULL;
    se_error err = SE_ERROR_INIT;

    xml_parse(&doc, redacted, &findings);
    assert_null(doc);
    assert_status(SE_ERR_CONFIG, findings_report(&findings, "f.xml", NULL, &err), &err);
    assert_string_equal(err.text, "f.xml:1: this XML can't be understood");
}

static void a_tree_that_the_scanner_has_not_seen_is_refused(void **state)
{
    AUTO(redacted) one_line_less = redacted_text();
    AUTO(redacted) one_pin_less = redacted_text();
    AUTO(redacted) other_number = redacted_text();
    AUTO(redacted) one_line_more = redacted_text();

    (void)state;
    one_line_less.line_count--;
    assert_not_understood(&one_line_less);
    assert_true(
        array_grow(&one_line_more.lines, &one_line_more.line_room, one_line_more.line_count));
    one_line_more.line_count++;
    assert_not_understood(&one_line_more);
    one_pin_less.pin_count--;
    assert_not_understood(&one_pin_less);
    one_pin_less.pin_count++;
    *strstr((char *)other_number.text.buf.data, "pin='1'") = 'q';
    assert_not_understood(&other_number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_has_its_line),
        cmocka_unit_test(values_are_decoded_and_pins_are_numbers),
        cmocka_unit_test(a_tree_that_the_scanner_has_not_seen_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
