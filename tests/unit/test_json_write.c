/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as it is written: jansson reads the same. */
#include <jansson.h>

#include "base/json_write.h"
#include "tests/unit/unit.h"

static void everything_has_its_place(void **state)
{
    AUTO(writer) w = { 0 };

    (void)state;
    json_write_begin(&w, NULL, '{');
    json_write_begin(&w, "empty", '{');
    json_write_end(&w, '}');
    json_write_begin(&w, "list", '[');
    json_write_number(&w, NULL, UINT64_MAX);
    json_write_flag(&w, NULL, true);
    json_write_begin(&w, NULL, '[');
    json_write_end(&w, ']');
    json_write_text(&w, NULL, "[");
    json_write_text(&w, NULL, "{,:");
    json_write_end(&w, ']');
    json_write_time(&w, "never", 0);
    json_write_time(&w, "time", 1);
    json_write_time_us(&w, "exact", 1000001);
    json_write_base64(&w, "nothing", (se_bytes){ NULL, 0 });
    json_write_base64(&w, "bytes", (se_bytes){ "\0\1\2\3", 4 });
    json_write_either(&w, "text", "base64", (se_bytes){ "a\xc3\xa9", 3 });
    json_write_either(&w, "text", "base64", (se_bytes){ "a\xc3", 2 });
    json_write_end(&w, '}');
    writer_text(&w, "\n");
    json_write_begin(&w, NULL, '{');
    json_write_end(&w, '}');
    assert_string_equal(
        writer_string(&w),
        "{\"empty\":{},\"list\":[18446744073709551615,true,[],\"[\",\"{,:\"],"
        "\"time\":\"1970-01-01T00:00:01Z\",\"exact\":\"1970-01-01T00:00:01.000001Z\""
        ",\"nothing\":\"\",\"bytes\":\"AAECAw==\",\"text\":\"a\xc3\xa9\","
        "\"base64\":\"YcM=\"}\n{}");
}

static void long_texts_are_cut_between_characters(void **state)
{
    static const struct {
        const char *text;
        size_t most;
        const char *written;
    } cases[] = {
        { "abcdef", 6, "\"abcdef\"" },
        { "abcdefg", 6, "\"abc\xe2\x80\xa6\"" },
        { "", 3, "\"\"" },
        { "abcd", 3, "\"\xe2\x80\xa6\"" },
        { "ab\xc3\xa9xyz", 6, "\"ab\xe2\x80\xa6\"" }, /* the second byte would be over it */
        { "a\"\"\"\"", 7, "\"a\\\"\xe2\x80\xa6\"" },  /* an escape counts as written */
        { "ab\1xyz", 7, "\"ab\xe2\x80\xa6\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(writer) w = { 0 };

        json_write_cut(&w, NULL, cases[i].text, cases[i].most);
        assert_string_equal(writer_string(&w), cases[i].written);
    }
}

static void jansson_reads_the_same(void **state)
{
    AUTO(writer) w = { 0 };
    unsigned char all[128];
    json_t *read, *member;
    json_error_t err;

    (void)state;
    for (unsigned i = 0; i < sizeof all; i++)
        all[i] = (unsigned char)i;
    json_write_begin(&w, NULL, '{');
    json_write_bytes(&w, "all", (se_bytes){ all, sizeof all });
    json_write_text(&w, "broken", "a\xff\xc3\xed\xa0\x80\xc2\x85z");
    json_write_end(&w, '}');
    read = json_loadb(writer_string(&w), w.buf.size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &err);
    assert_non_null(read);
    member = json_object_get(read, "all");
    assert_int_equal(json_string_length(member), sizeof all);
    assert_memory_equal(json_string_value(member), all, sizeof all);
    assert_string_equal(json_string_value(json_object_get(read, "broken")),
                        "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xc2\x85z");
    json_decref(read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_has_its_place),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(jansson_reads_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
