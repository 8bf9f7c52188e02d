/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random faults and harms while threads sign and decrypt.  $CAMPAIGN_SEED, or a seed of its own,
 * decides about everything but the order of the threads; $CAMPAIGN_ROUNDS is how long it takes:
 * about a second each (campaign.sh runs it for long).
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/timed_call.h"
#include "tests/token/control.h"
#include "tests/token/works.h"

enum {
    THREADS = 6,
    ROUNDS = 8,
    ROUND_MS = 700,
    DEADLINE_S = 2,
    CALL_MS = DEADLINE_S * 1000 + 1000
};

static struct shim *shim;
static struct faults *faults;
static struct keyref *refs[WORKS];
static struct key *keys[WORKS];
static unsigned seed;
static bool stop;

/*
 * Twice the same kind of refusal, while the token decrypts what is known, is taken for a blob that
 * does not decrypt (decrypt.c): faults that strike that way are rare.
 */
static unsigned good, rejected;

static unsigned number_from(const char *variable, unsigned otherwise)
{
    const char *text = getenv(variable);

    return text && *text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static unsigned draw(unsigned below)
{
    return (unsigned)rand_r(&seed) % below;
}

/* What makes a round different from the others. */
struct round {
    unsigned one_in, sessions;
    bool harms, refuses;
    double latency_ms;
    int hangs; /* a call, or -1 */
};

static struct round draw_round(void)
{
    static const unsigned rates[] = { 300, 50, 10, 3 };
    static const int hanging[] = { AT_SIGN,  AT_DECRYPT, AT_OPEN_SESSION,
                                   AT_LOGIN, AT_FIND,    AT_ATTRIBUTES };

    return (struct round){
        .one_in = rates[draw(4)],
        .sessions = draw(3) ? 0 : 2 + draw(THREADS),
        .harms = draw(2),
        .refuses = !draw(3),
        .latency_ms = draw(2) * draw(30) / 10.0,
        .hangs = draw(4) ? -1 : hanging[draw(6)],
    };
}

static void set_sessions(unsigned most)
{
    pthread_mutex_lock(&shim->lock);
    shim->given_sessions = most;
    pthread_mutex_unlock(&shim->lock);
}

static void set_refusal(CK_RV rv)
{
    pthread_mutex_lock(&faults->lock);
    faults->refused[0].mechanism = CKM_RSA_PKCS_OAEP;
    faults->refused[0].rv = rv;
    pthread_mutex_unlock(&faults->lock);
}

static void begin_round(const struct round *r)
{
    struct fault slow = { .call = draw(2) ? AT_SIGN : AT_DECRYPT,
                          .first = 1,
                          .times = 1000000,
                          .sleep_ms = r->latency_ms };
    struct fault hang = {
        .call = (enum fault_call)r->hangs, .first = 1 + draw(20), .times = 1, .hang = true
    };

    print_message("one of %u calls%s, %.1f ms, sessions: %u, OAEP %s, hangs: %d\n", r->one_in,
                  r->harms ? " with harm" : "", r->latency_ms, r->sessions,
                  r->refuses ? "refused" : "taken", r->hangs);
    set_faults(faults, &slow, r->hangs < 0 ? NULL : &hang);
    set_sessions(r->sessions);
    set_refusal(r->refuses ? CKR_MECHANISM_PARAM_INVALID : CKR_OK);
    set_random(faults, r->one_in, r->harms, draw(1000000));
}

/* Sessions stay limited and OAEP refused: that is how some tokens are. */
static void end_round(void)
{
    set_random(faults, 0, false, 0);
    go_on(faults);
}

struct worker {
    pthread_t thread;
    unsigned number, good, rejected;
    int64_t slowest;
    se_error wrong;
};

static void *work(void *arg)
{
    struct worker *w = arg;

    for (unsigned n = w->number; !__atomic_load_n(&stop, __ATOMIC_RELAXED); n++) {
        const enum work what = n % WORKS;
        const int64_t begin = clock_monotonic_ms();
        se_error err;
        se_status st = work_do(keys[what], what, n * THREADS + w->number, &err);

        w->good += st == SE_OK;
        w->rejected += st == SE_ERR_REJECTED;
        if (st && st != SE_ERR_UNAVAILABLE && st != SE_ERR_REJECTED)
            w->wrong = err;
        if (clock_monotonic_ms() - begin > w->slowest)
            w->slowest = clock_monotonic_ms() - begin;
        if (st)
            usleep(500);
    }
    return NULL;
}

static void run_round(const struct round *r)
{
    struct worker workers[THREADS];

    __atomic_store_n(&stop, false, __ATOMIC_RELAXED);
    begin_round(r);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .number = i };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    usleep(ROUND_MS * 1000);
    end_round();
    for (enum work w = 0; w < WORKS; w++)
        becomes_healthy(keys[w], w);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_status(SE_OK, workers[i].wrong.status, &workers[i].wrong);
        assert_true(workers[i].slowest < CALL_MS);
        good += workers[i].good;
        rejected += workers[i].rejected;
    }
}

static void open_keys(void)
{
    for (enum work w = 0; w < WORKS; w++)
        keys[w] = opens(refs[w], work_part(w));
}

/* With faults, which nobody hears of. */
static void close_keys(void)
{
    set_random(faults, 3, false, draw(1000000));
    for (enum work w = 0; w < WORKS; w++)
        key_unref(keys[w]);
    set_random(faults, 0, false, 0);
    assert_int_equal(shim->sessions, 0);
}

/* So little happened that it says nothing: a sanitizer on a busy machine is slow. */
static bool said_little(void)
{
    return good <= 100 || faults_drawn(faults) <= 100;
}

static void random_faults_under_threads(void **state)
{
    const unsigned rounds = number_from("CAMPAIGN_ROUNDS", ROUNDS);

    (void)state;
    seed = number_from("CAMPAIGN_SEED", 20261121);
    print_message("CAMPAIGN_SEED=%u\n", seed);
    (void)work_ref_fresh(&shim, &faults, WORK_SIGN);
    for (enum work w = 0; w < WORKS; w++) {
        refs[w] = work_ref(w);
        refs[w]->deadline = DEADLINE_S;
    }
    for (unsigned i = 0; i < rounds || (said_little() && i < 10 * rounds); i++) {
        const struct round r = draw_round();

        open_keys();
        run_round(&r);
        close_keys();
    }
    print_message("%u good results, %u rejected, %u random faults\n", good, rejected,
                  faults_drawn(faults));
    assert_true(rejected <= 2 + good / 100);
    assert_false(said_little());
    assert_int_equal(timed_call_late_count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(random_faults_under_threads) };

    return cmocka_run_group_tests(tests, works_fill, works_drop);
}
