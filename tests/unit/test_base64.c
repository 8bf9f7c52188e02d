/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/base64.h"
#include "tests/unit/unit.h"

/* RFC 4648, section 10, and all digits */
static const struct {
    const char *plain, *text;
    size_t size;
} pairs[] = {
    { "", "", 0 },
    { "f", "Zg==", 1 },
    { "fo", "Zm8=", 2 },
    { "foo", "Zm9v", 3 },
    { "foob", "Zm9vYg==", 4 },
    { "fooba", "Zm9vYmE=", 5 },
    { "foobar", "Zm9vYmFy", 6 },
    { "\0\0", "AAA=", 2 },
    { "\xFF\xFF\xFF", "////", 3 },
    { "\x00\x10\x83\x10\x51\x87\x20\x92\x8B\x30\xD3\x8F\x41\x14\x93\x51\x55\x97\x61\x96\x9B\x71\xD7"
      "\x9F\x82\x18\xA3\x92\x59\xA7\xA2\x9A\xAB"
      "\xB2\xDB\xAF"
      "\xC3\x1C\xB3\xD3\x5D\xB7\xE3\x9E\xBB\xF3\xDF\xBF",
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 48 },
};

static void texts_of_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        AUTO(se_buf) text = SE_BUF_INIT;
        AUTO(se_buf) plain = SE_BUF_INIT;
        se_error err = SE_ERROR_INIT;

        assert_status(
            SE_OK, base64_encode(&text, (se_bytes){ pairs[i].plain, pairs[i].size }, &err), &err);
        assert_string_equal((char *)text.data, pairs[i].text);
        assert_int_equal(text.size, strlen(pairs[i].text));
        assert_status(SE_OK, base64_decode(&plain, text_bytes(pairs[i].text), &err), &err);
        assert_int_equal(plain.size, pairs[i].size);
        assert_memory_equal(plain.data, pairs[i].plain, pairs[i].size);
    }
}

static void texts_grow_by_it(void **state)
{
    AUTO(writer) w = { 0 };
    AUTO(se_buf) text = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    writer_text(&w, "<");
    writer_base64(&w, text_bytes("fo"));
    writer_base64(&w, (se_bytes){ NULL, 0 });
    writer_text(&w, ">");
    assert_status(SE_OK, writer_finish(&text, &w, &err), &err);
    assert_int_equal(text.size, 6);
    assert_memory_equal(text.data, "<Zm8=>", 6);
}

static void nothing_else_is_decoded(void **state)
{
    static const char *const texts[] = { "A",
                                         "AA",
                                         "AAA",
                                         "AAAA=",
                                         "=AAA",
                                         "A=AA",
                                         "AA=A",
                                         "A===",
                                         "====",
                                         "Zh==",
                                         "Zm9=",
                                         "Zm9v ",
                                         " Zm9v",
                                         "Zm9v\n\n\n\n",
                                         "Zm9-",
                                         "Zm9_",
                                         "Zg==Zg==",
                                         "Zm9v\xC3\xA4"
                                         "A=" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        AUTO(se_buf) plain = SE_BUF_INIT;
        se_error err = SE_ERROR_INIT;

        assert_status(SE_ERR_FORMAT, base64_decode(&plain, text_bytes(texts[i]), &err), &err);
        assert_null(plain.data);
    }
}

static void a_nul_is_no_digit(void **state)
{
    AUTO(se_buf) plain = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_FORMAT, base64_decode(&plain, (se_bytes){ "AAA\0", 4 }, &err), &err);
    assert_string_equal(err.text, "not base64 at character 1");
}

static void url_safe_texts_have_other_letters_and_no_padding(void **state)
{
    static const char *const bad[] = { "A", "Zg==", "Zh", "Zm9", "+___", "AA/A", "AAAAA", "A A" };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        AUTO(se_buf) text = SE_BUF_INIT;
        AUTO(se_buf) plain = SE_BUF_INIT;
        char expected[100];

        strcpy(expected, pairs[i].text);
        expected[strcspn(expected, "=")] = '\0';
        for (char *p = expected; *p; p++)
            *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
        assert_int_equal(base64url_encode(&text, (se_bytes){ pairs[i].plain, pairs[i].size }, NULL),
                         SE_OK);
        assert_string_equal((char *)text.data, expected);
        assert_int_equal(base64url_decode(&plain, buf_bytes(&text), NULL), SE_OK);
        assert_int_equal(plain.size, pairs[i].size);
        assert_memory_equal(plain.data, pairs[i].plain, pairs[i].size);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        se_buf plain;

        assert_int_equal(base64url_decode(&plain, text_bytes(bad[i]), NULL), SE_ERR_FORMAT);
        assert_null(plain.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_the_rfc),
        cmocka_unit_test(texts_grow_by_it),
        cmocka_unit_test(url_safe_texts_have_other_letters_and_no_padding),
        cmocka_unit_test(nothing_else_is_decoded),
        cmocka_unit_test(a_nul_is_no_digit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
