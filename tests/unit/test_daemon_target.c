/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "daemon/target.h"
#include "tests/unit/unit.h"

AUTO_KIND(target, struct target, target_free(p))

static se_status read_target(struct target *out, const char *raw, se_error *err)
{
    *err = (se_error)SE_ERROR_INIT;
    return target_read(out, raw, err);
}

static void paths_are_split_before_they_are_decoded(void **state)
{
    AUTO(target) t = { .text = NULL };
    se_error err;

    (void)state;
    assert_status(SE_OK, read_target(&t, "/v1/descriptors/%46ile%2fSigner/sign", &err), &err);
    assert_true(target_matches(&t, "/v1/descriptors/{descriptor}/sign"));
    assert_string_equal(target_variable(&t, "descriptor"), "File/Signer");
    assert_null(target_variable(&t, "history"));
    assert_false(target_matches(&t, "/v1/descriptors/{descriptor}/verify"));
    assert_false(target_matches(&t, "/v1/descriptors/{descriptor}"));
    assert_false(target_matches(&t, "/v1/descriptors/{descriptor}/sign/more"));
    assert_false(target_matches(&t, "/v1/descriptors/File/Signer/sign"));
    assert_null(target_variable(&t, "descriptor"));
}

static void dots_are_names(void **state)
{
    AUTO(target) t = { .text = NULL };
    se_error err;

    (void)state;
    assert_status(SE_OK, read_target(&t, "/v1/descriptors/../sign", &err), &err);
    assert_true(target_matches(&t, "/v1/descriptors/{descriptor}/sign"));
    assert_string_equal(target_variable(&t, "descriptor"), "..");
    assert_false(target_matches(&t, "/v1/sign"));
}

static void variables_are_not_empty(void **state)
{
    AUTO(target) t = { .text = NULL };
    se_error err;

    (void)state;
    assert_status(SE_OK, read_target(&t, "/v1/descriptors//sign", &err), &err);
    assert_false(target_matches(&t, "/v1/descriptors/{descriptor}/sign"));
}

static void queries_have_names_and_values(void **state)
{
    AUTO(target) t = { .text = NULL };
    uint64_t number;
    bool flag;
    se_error err;

    (void)state;
    assert_status(
        SE_OK,
        read_target(&t, "/a?version=12&pem=true&tsa=http://x/?a%3db&e=&%e2%82%ac=%C3%A4", &err),
        &err);
    assert_string_equal(target_parameter(&t, "tsa"), "http://x/?a=b");
    assert_string_equal(target_parameter(&t, "e"), "");
    assert_string_equal(target_parameter(&t, "\xe2\x82\xac"), "\xc3\xa4");
    assert_null(target_parameter(&t, "x"));
    assert_status(SE_OK, target_number(&number, &t, "version", 12, &err), &err);
    assert_int_equal(number, 12);
    assert_status(SE_ERR_USAGE, target_number(&number, &t, "version", 11, &err), &err);
    assert_int_equal(number, 0);
    assert_status(SE_ERR_USAGE, target_number(&number, &t, "pem", 11, &err), &err);
    assert_status(SE_OK, target_number(&number, &t, "none", 11, &err), &err);
    assert_int_equal(number, 0);
    assert_status(SE_OK, target_flag(&flag, &t, "pem", false, &err), &err);
    assert_true(flag);
    assert_status(SE_OK, target_flag(&flag, &t, "none", true, &err), &err);
    assert_true(flag);
    assert_status(SE_ERR_USAGE, target_flag(&flag, &t, "e", true, &err), &err);
}

static void a_parameter_can_be_added(void **state)
{
    AUTO(target) t = { .text = NULL };
    se_error err;

    (void)state;
    assert_status(SE_OK, read_target(&t, "/a", &err), &err);
    assert_true(target_add(&t, "version", "1"));
    assert_string_equal(target_parameter(&t, "version"), "1");
    for (size_t i = 1; i < TARGET_PARAMETERS; i++)
        assert_true(target_add(&t, "x", "1"));
    assert_false(target_add(&t, "x", "1"));
}

static void refused_targets_leave_nothing(void **state)
{
    static const char *const cases[] = {
        "",         "a",           "*",           "/a%",
        "/a%4",     "/a%zz",       "/%00",        "/a%00b",
        "/a\x01",   "/a b",        "/a#b",        "/a\"",
        "/a\\b",    "/%c0%af",     "/%ff",        "/%0a",
        "/%7f",     "/a?b",        "/a?=b",       "/a?b=1&",
        "/a?&b=1",  "/a?b=1&&c=2", "/a?b=1&b=2",  "/a?b=1&%62=2",
        "/a?b=%00", "/a?%00=b",    "/a?b=%e2%82", "/1/2/3/4/5/6/7/8/9",
    };
    struct target t;
    se_error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (read_target(&t, cases[i], &err) != SE_ERR_FORMAT)
            fail_msg("'%s' is taken", cases[i]);
        assert_true(!t.text && !t.segment_count && !t.query_count);
    }
}

static void long_targets_are_refused(void **state)
{
    AUTO(writer) w = { 0 };
    struct target t;
    se_error err;

    (void)state;
    writer_text(&w, "/");
    for (size_t i = 1; i < 4096; i++)
        writer_text(&w, "a");
    assert_status(SE_OK, read_target(&t, writer_string(&w), &err), &err);
    target_free(&t);
    writer_text(&w, "a");
    assert_status(SE_ERR_FORMAT, read_target(&t, writer_string(&w), &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_split_before_they_are_decoded),
        cmocka_unit_test(dots_are_names),
        cmocka_unit_test(variables_are_not_empty),
        cmocka_unit_test(queries_have_names_and_values),
        cmocka_unit_test(a_parameter_can_be_added),
        cmocka_unit_test(refused_targets_leave_nothing),
        cmocka_unit_test(long_targets_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
