/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metric.h"
#include "tests/unit/unit.h"

static const struct metric calls = {
    .name = "calls_total",
    .type = "counter",
    .help = "Calls.",
    .labels = { "user", "result" },
};
static const struct metric bare = { .name = "up", .type = "gauge", .help = "Whether it is up." };

static void assert_written(struct writer *w, const char *expected)
{
    assert_false(w->failed);
    assert_string_equal(writer_string(w), expected);
    writer_free(w);
}

static void a_family_begins_with_its_help_and_type(void **state)
{
    struct writer w = { 0 };

    (void)state;
    metric_begin(&w, &calls);
    assert_written(&w, "# HELP calls_total Calls.\n# TYPE calls_total counter\n");
}

static void labels_are_escaped_and_empty_ones_left_out(void **state)
{
    struct writer w = { 0 };

    (void)state;
    metric_put(&w, &calls, (const char *const[]){ "a", "ok" }, 7);
    metric_put(&w, &calls, (const char *const[]){ "\"a\\b\n", "" }, 0);
    metric_put(&w, &calls, (const char *const[]){ NULL, "ok" }, 1);
    metric_put(&w, &calls, (const char *const[]){ "", NULL }, 1);
    metric_put(&w, &bare, NULL, 1);
    assert_written(&w, "calls_total{user=\"a\",result=\"ok\"} 7\n"
                       "calls_total{user=\"\\\"a\\\\b\\n\"} 0\n"
                       "calls_total{result=\"ok\"} 1\n"
                       "calls_total 1\n"
                       "up 1\n");
}

static void whole_numbers_have_all_their_digits(void **state)
{
    struct writer w = { 0 };

    (void)state;
    metric_put(&w, &bare, NULL, 9007199254740991.0);
    metric_put(&w, &bare, NULL, -3);
    metric_put(&w, &bare, NULL, 0.25);
    metric_put(&w, &bare, NULL, 1e30);
    assert_written(&w, "up 9007199254740991\nup -3\nup 0.250000\n"
                       "up 1000000000000000019884624838656.000000\n");
}

static void buckets_add_up(void **state)
{
    const double bounds[] = { 0.0025, 1 };
    const uint64_t values[] = { 2, 0, 3 };
    const struct metric_buckets buckets = { bounds, values, 2, 12.5 };
    struct writer w = { 0 };

    (void)state;
    metric_put_histogram(&w, &calls, (const char *const[]){ "a", "ok" }, &buckets);
    metric_put_histogram(&w, &bare, NULL, &buckets);
    assert_written(&w, "calls_total_bucket{user=\"a\",result=\"ok\",le=\"0.0025\"} 2\n"
                       "calls_total_bucket{user=\"a\",result=\"ok\",le=\"1\"} 2\n"
                       "calls_total_bucket{user=\"a\",result=\"ok\",le=\"+Inf\"} 5\n"
                       "calls_total_sum{user=\"a\",result=\"ok\"} 12.500000\n"
                       "calls_total_count{user=\"a\",result=\"ok\"} 5\n"
                       "up_bucket{le=\"0.0025\"} 2\n"
                       "up_bucket{le=\"1\"} 2\n"
                       "up_bucket{le=\"+Inf\"} 5\n"
                       "up_sum 12.500000\n"
                       "up_count 5\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_family_begins_with_its_help_and_type),
        cmocka_unit_test(labels_are_escaped_and_empty_ones_left_out),
        cmocka_unit_test(whole_numbers_have_all_their_digits),
        cmocka_unit_test(buckets_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
