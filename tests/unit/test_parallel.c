/* SPDX-License-Identifier: Apache-2.0 */
/* Work on many pieces, by several threads. */
#include "base/parallel.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/timed_call.h"
#include "tests/unit/unit.h"

enum { PIECES = 1000 };

struct work {
    atomic_int seen[PIECES];
    atomic_int together, most; /* threads at it */
    unsigned wait_for;
    atomic_int timed;
};

static void see_pieces(void *arg, size_t from, size_t to)
{
    struct work *w = arg;
    int now = atomic_fetch_add(&w->together, 1) + 1;

    /* until all are there that are to come */
    for (int i = 0; i < 5000 && atomic_load(&w->most) < (int)w->wait_for; i++) {
        const struct timespec moment = { 0, 1000000 };

        if (now > atomic_load(&w->most))
            atomic_store(&w->most, now);
        nanosleep(&moment, NULL);
        now = atomic_load(&w->together);
    }
    if (timed_call_inside())
        atomic_fetch_add(&w->timed, 1);
    for (size_t i = from; i < to; i++)
        atomic_fetch_add(&w->seen[i], 1);
}

static struct work *work_new(unsigned wait_for)
{
    struct work *w = calloc(1, sizeof *w);

    assert_non_null(w);
    w->wait_for = wait_for;
    return w;
}

static void assert_seen(const struct work *w, size_t count)
{
    for (size_t i = 0; i < PIECES; i++)
        assert_int_equal(w->seen[i], i < count);
}

static struct work *work_done(size_t count, size_t slice, unsigned threads, unsigned wait_for)
{
    struct work *w = work_new(wait_for);
    const struct parallel_job job = {
        .count = count, .slice = slice, .threads = threads, .run = see_pieces, .arg = w
    };

    parallel_run(&job);
    assert_seen(w, count);
    assert_int_equal(w->timed, 0);
    return w;
}

static void each_piece_is_worked_on_once(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 9; threads += 4)
        for (size_t slice = 1; slice <= PIECES + 1; slice += 111) {
            free(work_done(0, slice, threads, 0));
            free(work_done(1, slice, threads, 0));
            free(work_done(PIECES - 1, slice, threads, 0));
            free(work_done(PIECES, slice, threads, 0));
        }
}

static void so_many_threads_work(void **state)
{
    (void)state;
    for (unsigned threads = 2; threads <= 8; threads *= 2) {
        struct work *w = work_done(8, 1, threads, threads);

        assert_int_equal(w->most, threads);
        free(w);
    }
}

static void run_four(void *arg)
{
    const struct parallel_job job = {
        .count = 4, .slice = 1, .threads = 4, .run = see_pieces, .arg = arg
    };

    parallel_run(&job);
}

/* Where a call with a deadline does it, that call's thread is inside it, and the others are not. */
static void a_timed_call_may_have_helpers(void **state)
{
    static const struct timed_call call = { run_four, free };
    struct work *w = work_new(4);

    (void)state;
    assert_int_equal(timed_call_run(&call, w, 60000), TIMED_CALL_DONE);
    assert_seen(w, 4);
    assert_int_equal(w->timed, 1);
    free(w);
    assert_false(timed_call_inside());
}

static void small_pieces_are_worth_some_threads(void **state)
{
    struct parallel_job job = parallel_small_pieces(10, 10, 8);

    (void)state;
    assert_int_equal(job.threads, 1);
    assert_true(job.slice >= 10);
    job = parallel_small_pieces(1000, 1000, 8);
    assert_in_range(job.threads, 2, 8);
    assert_true(job.slice * job.threads >= 1000);
    job = parallel_small_pieces(1000000, 1000000, 3);
    assert_int_equal(job.threads, 3);
    assert_true(job.slice * job.threads >= 1000000);
    job = parallel_small_pieces(0, 0, 0);
    assert_int_equal(job.threads, 1);
    assert_true(job.slice > 0);
    assert_true(parallel_threads(0) >= 1);
    assert_int_equal(parallel_threads(7), 7);
}

static void the_first_failure_counts(void **state)
{
    struct first_failure first;
    se_error err = SE_ERROR_INIT, none = SE_ERROR_INIT, why = SE_ERROR_INIT;

    (void)state;
    first_failure_init(&first);
    first_failure_note(&first, 3, &none);
    assert_false(first_failure_has(&first, &why));
    assert_int_equal(first_failure_report(&first, "piece", &err), SE_OK);
    (void)error_set(&why, SE_ERR_IO, "seventh");
    first_failure_note(&first, 7, &why);
    why = none;
    (void)error_set(&why, SE_ERR_KEY, "first");
    first_failure_note(&first, 0, &why);
    why = none;
    (void)error_set(&why, SE_ERR_FORMAT, "third");
    first_failure_note(&first, 2, &why);
    assert_true(first_failure_has(&first, &why));
    assert_int_equal(why.status, SE_ERR_KEY);
    assert_int_equal(first_failure_report(&first, "piece", &err), SE_ERR_KEY);
    assert_string_equal(err.text, "piece 1: first");
    first_failure_free(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_piece_is_worked_on_once),
        cmocka_unit_test(so_many_threads_work),
        cmocka_unit_test(a_timed_call_may_have_helpers),
        cmocka_unit_test(small_pieces_are_worth_some_threads),
        cmocka_unit_test(the_first_failure_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
