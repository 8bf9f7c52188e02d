#include "base/text.h"
#include "tests/unit/unit.h"

static const char *const words[] = {
    "descriptor", "descriptors", "EncryptedFields", "ConfigZipSigner", NULL, "ConfigZipEncrypter", "slot"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_finds_typing_errors),
        cmocka_unit_test(nearest_is_silent_when_nothing_is_near),
        cmocka_unit_test(numbers_are_digits_only),
        cmocka_unit_test(starting_is_not_containing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
