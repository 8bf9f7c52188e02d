/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token whose device is taken away and given back under threads that sign, for shell tests:
 *   SHIM_MODULE, TOKEN_FOLDER, TOKEN_LABEL, TOKEN_PIN   as mechanisms.c has them; the key is `rsa`
 *   TOKEN_RESTART    a command that does it, and returns when the device serves again
 *   TOKEN_RESTARTS   how often
 * Prints for each how long it was until every thread had signed again.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/token/judge.h"

enum { THREADS = 4, HEALED_MS = 1000, PATIENCE_MS = 15000 };

struct worker {
    pthread_t thread;
    struct key *key;
    int64_t begun; /* atomic: of its last signature that was good */
    unsigned good, failed;
    se_error error;
};

static bool over;

static void *sign_on(void *arg)
{
    struct worker *w = arg;

    for (unsigned n = 0; !__atomic_load_n(&over, __ATOMIC_RELAXED); n++) {
        int64_t begun = clock_monotonic_ms();

        if (!sign_and_verify(w->key, n, &w->error)) {
            __atomic_store_n(&w->begun, begun, __ATOMIC_RELAXED);
            w->good++;
            continue;
        }
        w->failed++;
        assert_int_equal(w->error.status, SE_ERR_UNAVAILABLE);
        usleep(10000);
    }
    return NULL;
}

static bool all_signed_since(struct worker *workers, int64_t then)
{
    for (size_t i = 0; i < THREADS; i++)
        if (__atomic_load_n(&workers[i].begun, __ATOMIC_RELAXED) < then)
            return false;
    return true;
}

/* In milliseconds, from when the device serves again. */
static int64_t restart(struct worker *workers)
{
    int64_t then;

    usleep(300000);
    assert_int_equal(system(getenv("TOKEN_RESTART")), 0);
    then = clock_monotonic_ms();
    while (!all_signed_since(workers, then) && clock_monotonic_ms() - then < PATIENCE_MS)
        usleep(1000);
    return clock_monotonic_ms() - then;
}

static void a_device_that_comes_back_is_used_within_a_second(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, getenv("TOKEN_LABEL"), "rsa");
    struct worker workers[THREADS];
    struct key *key;
    unsigned late = 0;

    (void)state;
    ref_pin(ref, getenv("TOKEN_PIN"));
    key = opens(ref, PART_SIGN);
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .key = key };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, sign_on, &workers[i]), 0);
    }
    for (int i = 1; i <= atoi(getenv("TOKEN_RESTARTS")); i++) {
        int64_t took = restart(workers);

        printf("restart %d: every thread signs again after %ld ms\n", i, (long)took);
        late += took > HEALED_MS;
    }
    __atomic_store_n(&over, true, __ATOMIC_RELAXED);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        printf("restarts, thread %zu: %u signatures, %u failures\n", i, workers[i].good,
               workers[i].failed);
    }
    key_unref(key);
    assert_int_equal(late, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(
        a_device_that_comes_back_is_used_within_a_second) };

    return cmocka_run_group_tests(tests, fixture_given, fixture_release);
}
