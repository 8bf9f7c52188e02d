/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/jobs.h"
#include "tests/unit/unit.h"

enum { SOON_MS = 50, LONG_MS = 60000 };

/* A job that counts. */
struct counted {
    struct job job;
    unsigned *done;
};

static void count_job(struct job *job)
{
    (void)__atomic_add_fetch(((struct counted *)job)->done, 1, __ATOMIC_RELAXED);
}

static struct jobs *start_jobs(unsigned threads, unsigned most)
{
    struct jobs *jobs;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, jobs_new(&jobs, threads, most, &err), &err);
    return jobs;
}

static void all_jobs_are_done_before_the_end(void **state)
{
    struct jobs *jobs = start_jobs(3, 100);
    struct counted list[100];
    unsigned done = 0;

    (void)state;
    for (size_t i = 0; i < 100; i++) {
        list[i] = (struct counted){ .job.run = count_job, .done = &done };
        assert_true(jobs_reserve(jobs));
        jobs_push(jobs, &list[i].job);
    }
    assert_true(jobs_finish(jobs, LONG_MS));
    assert_int_equal(done, 100);
    jobs_free(jobs);
}

static void no_more_wait_than_may(void **state)
{
    struct jobs *jobs = start_jobs(1, 2);
    struct counted list[2];
    unsigned done = 0;

    (void)state;
    assert_true(jobs_reserve(jobs));
    assert_true(jobs_reserve(jobs));
    assert_false(jobs_reserve(jobs));
    assert_int_equal(jobs_count(jobs).waiting, 2);
    for (size_t i = 0; i < 2; i++) {
        list[i] = (struct counted){ .job.run = count_job, .done = &done };
        jobs_push(jobs, &list[i].job);
    }
    assert_true(jobs_finish(jobs, LONG_MS));
    assert_int_equal(done, 2);
    jobs_free(jobs);
}

/* Its connection waits for it, and the HTTP library can't end before. */
static void a_reserved_place_gets_its_job_at_the_end_too(void **state)
{
    struct jobs *jobs = start_jobs(3, 2);
    struct counted last = { .job.run = count_job };
    unsigned done = 0;

    (void)state;
    last.done = &done;
    assert_true(jobs_reserve(jobs));
    assert_false(jobs_finish(jobs, SOON_MS));
    assert_false(jobs_reserve(jobs));
    jobs_push(jobs, &last.job);
    assert_true(jobs_finish(jobs, LONG_MS));
    assert_int_equal(done, 1);
    jobs_free(jobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_jobs_are_done_before_the_end),
        cmocka_unit_test(no_more_wait_than_may),
        cmocka_unit_test(a_reserved_place_gets_its_job_at_the_end_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
