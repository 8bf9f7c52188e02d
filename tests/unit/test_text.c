/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/text.h"
#include "base/utf8.h"
#include "tests/unit/unit.h"

static const char *const words[] = {
    "descriptor",         "descriptors", "EncryptedFields", "ConfigZipSigner", NULL,
    "ConfigZipEncrypter", "slot"
};
enum { COUNT = sizeof words / sizeof *words };

static void nearest_finds_typing_errors(void **state)
{
    (void)state;
    assert_string_equal(text_nearest("descripter", words, COUNT), "descriptor");
    assert_string_equal(text_nearest("encryptedfields", words, COUNT), "EncryptedFields");
    assert_string_equal(text_nearest("ConfigZipSinger", words, COUNT), "ConfigZipSigner");
    assert_string_equal(text_nearest("solt", words, COUNT), "slot");
}

static void nearest_is_silent_when_nothing_is_near(void **state)
{
    (void)state;
    assert_null(text_nearest("certificate", words, COUNT));
    assert_null(text_nearest("anything", words, 0));
}

static void numbers_are_digits_only(void **state)
{
    unsigned long n = 7;

    (void)state;
    assert_true(text_number(&n, "0", 9));
    assert_int_equal(n, 0);
    assert_true(text_number(&n, "2147483647", 2147483647));
    assert_false(text_number(&n, "2147483648", 2147483647));
    assert_false(text_number(&n, "", 9));
    assert_false(text_number(&n, " 1", 9));
    assert_false(text_number(&n, "-1", 9));
    assert_false(text_number(&n, "+1", 9));
    assert_false(text_number(&n, "1x", 9));
    assert_false(text_number(&n, "99999999999999999999999", (unsigned long)-1));
    assert_int_equal(n, 2147483647);
}

static void starting_is_not_containing(void **state)
{
    (void)state;
    assert_true(text_starts("env:NAME", "env:"));
    assert_true(text_starts("env:", "env:"));
    assert_true(text_starts("x", ""));
    assert_false(text_starts("env", "env:"));
    assert_false(text_starts("", "env:"));
    assert_false(text_starts("Env:NAME", "env:"));
    assert_false(text_starts(" env:NAME", "env:"));
}

static void assert_clean(const char *text, const char *expected)
{
    char copy[64];

    (void)snprintf(copy, sizeof copy, "%s", text);
    text_clean(copy);
    assert_string_equal(copy, expected);
}

static void cleaning_keeps_what_is_text(void **state)
{
    (void)state;
    assert_clean("", "");
    assert_clean("plain ~", "plain ~");
    assert_clean("\xc2\xa0\xdf\xbf", "\xc2\xa0\xdf\xbf");
    assert_clean("\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf", "\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf");
    assert_clean("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}

static void cleaning_blanks_out_controls(void **state)
{
    (void)state;
    assert_clean("a\nb\rc\td\033e\177f", "a b c d e f");
    assert_clean("a\xc2\x85z\xc2\x9f", "a  z  ");
}

static void cleaning_marks_what_is_no_utf8(void **state)
{
    (void)state;
    assert_clean("caf\xe9", "caf?");
    assert_clean("\x80\xbf\xc0\xaf\xc1\xff\xf5", "???????");
    assert_clean("\xc3", "?");
    assert_clean("\xc3z", "?z");
    assert_clean("\xe2\x82", "??");
    assert_clean("\xe2\x82z", "??z");
    assert_clean("\xf0\x9f\x98", "???");
    assert_clean("\xe0\x9f\xbf", "???");
    assert_clean("\xed\xa0\x80", "???");
    assert_clean("\xf0\x8f\xbf\xbf", "????");
    assert_clean("\xf4\x90\x80\x80", "????");
}

static void characters_are_taken_one_by_one(void **state)
{
    uint32_t point = 7;

    (void)state;
    assert_int_equal(utf8_take(&point, (se_bytes){ "\xe2\x82\xac", 2 }), 0);
    assert_int_equal(utf8_take(&point, (se_bytes){ NULL, 0 }), 0);
    assert_int_equal(point, 7);
    assert_int_equal(utf8_take(&point, (se_bytes){ "\xe2\x82\xac", 3 }), 3);
    assert_int_equal(point, 0x20ac);
    assert_int_equal(utf8_take(&point, (se_bytes){ "", 1 }), 1);
    assert_int_equal(point, 0);
    assert_int_equal(utf8_next(&point, "\xf4\x8f\xbf\xbfmore"), 4);
    assert_int_equal(point, 0x10ffff);
}

static void assert_trimmed(const char *value, size_t size, size_t left)
{
    const se_bytes trimmed = text_trim_end((se_bytes){ value, size });

    assert_ptr_equal(trimmed.data, value);
    assert_int_equal(trimmed.size, left);
}

static void test_trim_end(void **state)
{
    (void)state;
    assert_trimmed("", 0, 0);
    assert_trimmed("a b", 3, 3);
    assert_trimmed("a b \t\r\n\v\f", 9, 3);
    assert_trimmed(" \n", 2, 0);
    assert_trimmed("a\0", 2, 2);
    assert_trimmed("a\0 ", 3, 3);
    assert_trimmed("\xc3\xa9\n", 3, 3);
    assert_trimmed("\x7f\n", 2, 2);
}

static void visible_is_neither_blank_nor_control(void **state)
{
    (void)state;
    assert_true(text_is_visible("", 0));
    assert_true(text_is_visible("!az~", 4));
    assert_true(text_is_visible("a b", 1));
    assert_false(text_is_visible("a b", 3));
    assert_false(text_is_visible("a\tb", 3));
    assert_false(text_is_visible("a\0b", 3));
    assert_false(text_is_visible("\x7f", 1));
    assert_false(text_is_visible("\xc3\xa9", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_finds_typing_errors),
        cmocka_unit_test(nearest_is_silent_when_nothing_is_near),
        cmocka_unit_test(numbers_are_digits_only),
        cmocka_unit_test(starting_is_not_containing),
        cmocka_unit_test(visible_is_neither_blank_nor_control),
        cmocka_unit_test(test_trim_end),
        cmocka_unit_test(cleaning_keeps_what_is_text),
        cmocka_unit_test(cleaning_blanks_out_controls),
        cmocka_unit_test(cleaning_marks_what_is_no_utf8),
        cmocka_unit_test(characters_are_taken_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
