/* SPDX-License-Identifier: Apache-2.0 */
/* The text before libxml2: its encoding, what it declares of itself, and its characters. */
#include "config/encoding.h"
#include "tests/unit/config.h"

static void assert_encoding(const char *data, size_t size, int expected, const char *why)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    int line = 0;

    assert_status(SE_OK, buf_copy(&text, (se_bytes){ data, size }, &err), &err);
    assert_status(why ? SE_ERR_CONFIG : SE_OK, encoding_check(buf_bytes(&text), &line, &err), &err);
    assert_string_equal(err.text, why ? why : "");
    assert_int_equal(line, expected);
}

#define assert_text(text, line, why) assert_encoding(text, sizeof(text) - 1, line, why)

static void utf8_is_exactly_utf8(void **state)
{
    static const char bad[] = "not UTF-8: save the file as UTF-8";

    (void)state;
    assert_text("a\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF0\x90\x80"
                "\x80\xF4\x8F\xBF\xBF",
                1, NULL);
    assert_text("a\n\x80", 2, bad);
    assert_text("a\xC0\x80", 1, bad);
    assert_text("a\xC1\xBF", 1, bad);
    assert_text("a\xE0\x9F\xBF", 1, bad);
    assert_text("a\xED\xA0\x80", 1, bad);
    assert_text("a\xF0\x8F\xBF\xBF", 1, bad);
    assert_text("a\xF4\x90\x80\x80", 1, bad);
    assert_text("a\xF8\x88\x80\x80\x80", 1, bad);
    assert_text("a\xFF", 1, bad);
    assert_text("a\xC3", 1, bad);
    assert_text("a\xE2\x82", 1, bad);
    assert_text("a\xC3\n", 1, bad);
}

#define MALFORMED "malformed XML declaration: write <?xml version=\"1.0\" encoding=\"UTF-8\"?>"

static void declarations_are_read_strictly(void **state)
{
    static const char other[] =
        "XML of the version '1.1' is not accepted: only 1.0, whose rules canonical forms have";

    (void)state;
    assert_text("<?xml version='1.1'?><a/>", 1, other);
    assert_text("\xEF\xBB\xBF<?xml\tversion\r\n=\n\"1.1\" encoding='x'?><a/>", 1, other);
    assert_text("<?xml version=\"1.0\" encoding='UTF-8' standalone='yes' ?><a/>", 1, NULL);
    assert_text("<?xml-stylesheet version='1.1' encoding='x'?><a/>", 1, NULL);
    assert_text("<?xml encoding='UTF-8' version='1.0'?><a/>", 1, MALFORMED);
    assert_text("<?xml encoding='UTF-8'?><a/>", 1, MALFORMED);
    assert_text("<?xml version='1.0' encoding='UTF-8' encoding='UTF-16'?><a/>", 1, MALFORMED);
    assert_text("<?xml version='1.0'encoding='UTF-16'?><a/>", 1, MALFORMED);
    assert_text("<?xml version='1.0\"?><a/>", 1, MALFORMED);
    assert_text("<?xml", 1, MALFORMED);
    assert_text("<?xml version='1.0' encoding='ascii'?>\n\xC3\xA9", 2,
                "not the ASCII that the file is declared to be: declare it as UTF-8");
}

static void other_encodings_are_named(void **state)
{
    (void)state;
    assert_text("", 1, "the file is empty");
    assert_text(" \r\n\t", 1, "the file is empty");
    assert_text("\xFF\xFE<\0a\0", 1, "the file is UTF-16: save it as UTF-8");
    assert_text("\xFE\xFF\0<", 1, "the file is UTF-16: save it as UTF-8");
    assert_text("\0<\0?", 1, "the file is UTF-16: save it as UTF-8");
    assert_text("<\0?\0", 1, "the file is UTF-16: save it as UTF-8");
    assert_text("a\n\0", 2, "the file is no text: it holds a NUL byte");
    assert_text("<?xml version='1.0' encoding='ISO-8859-15'?>", 1,
                "the encoding 'ISO-8859-15' is not supported: save the file as UTF-8");
    assert_text("\xEF\xBB\xBF<?xml version = '1.0'\tencoding\n= \"latin1\"?>", 1,
                "the encoding 'latin1' is not supported: save the file as UTF-8");
    assert_text("<?xml version='1.0' encoding=\"Utf-8\"?>", 1, NULL);
    assert_text("<?xml version='1.0' encoding='US-ASCII'?>", 1, NULL);
    assert_text("<?xml version='1.0'?><a encoding='latin1'/>", 1, NULL);
    assert_text("<?xml encoding?>'x'", 1, MALFORMED);
}

static void characters_are_those_of_xml(void **state)
{
    static const uint32_t good[] = { 9, 10, 13, 32, 0xD7FF, 0xE000, 0xFFFD, 0x10000, 0x10FFFF };
    static const uint32_t bad[] = { 0, 1, 8, 11, 31, 0xD800, 0xDFFF, 0xFFFE, 0xFFFF, 0x110000 };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(encoding_xml_char(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(encoding_xml_char(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_exactly_utf8),
        cmocka_unit_test(declarations_are_read_strictly),
        cmocka_unit_test(other_encodings_are_named),
        cmocka_unit_test(characters_are_those_of_xml),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
