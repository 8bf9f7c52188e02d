/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "daemon/limits.h"
#include "tests/unit/unit.h"

static const struct limit five = { "few", "uid:1", 5 };

static bool takes(struct limits *limits, const struct limit *limit, uint64_t items, int64_t second)
{
    se_error err = SE_ERROR_INIT;
    unsigned wait_s;
    se_status st = limits_take(&wait_s, limits, limit, items, second * 1000, &err);

    assert_true(!st || (st == SE_ERR_POLICY && wait_s > 0));
    return !st;
}

static int make_limits(void **state)
{
    return limits_new((struct limits **)state, NULL) != SE_OK;
}

static int drop_limits(void **state)
{
    limits_free(*state);
    return 0;
}

static void at_most_so_many_in_any_minute(void **state)
{
    struct limits *l = *state;

    for (int i = 0; i < 5; i++)
        assert_true(takes(l, &five, 1, 100 + i));
    assert_false(takes(l, &five, 1, 104));
    /* the first was at any time within second 100: it may still lie within the last minute */
    assert_false(takes(l, &five, 1, 160));
    assert_true(takes(l, &five, 1, 161));
    assert_false(takes(l, &five, 1, 161));
    assert_true(takes(l, &five, 1, 162));
    assert_true(takes(l, &five, 5, 1000));
    assert_false(takes(l, &five, 1, 1000));
}

static void all_or_nothing(void **state)
{
    struct limits *l = *state;

    assert_false(takes(l, &five, 6, 7));
    assert_true(takes(l, &five, 3, 7));
    assert_false(takes(l, &five, 3, 7));
    assert_true(takes(l, &five, 2, 7));
    assert_false(takes(l, &five, UINT64_MAX, 7));
    limits_give(l, &five, 2, 7000);
    assert_true(takes(l, &five, 2, 7));
    assert_false(takes(l, &five, 1, 7));
}

static void each_row_and_caller_has_its_own(void **state)
{
    static const struct limit other_row = { "many", "uid:1", 5 },
                              other_caller = { "few", "uid:2", 5 }, joined = { "fewuid:1", "", 5 };
    struct limits *l = *state;

    assert_true(takes(l, &five, 5, 7));
    assert_true(takes(l, &other_row, 5, 7));
    assert_true(takes(l, &other_caller, 5, 7));
    assert_true(takes(l, &joined, 5, 7));
    assert_false(takes(l, &five, 1, 7));
}

static void without_a_limit_nothing_is_counted(void **state)
{
    static const struct limit none = { "few", "uid:1", 0 };

    assert_true(takes(*state, &none, UINT64_MAX, 7));
    assert_true(takes(*state, &none, UINT64_MAX, 7));
}

static void the_wait_is_until_the_oldest_is_over(void **state)
{
    struct limits *l = *state;
    unsigned wait_s;

    assert_true(takes(l, &five, 1, 100));
    assert_true(takes(l, &five, 4, 130));
    assert_int_equal(limits_take(&wait_s, l, &five, 1, 140000, NULL), SE_ERR_POLICY);
    assert_int_equal(wait_s, 21);
    assert_true(takes(l, &five, 1, 161));
}

/* The bound holds whatever comes when; a plain list of all times is the judge. */
static void random_uses_keep_the_bound(void **state)
{
    enum { ROUNDS = 3000 };
    static int64_t taken[ROUNDS];
    struct limits *l = *state;
    uint32_t dice = 1;
    int64_t now = 50000;
    size_t count = 0;

    for (size_t i = 0; i < ROUNDS; i++) {
        unsigned wait_s, within = 0;

        dice = dice * 1664525u + 1013904223u;
        now += dice >> 18; /* up to 16 s, in milliseconds */
        for (size_t k = 0; k < count; k++)
            within += now - taken[k] < 60000;
        if (limits_take(&wait_s, l, &five, 1, now, NULL) == SE_OK) {
            assert_true(within < 5);
            taken[count++] = now;
        }
    }
    assert_true(count > ROUNDS / 4);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_limits, drop_limits)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(at_most_so_many_in_any_minute),        TEST(all_or_nothing),
        TEST(each_row_and_caller_has_its_own),      TEST(without_a_limit_nothing_is_counted),
        TEST(the_wait_is_until_the_oldest_is_over), TEST(random_uses_keep_the_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
