/* SPDX-License-Identifier: Apache-2.0 */
/* Entries on several threads: each once, and none after one that failed or when somebody cancels.
 */
#include <stdatomic.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "zip/workers.h"

enum { ENTRIES = 50, FAILS_AT = 7 };

struct seen {
    atomic_uint entries, asked;
    bool fails, waits, cancels;
};

/* The test's own time limit is the limit of waiting. */
static se_status see_entry(void *arg, size_t index, struct worker *worker, se_error *err)
{
    struct seen *seen = arg;

    (void)worker;
    atomic_fetch_add(&seen->entries, 1);
    while (seen->waits && !atomic_load(&seen->asked))
        (void)usleep(100);
    return seen->fails && index >= FAILS_AT ? error_set(err, SE_ERR_FORMAT, "entry %zu", index)
                                            : SE_OK;
}

static bool see_progress(void *arg, uint64_t done, uint64_t total)
{
    struct seen *seen = arg;

    (void)done;
    (void)total;
    atomic_fetch_add(&seen->asked, 1);
    return !seen->cancels;
}

static se_status run(struct seen *seen, unsigned threads, se_error *err)
{
    static struct entry entries[ENTRIES];
    const struct archive archive = { .entries = entries, .count = ENTRIES };
    const struct workers_job job = {
        .archive = &archive,
        .entry = see_entry,
        .arg = seen,
        .threads = threads,
        .progress = see_progress,
        .progress_arg = seen,
    };

    return workers_run(&job, err);
}

static void every_entry_is_seen_once(void **state)
{
    (void)state;
    for (unsigned threads = 0; threads < 5; threads++) {
        struct seen seen = { .waits = threads == 2 };
        se_error err = SE_ERROR_INIT;

        assert_status(SE_OK, run(&seen, threads, &err), &err);
        assert_int_equal(seen.entries, ENTRIES);
    }
}

/* Of those that failed, the first one is told, whoever came first; each thread has one at the most.
 */
static void a_failing_entry_ends_it(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads < 5; threads++) {
        struct seen seen = { .fails = true };
        se_error err = SE_ERROR_INIT;

        assert_status(SE_ERR_FORMAT, run(&seen, threads, &err), &err);
        assert_string_equal(err.text, "entry 7");
        assert_in_range(seen.entries, FAILS_AT + 1, FAILS_AT + threads);
    }
}

static void cancelling_ends_it(void **state)
{
    struct seen seen = { .waits = true, .cancels = true };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_CANCELLED, run(&seen, 2, &err), &err);
    assert_string_equal(err.text, "cancelled after 0 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_is_seen_once),
        cmocka_unit_test(a_failing_entry_ends_it),
        cmocka_unit_test(cancelling_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
