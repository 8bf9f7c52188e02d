/* SPDX-License-Identifier: Apache-2.0 */
/* A token behind `p11-kit server`, which is killed and started again while 8 threads sign. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/token/fixture.h"
#include "tests/token/server.h"

enum {
    THREADS = 8,
    KILLS = 20,
    START_MS = 5000,
    BACK_MS = 1000,
    CALL_MS = 5000,
    SHORT_MS = 40,
    LONG_MS = 3000
};

#define CLIENT "p11-kit-client"

static struct server server = { "lab", 0 };

/* The token has the PIN of the fixture, and the server the configuration of its SoftHSM. */
static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "a", "ec:P-256", "01");
    server_needed();
    server_address(&server);
    return 0;
}

struct worker {
    pthread_t thread;
    struct key *key;
    unsigned seed;
    unsigned good, away; /* atomic */
    bool *stop;
    int64_t slowest;
    se_error wrong; /* neither */
};

static void *work(void *arg)
{
    struct worker *w = arg;

    for (unsigned n = 0; !__atomic_load_n(w->stop, __ATOMIC_RELAXED); n++) {
        int64_t begin = clock_monotonic_ms();
        se_error err;
        se_status st = sign_and_verify(w->key, w->seed * 1000 + n, &err);

        __atomic_add_fetch(&w->good, st == SE_OK, __ATOMIC_RELAXED);
        __atomic_add_fetch(&w->away, st == SE_ERR_UNAVAILABLE, __ATOMIC_RELAXED);
        if (st && st != SE_ERR_UNAVAILABLE)
            w->wrong = err;
        if (clock_monotonic_ms() - begin > w->slowest)
            w->slowest = clock_monotonic_ms() - begin;
        usleep(st ? 1000 : 0);
    }
    return NULL;
}

static void start(struct worker workers[THREADS], struct key *key, bool *stop)
{
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .key = key, .seed = i, .stop = stop };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
}

static void finish(struct worker workers[THREADS], bool *stop)
{
    int64_t slowest = 0;

    __atomic_store_n(stop, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_status(SE_OK, workers[i].wrong.status, &workers[i].wrong);
        slowest = workers[i].slowest > slowest ? workers[i].slowest : slowest;
    }
    print_message("the slowest call took %d ms\n", (int)slowest);
    assert_true(slowest < CALL_MS);
}

/* All workers, `more` signatures each, or refusals. */
static bool have_done(struct worker workers[THREADS], const unsigned before[THREADS], bool good,
                      unsigned more)
{
    bool all = true;

    for (unsigned i = 0; i < THREADS; i++)
        all = all && __atomic_load_n(good ? &workers[i].good : &workers[i].away,
                                     __ATOMIC_RELAXED) >= before[i] + more;
    return all;
}

static void count(unsigned out[THREADS], struct worker workers[THREADS], bool good)
{
    for (unsigned i = 0; i < THREADS; i++)
        out[i] = __atomic_load_n(good ? &workers[i].good : &workers[i].away, __ATOMIC_RELAXED);
}

/* How long it takes until all threads sign again: one signature may have been under way.  At most
 * `most`. */
static int64_t until_all(struct worker workers[THREADS], bool good, unsigned more, int64_t most)
{
    int64_t begin = clock_monotonic_ms();
    unsigned before[THREADS];

    count(before, workers, good);
    while (!have_done(workers, before, good, more) && clock_monotonic_ms() - begin < most)
        usleep(1000);
    return clock_monotonic_ms() - begin;
}

/* valgrind is slow */
static int64_t time_factor(void)
{
    const char *factor = getenv("TIME_FACTOR");

    return factor ? atoi(factor) : 1;
}

/* The bar is for the first signature after the server's return. */
static int64_t goes_on(struct key *key)
{
    int64_t begin = clock_monotonic_ms(), took;
    se_error err;
    se_status st;

    while ((st = sign_and_verify(key, 7, &err)) && clock_monotonic_ms() - begin < CALL_MS)
        usleep(1000);
    took = clock_monotonic_ms() - begin;
    assert_status(SE_OK, st, &err);
    if (took > BACK_MS * time_factor())
        fail_msg("signing went on after %d ms", (int)took);
    return took;
}

static void a_server_that_comes_and_goes(void **state)
{
    static struct worker workers[THREADS];
    static bool stop;
    int64_t longest = 0;
    struct keyref *ref = ref_to("lab", "a");
    struct key *key;

    (void)state;
    ref->location = CLIENT;
    refuses(SE_ERR_UNAVAILABLE, ref, PART_SIGN, "no slot of ", NULL);
    server_start(&server);
    key = opens(ref, PART_SIGN);
    start(workers, key, &stop);
    for (int i = 0; i < KILLS; i++) {
        int64_t took;

        assert_true(until_all(workers, true, 3, CALL_MS) < CALL_MS);
        server_kill(&server);
        /* found out by all, or only by the next call that hits the new server */
        if (i % 2)
            assert_true(until_all(workers, false, 2, CALL_MS) < CALL_MS);
        /* the last time until the pauses between two probes are at their longest */
        usleep((unsigned)(i == KILLS - 1 ? LONG_MS : i * SHORT_MS) * 1000);
        server_start(&server);
        took = goes_on(key);
        longest = took > longest ? took : longest;
    }
    finish(workers, &stop);
    print_message("signing went on after at most %d ms\n", (int)longest);
    key_unref(key);
    server_kill(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_comes_and_goes),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
