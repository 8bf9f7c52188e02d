/* SPDX-License-Identifier: Apache-2.0 */
/* The circuit breaker, with a clock of the test's own. */
#include "base/breaker.h"
#include "base/clock.h"
#include "tests/unit/unit.h"

static void closed_lets_everybody_through(void **state)
{
    struct breaker b = { 0 };

    (void)state;
    for (int64_t now = 0; now < 10; now++)
        assert_int_equal(breaker_ask(&b, now), BREAKER_GO);
    assert_false(breaker_healed(&b));
}

static void open_lets_one_through_after_a_pause(void **state)
{
    struct breaker b = { 0 };

    (void)state;
    assert_true(breaker_failed(&b, BREAKER_GO, 1000));
    assert_in_range(b.next, 1000 + BREAKER_FIRST_MS / 2, 1000 + BREAKER_FIRST_MS);
    assert_int_equal(breaker_ask(&b, b.next - 1), BREAKER_WAIT);
    assert_int_equal(breaker_ask(&b, b.next), BREAKER_PROBE);
    assert_int_equal(breaker_ask(&b, b.next), BREAKER_WAIT);
    assert_int_equal(breaker_ask(&b, b.next + 100000), BREAKER_WAIT);
    assert_true(breaker_healed(&b));
    assert_int_equal(breaker_ask(&b, b.next), BREAKER_GO);
}

/* What was under way when the breaker opened must not push the next probe away. */
static void only_the_prober_has_news(void **state)
{
    struct breaker b = { 0 };
    int64_t next;

    (void)state;
    assert_true(breaker_failed(&b, BREAKER_GO, 0));
    next = b.next;
    assert_false(breaker_failed(&b, BREAKER_GO, 50));
    assert_int_equal(b.next, next);
    assert_int_equal(breaker_ask(&b, next), BREAKER_PROBE);
    assert_false(breaker_failed(&b, BREAKER_GO, next));
    assert_int_equal(breaker_ask(&b, next + 100000), BREAKER_WAIT);
    assert_false(breaker_failed(&b, BREAKER_PROBE, next));
    assert_true(b.next > next);
}

static void pauses_double_up_to_half_a_second(void **state)
{
    static const int64_t steps[] = { 100, 200, 400, 500, 500, 500 };
    struct breaker b = { 0 };
    enum breaker_leave leave = BREAKER_GO;
    int64_t now = 77;

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            (void)breaker_failed(&b, leave, now);
            assert_in_range(b.next - now, steps[i] / 2, steps[i]);
            now = b.next;
            assert_int_equal(leave = breaker_ask(&b, now), BREAKER_PROBE);
        }
        assert_true(breaker_healed(&b));
        leave = BREAKER_GO;
    }
    for (int i = 0; i < 1000; i++) {
        (void)breaker_failed(&b, BREAKER_PROBE, now);
        assert_true(b.next - now <= BREAKER_MOST_MS);
    }
}

static void two_breakers_do_not_keep_step(void **state)
{
    struct breaker a = { 0 }, b = { 0 };
    int same = 0;

    (void)state;
    for (int64_t now = 1; now < 2000; now += 100) {
        (void)breaker_failed(&a, BREAKER_PROBE, now);
        (void)breaker_failed(&b, BREAKER_PROBE, now + 7);
        same += a.next - now == b.next - now - 7;
    }
    assert_in_range(same, 0, 5);
}

static void the_clock_goes_forward(void **state)
{
    int64_t before = clock_monotonic_ms();

    (void)state;
    assert_true(before > 0);
    assert_true(clock_monotonic_ms() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_lets_everybody_through),
        cmocka_unit_test(open_lets_one_through_after_a_pause),
        cmocka_unit_test(only_the_prober_has_news),
        cmocka_unit_test(pauses_double_up_to_half_a_second),
        cmocka_unit_test(two_breakers_do_not_keep_step),
        cmocka_unit_test(the_clock_goes_forward),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
