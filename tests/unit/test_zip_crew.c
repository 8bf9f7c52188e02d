/* What is done beside the entries: together with them, once, and given up with them. */
#include <unistd.h>

#include "tests/unit/unit.h"
#include "zip/crew.h"

enum { ENTRIES = 50 };

struct seen {
    atomic_uint entries, beside, gave_up;
    bool entry_fails, entry_waits, beside_fails, beside_waits, cancels;
};

/* Waits for the other side to end the job; the test's own time limit is the limit. */
static se_status until(const atomic_bool *stopped, struct seen *seen, se_error *err)
{
    while (!atomic_load(stopped))
        (void)usleep(100);
    atomic_fetch_add(&seen->gave_up, 1);
    return error_set(err, SE_ERR_CANCELLED, "given up");
}

static se_status see_entry(void *arg, size_t index, struct worker *worker, se_error *err)
{
    struct seen *seen = arg;

    (void)worker;
    atomic_fetch_add(&seen->entries, 1);
    while (seen->entry_waits && !atomic_load(&seen->beside))
        (void)usleep(100);
    return seen->entry_fails && index == 7 ? error_set(err, SE_ERR_FORMAT, "entry 7") : SE_OK;
}

static se_status see_beside(void *arg, const atomic_bool *stopped, se_error *err)
{
    struct seen *seen = arg;

    atomic_fetch_add(&seen->beside, 1);
    if (seen->beside_fails)
        return error_set(err, SE_ERR_IO, "beside");
    return seen->beside_waits ? until(stopped, seen, err) : SE_OK;
}

static bool see_progress(void *arg, uint64_t done, uint64_t total)
{
    (void)done;
    (void)total;
    return !((struct seen *)arg)->cancels;
}

static se_status run(struct seen *seen, unsigned threads, se_error *err)
{
    static struct entry entries[ENTRIES];
    const struct archive archive = { .entries = entries, .count = ENTRIES };
    const struct crew_job job = { &archive, see_entry, see_beside, seen, threads, see_progress, seen };

    return crew_run(&job, err);
}

/* No entry ends before what is beside has begun. */
static void it_runs_once_and_together_with_the_entries(void **state)
{
    (void)state;
    for (unsigned threads = 0; threads < 5; threads++) {
        struct seen seen = { .entry_waits = true };
        se_error err = SE_ERROR_INIT;

        assert_status(SE_OK, run(&seen, threads, &err), &err);
        assert_int_equal(seen.entries, ENTRIES);
        assert_int_equal(seen.beside, 1);
    }
}

static void its_failure_ends_the_job(void **state)
{
    struct seen seen = { .entry_waits = true, .beside_fails = true };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_IO, run(&seen, 2, &err), &err);
    assert_string_equal(err.text, "beside");
    assert_in_range(seen.entries, 1, ENTRIES);
}

static void a_failing_entry_ends_it(void **state)
{
    struct seen seen = { .entry_fails = true, .beside_waits = true };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_FORMAT, run(&seen, 2, &err), &err);
    assert_string_equal(err.text, "entry 7");
    assert_int_equal(seen.gave_up, 1);
}

/* After the last entry, too, somebody is asked. */
static void cancelling_ends_it(void **state)
{
    struct seen seen = { .beside_waits = true, .cancels = true };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_CANCELLED, run(&seen, 2, &err), &err);
    assert_int_equal(seen.entries, ENTRIES);
    assert_int_equal(seen.gave_up, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_runs_once_and_together_with_the_entries),
        cmocka_unit_test(its_failure_ends_the_job),
        cmocka_unit_test(a_failing_entry_ends_it),
        cmocka_unit_test(cancelling_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
