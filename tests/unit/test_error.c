/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/error.h"
#include "tests/unit/unit.h"

static void every_status_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = SE_OK; a <= SE_ERR_CRYPTO; a++) {
        assert_string_not_equal(se_status_name((se_status)a), "");
        assert_string_not_equal(se_status_name((se_status)a), "unknown");
        for (int b = SE_OK; b < a; b++)
            assert_string_not_equal(se_status_name((se_status)a), se_status_name((se_status)b));
    }
    assert_string_equal(se_status_name((se_status)(SE_ERR_CRYPTO + 1)), "unknown");
    assert_string_equal(se_status_name((se_status)-1), "unknown");
}

static void setting_fills_everything(void **state)
{
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_int_equal(error_set(&err, SE_ERR_KEY, "no key '%s', %d others", "k1", 2), SE_ERR_KEY);
    assert_int_equal(err.status, SE_ERR_KEY);
    assert_string_equal(err.text, "no key 'k1', 2 others");
    assert_int_equal(err.line, __LINE__ - 3);
    assert_non_null(strstr(err.file, "test_error.c"));
}

static void the_first_failure_is_kept(void **state)
{
    se_error err = SE_ERROR_INIT;

    (void)state;
    (void)error_set(&err, SE_ERR_STORE, "first");
    assert_int_equal(error_set(&err, SE_ERR_IO, "second"), SE_ERR_IO);
    assert_int_equal(err.status, SE_ERR_STORE);
    assert_string_equal(err.text, "first");
}

static void nobody_needs_an_error(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, SE_ERR_FORMAT, "%s", "lost"), SE_ERR_FORMAT);
    assert_int_equal(error_memory(NULL), SE_ERR_MEMORY);
    assert_int_equal(error_prefix(NULL, SE_ERR_REJECTED, "lost: "), SE_ERR_REJECTED);
    assert_int_equal(error_suffix(NULL, SE_ERR_REJECTED, "; lost"), SE_ERR_REJECTED);
}

static void context_goes_in_front(void **state)
{
    se_error err = SE_ERROR_INIT;

    (void)state;
    (void)error_set(&err, SE_ERR_ACCESS, "wrong PIN");
    assert_int_equal(error_prefix(&err, SE_ERR_ACCESS, "token '%s': ", "t"), SE_ERR_ACCESS);
    assert_int_equal(error_prefix(&err, SE_ERR_ACCESS, "key 'k1': "), SE_ERR_ACCESS);
    assert_string_equal(err.text, "key 'k1': token 't': wrong PIN");
}

static void restating_keeps_the_text(void **state)
{
    se_error err = SE_ERROR_INIT;

    (void)state;
    (void)error_set(&err, SE_ERR_FORMAT, "no PEM in it");
    assert_int_equal(error_restate(&err, SE_ERR_STORE), SE_ERR_STORE);
    assert_int_equal(err.status, SE_ERR_STORE);
    assert_string_equal(err.text, "no PEM in it");
    assert_int_equal(error_restate(NULL, SE_ERR_KEY), SE_ERR_KEY);
}

/* text of a token or a file must not make a second line in a log */
static void a_text_is_one_line(void **state)
{
    se_error err = SE_ERROR_INIT;

    (void)state;
    (void)error_set(&err, SE_ERR_STORE, "label '%s'", "a\nsigner: root\r\t\033[1m\177\xc3\xa9");
    assert_string_equal(err.text, "label 'a signer: root   [1m \xc3\xa9'");
    (void)error_prefix(&err, err.status, "key '%s': ", "\n");
    assert_string_equal(err.text, "key ' ': label 'a signer: root   [1m \xc3\xa9'");
}

static void long_texts_are_cut(void **state)
{
    char text[2 * sizeof((se_error *)0)->text];
    se_error err = SE_ERROR_INIT;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    (void)error_set(&err, SE_ERR_STORE, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    (void)error_prefix(&err, err.status, "key 'k1': ");
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(strncmp(err.text, "key 'k1': xxx", 13), 0);
    (void)error_prefix(&err, err.status, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(err.text[0], 'x');
}

/* ... and are still UTF-8 when the cut goes through a character */
static void a_cut_character_is_marked(void **state)
{
    char text[2 * sizeof((se_error *)0)->text];
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa9", 3);
    (void)error_set(&err, SE_ERR_STORE, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_string_equal(err.text + strlen(err.text) - 3, "\xc3\xa9?");
    (void)error_prefix(&err, err.status, "k");
    assert_string_equal(err.text + strlen(err.text) - 2, "\xc3\xa9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_of_its_own),
        cmocka_unit_test(setting_fills_everything),
        cmocka_unit_test(the_first_failure_is_kept),
        cmocka_unit_test(nobody_needs_an_error),
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(restating_keeps_the_text),
        cmocka_unit_test(a_text_is_one_line),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(a_cut_character_is_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
