/* SPDX-License-Identifier: Apache-2.0 */
/* Option structs grow: what an older or a newer program hands over is understood, or refused. */
#include <string.h>

#include "base/arguments.h"
#include "tests/unit/unit.h"

struct today {
    size_t size;
    int number;
    const char *text;
};
struct yesterday {
    size_t size;
    int number;
};
struct tomorrow {
    struct today today;
    bool more;
    const char *name;
};

static void defaults_are_zero(void **state)
{
    struct today got = { 1, 2, "3" };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, arguments_options(&got, NULL, struct today, &err), &err);
    assert_int_equal(got.size, sizeof got);
    assert_int_equal(got.number, 0);
    assert_null(got.text);
}

static void older_structs_say_less(void **state)
{
    struct today got = { 1, 2, "3" };
    const struct yesterday given = { sizeof given, 7 };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, arguments_options(&got, &given, struct today, &err), &err);
    assert_int_equal(got.size, sizeof got);
    assert_int_equal(got.number, 7);
    assert_null(got.text);
}

static void newer_structs_may_not_say_more(void **state)
{
    struct today got;
    struct tomorrow given;
    se_error err = SE_ERROR_INIT;

    (void)state;
    memset(&given, 0, sizeof given);
    given.today = (struct today){ sizeof given, 7, "text" };
    assert_status(SE_OK, arguments_options(&got, &given, struct today, &err), &err);
    assert_int_equal(got.size, sizeof got);
    assert_int_equal(got.number, 7);
    assert_string_equal(got.text, "text");
    given.name = "x";
    assert_status(SE_ERR_USAGE, arguments_options(&got, &given, struct today, &err), &err);
    assert_non_null(strstr(err.text, "struct today of "));
    assert_int_equal(got.number, 0);
}

static void a_size_is_needed(void **state)
{
    struct today got;
    const struct today given = { 0, 7, "text" };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_USAGE, arguments_options(&got, &given, struct today, &err), &err);
    assert_non_null(strstr(err.text, "its size is not set"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_zero),
        cmocka_unit_test(older_structs_say_less),
        cmocka_unit_test(newer_structs_may_not_say_more),
        cmocka_unit_test(a_size_is_needed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
