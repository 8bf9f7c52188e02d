/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timed_call.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "tests/unit/unit.h"

/* What a timed call works on; `hold` keeps it from returning. */
struct call {
    sem_t *hold;
    pthread_t thread;
    unsigned runs;
    sem_t began, released;

    struct call *inner;      /* that it makes */
    enum timed_call_end end; /* of that */
};

static void run(void *arg)
{
    struct call *call = arg;

    call->thread = pthread_self();
    call->runs++;
    if (call->hold)
        sem_post(&call->began);
    while (call->hold && sem_wait(call->hold))
        ;
}

static void release(void *arg)
{
    struct call *call = arg;

    sem_post(&call->released);
}

static const struct timed_call plain = { run, release };

static long elapsed_ms(const struct timespec *since)
{
    struct timespec now = deadline_in(0);

    return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

static void a_call_runs_on_another_thread_and_is_the_callers_again(void **state)
{
    struct call call = { NULL };

    (void)state;
    sem_init(&call.released, 0, 0);
    assert_int_equal(timed_call_run(&plain, &call, 1000), TIMED_CALL_DONE);
    assert_int_equal(call.runs, 1);
    assert_false(pthread_equal(call.thread, pthread_self()));
    assert_int_equal(sem_trywait(&call.released), -1);
}

static void calls_one_after_the_other_take_the_same_worker(void **state)
{
    struct call first = { NULL }, second = { NULL };

    (void)state;
    assert_int_equal(timed_call_run(&plain, &first, 1000), TIMED_CALL_DONE);
    assert_int_equal(timed_call_run(&plain, &second, 1000), TIMED_CALL_DONE);
    assert_true(pthread_equal(first.thread, second.thread));
}

static void a_call_that_does_not_return_is_left_at_the_deadline(void **state)
{
    const struct timespec begun = deadline_in(0);
    struct call call = { NULL }, other = { NULL };
    sem_t hold;

    (void)state;
    sem_init(&hold, 0, 0);
    sem_init(&call.began, 0, 0);
    sem_init(&call.released, 0, 0);
    call.hold = &hold;
    assert_int_equal(timed_call_run(&plain, &call, 100), TIMED_CALL_LATE);
    assert_in_range(elapsed_ms(&begun), 95, 5000);
    assert_int_equal(timed_call_late_count(), 1);
    assert_int_equal(sem_trywait(&call.released), -1);
    assert_int_equal(sem_wait(&call.began), 0);

    /* others have workers of their own */
    assert_int_equal(timed_call_run(&plain, &other, 1000), TIMED_CALL_DONE);
    assert_false(pthread_equal(other.thread, call.thread));

    sem_post(&hold);
    assert_int_equal(sem_wait(&call.released), 0);
    while (timed_call_late_count())
        usleep(1000);
    assert_int_equal(call.runs, 1);
}

static void run_nested(void *arg)
{
    struct call *outer = arg;

    run(outer);
    outer->end = timed_call_run(&plain, outer->inner, 0);
}

static void a_caller_that_goes_before_the_call_begins_misses_nothing(void **state)
{
    struct call calls[100];

    (void)state;
    memset(calls, 0, sizeof calls);
    for (size_t i = 0; i < 100; i++) {
        sem_init(&calls[i].released, 0, 0);
        if (timed_call_run(&plain, &calls[i], 0) == TIMED_CALL_LATE)
            assert_int_equal(sem_wait(&calls[i].released), 0);
        assert_int_equal(calls[i].runs, 1);
    }
    while (timed_call_late_count())
        usleep(1000);
}

static void a_timed_call_inside_another_is_plainly_called(void **state)
{
    static const struct timed_call nested = { run_nested, release };
    struct call inner = { NULL }, outer = { .inner = &inner };

    (void)state;
    assert_int_equal(timed_call_run(&nested, &outer, 1000), TIMED_CALL_DONE);
    assert_int_equal(outer.end, TIMED_CALL_DONE);
    assert_int_equal(inner.runs, 1);
    assert_true(pthread_equal(inner.thread, outer.thread));
}

static void write_to_nobody(void *arg)
{
    int ends[2];

    if (pipe(ends))
        return;
    close(ends[0]);
    *(bool *)arg = write(ends[1], "", 1) < 0;
    close(ends[1]);
}

static void a_broken_pipe_does_not_end_the_process(void **state)
{
    static const struct timed_call writing = { write_to_nobody, release };
    bool failed = false;

    (void)state;
    assert_int_equal(timed_call_run(&writing, &failed, 1000), TIMED_CALL_DONE);
    assert_true(failed);
}

static void *call_often(void *arg)
{
    size_t *good = arg;

    for (int i = 0; i < 500; i++) {
        struct call call = { NULL };

        *good += timed_call_run(&plain, &call, 10000) == TIMED_CALL_DONE && call.runs == 1;
    }
    return NULL;
}

static void threads_do_not_get_each_others_results(void **state)
{
    pthread_t threads[8];
    size_t good[8] = { 0 };

    (void)state;
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &good[i]), 0);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(good[i], 500);
    }
}

/* Short deadlines meet calls that take about as long: whoever comes first, each call is released
 * exactly once. */
static void run_briefly(void *arg)
{
    struct call *call = arg;

    call->runs++;
    usleep(1000);
}

static void a_deadline_that_meets_the_end_counts_once(void **state)
{
    static const struct timed_call brief = { run_briefly, release };
    struct call calls[200];
    size_t late = 0;

    (void)state;
    memset(calls, 0, sizeof calls);
    for (size_t i = 0; i < 200; i++) {
        sem_init(&calls[i].released, 0, 0);
        if (timed_call_run(&brief, &calls[i], 1) == TIMED_CALL_DONE)
            assert_int_equal(sem_trywait(&calls[i].released), -1);
        else {
            late++;
            assert_int_equal(sem_wait(&calls[i].released), 0);
        }
        assert_int_equal(calls[i].runs, 1);
    }
    assert_in_range(late, 0, 200);
    while (timed_call_late_count())
        usleep(1000);
}

static void the_child_of_a_fork_has_workers_of_its_own(void **state)
{
    struct call call = { NULL };
    int status;
    pid_t child;

    (void)state;
    assert_int_equal(timed_call_run(&plain, &call, 1000), TIMED_CALL_DONE);
    if (!(child = fork())) {
        struct call own = { NULL };

        _exit(timed_call_run(&plain, &own, 10000) == TIMED_CALL_DONE && own.runs == 1 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_runs_on_another_thread_and_is_the_callers_again),
        cmocka_unit_test(calls_one_after_the_other_take_the_same_worker),
        cmocka_unit_test(a_call_that_does_not_return_is_left_at_the_deadline),
        cmocka_unit_test(a_caller_that_goes_before_the_call_begins_misses_nothing),
        cmocka_unit_test(a_timed_call_inside_another_is_plainly_called),
        cmocka_unit_test(a_broken_pipe_does_not_end_the_process),
        cmocka_unit_test(threads_do_not_get_each_others_results),
        cmocka_unit_test(a_deadline_that_meets_the_end_counts_once),
        cmocka_unit_test(the_child_of_a_fork_has_workers_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
