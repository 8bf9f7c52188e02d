/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"
#include "config/pins.h"
#include "tests/unit/config.h"

static const char key_a[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
static const char key_b[] = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n";
/* "1234" under key_a as doc/formats.md has it, made with another implementation of AES-GCM: it must
 * stay readable. */
static const char old_value[] =
    "{se1}oKGio6Slpqeoqaqr1ypPGcXLAr9iZYfTB3rA3nCsWRCSt0JsnA4mhn+rdQHH7tXLwXzlejI7w1aHdjNT";

static se_buf scrambled(const char *pin, const char *key)
{
    se_buf value = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, pins_scramble(&value, text_bytes(pin), key, &err), &err);
    return value;
}

static void assert_reveals(const char *pin, const char *value, const char *key)
{
    AUTO(se_buf) revealed = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, pins_reveal(&revealed, value, key, &err), &err);
    assert_int_equal(revealed.size, strlen(pin));
    assert_string_equal((char *)revealed.data, pin);
}

static void assert_refused(se_status status, const char *text, const char *value, const char *key)
{
    AUTO(se_buf) revealed = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(status, pins_reveal(&revealed, value, key, &err), &err);
    assert_string_equal(err.text, text);
    assert_null(revealed.data);
}

static void a_scrambled_pin_comes_back(void **state)
{
    static const char *const pins[] = {
        "1", "1234", "31 bytes are just within a block", "\xC3\xA4\xE2\x82\xAC",
        "a long one, longer than a block of 32 bytes, and longer than two of them"
    };

    (void)state;
    for (size_t i = 0; i < sizeof pins / sizeof *pins; i++) {
        AUTO(se_buf) value = scrambled(pins[i], "pin.key");

        assert_true(pins_is_scrambled((char *)value.data));
        assert_reveals(pins[i], (char *)value.data, "pin.key");
    }
}

static void the_documented_value_can_be_read(void **state)
{
    (void)state;
    make_text("a.key", key_a, 0600);
    assert_reveals("1234", old_value, "a.key");
}

static void short_pins_have_values_of_the_same_length(void **state)
{
    AUTO(se_buf) one = scrambled("1", "pin.key");
    AUTO(se_buf) ten = scrambled("1234567890", "pin.key");
    AUTO(se_buf) again = scrambled("1234567890", "pin.key");

    (void)state;
    assert_int_equal(one.size, ten.size);
    assert_string_not_equal((char *)ten.data, (char *)again.data);
}

static void a_value_is_not_accepted_with_another_key_or_altered(void **state)
{
    AUTO(se_buf) value = SE_BUF_INIT;

    (void)state;
    make_text("a.key", key_a, 0600);
    make_text("b.key", key_b, 0600);
    value = scrambled("1234", "a.key");
    assert_refused(
        SE_ERR_ACCESS,
        "the PIN can't be unscrambled with 'b.key': not scrambled with this key, or altered since",
        (char *)value.data, "b.key");
    for (size_t i = strlen("{se1}"); i < value.size; i++) {
        unsigned char before = value.data[i];

        value.data[i] = before == 'A' ? 'B' : 'A';
        assert_refused(SE_ERR_ACCESS,
                       "the PIN can't be unscrambled with 'a.key': not scrambled with this key, or "
                       "altered since",
                       (char *)value.data, "a.key");
        value.data[i] = before;
    }
    assert_reveals("1234", (char *)value.data, "a.key");
}

static void the_form_is_checked_before_there_is_a_key(void **state)
{
    static const char *const damaged[] = {
        "{se1}",
        "{se1}====",
        "{se1}AAAA",
        "{se1}!",
        "{se2}AAAA",
        "1234",
        "{se1}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
    };

    (void)state;
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        AUTO(se_buf) sealed = SE_BUF_INIT;
        se_error err = SE_ERROR_INIT;

        assert_status(SE_ERR_FORMAT, pins_decode(&sealed, damaged[i], &err), &err);
        assert_null(sealed.data);
    }
    assert_true(pins_is_scrambled("{se1}"));
    assert_false(pins_is_scrambled("{se1"));
    assert_false(pins_is_scrambled(""));
}

static void the_key_file_is_made_once_and_for_its_owner(void **state)
{
    AUTO(se_buf) first = SE_BUF_INIT;
    AUTO(se_buf) second = SE_BUF_INIT;
    AUTO(se_buf) text = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    struct stat info;

    (void)state;
    assert_status(SE_OK, pin_key_make(&first, "pin.key", &err), &err);
    assert_int_equal(stat("pin.key", &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_status(SE_OK, file_read(&text, "pin.key", 100, &err), &err);
    assert_int_equal(text.size, 45);
    assert_int_equal(text.data[44], '\n');
    assert_status(SE_OK, pin_key_make(&second, "pin.key", &err), &err);
    assert_int_equal(first.size, PIN_KEY_SIZE);
    assert_memory_equal(first.data, second.data, PIN_KEY_SIZE);
}

static void a_key_file_that_others_can_read_or_change_is_refused(void **state)
{
    static const struct {
        mode_t mode;
        se_status status;
        const char *text;
    } rows[] = {
        { 0600, SE_OK, "" },
        { 0400, SE_OK, "" },
        { 0640, SE_OK, "" },
        { 0604, SE_ERR_ACCESS,
          "the key that scrambles PINs: 'a.key' has mode 0604: others may read it" },
        { 0660, SE_ERR_ACCESS,
          "the key that scrambles PINs: 'a.key' has mode 0660: others may change it" },
        { 0602, SE_ERR_ACCESS,
          "the key that scrambles PINs: 'a.key' has mode 0602: others may change it" },
    };

    (void)state;
    make_text("a.key", key_a, 0600);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(se_buf) key = SE_BUF_INIT;
        se_error err = SE_ERROR_INIT;

        assert_int_equal(chmod("a.key", rows[i].mode), 0);
        assert_status(rows[i].status, pin_key_read(&key, "a.key", &err), &err);
        assert_string_equal(err.text, rows[i].text);
        assert_int_equal(key.data != NULL, rows[i].status == SE_OK);
    }
}

static void a_key_file_that_holds_something_else_is_refused(void **state)
{
    static const char *const texts[] = { "",
                                         "\n",
                                         "AAAA\n",
                                         "not base64 at all, but as long as it must be !\n",
                                         " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                                         "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        AUTO(se_buf) key = SE_BUF_INIT;
        se_error err = SE_ERROR_INIT;

        make_text("x.key", texts[i], 0600);
        assert_status(SE_ERR_ACCESS, pin_key_read(&key, "x.key", &err), &err);
        assert_string_equal(
            err.text, "the key that scrambles PINs: 'x.key' does not hold 32 bytes in base64");
    }
}

static void a_missing_key_file_is_named(void **state)
{
    (void)state;
    assert_refused(SE_ERR_ACCESS,
                   "the key that scrambles PINs: cannot read 'none.key': No such file or directory",
                   old_value, "none.key");
}

static void a_key_file_that_cannot_be_made_is_named(void **state)
{
    AUTO(se_buf) value = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_ACCESS,
                  pins_scramble(&value, text_bytes("1234"), "no/folder/pin.key", &err), &err);
    assert_string_equal(
        err.text,
        "cannot make 'no/folder/pin.key', the key that scrambles PINs: No such file or directory");
    assert_null(value.data);
}

static void only_texts_can_be_pins(void **state)
{
    AUTO(se_buf) value = SE_BUF_INIT;
    AUTO(se_buf) huge = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT, nul = SE_ERROR_INIT, size = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_USAGE, pins_scramble(&value, (se_bytes){ "", 0 }, "pin.key", &err), &err);
    assert_status(SE_ERR_USAGE,
                  pins_scramble(&value,
                                (se_bytes){ "12\0"
                                            "34",
                                            5 },
                                "pin.key", &nul),
                  &nul);
    assert_status(SE_OK, buf_new(&huge, 4097, &err), &err);
    memset(huge.data, '1', huge.size);
    assert_status(SE_ERR_USAGE, pins_scramble(&value, buf_bytes(&huge), "pin.key", &size), &size);
    assert_null(value.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_scrambled_pin_comes_back),
        IN_FOLDER(the_documented_value_can_be_read),
        IN_FOLDER(short_pins_have_values_of_the_same_length),
        IN_FOLDER(a_value_is_not_accepted_with_another_key_or_altered),
        IN_FOLDER(the_form_is_checked_before_there_is_a_key),
        IN_FOLDER(the_key_file_is_made_once_and_for_its_owner),
        IN_FOLDER(a_key_file_that_others_can_read_or_change_is_refused),
        IN_FOLDER(a_key_file_that_holds_something_else_is_refused),
        IN_FOLDER(a_missing_key_file_is_named),
        IN_FOLDER(a_key_file_that_cannot_be_made_is_named),
        IN_FOLDER(only_texts_can_be_pins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
