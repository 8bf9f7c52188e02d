/* Every fault at every call that the store makes, one at a time and in random sequences under threads. */
#include <pthread.h>
#include <unistd.h>

#include "base/breaker.h"
#include "tests/token/control.h"
#include "tests/token/fixture.h"

enum { THREADS = 6, CALL_MS = 5000 };

static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "a", "ec:P-256", "01");
    return 0;
}

static se_status sign_with(struct key *key, unsigned n, se_error *err)
{
    unsigned char hash[32] = { (unsigned char)n, (unsigned char)(n >> 8) };
    se_bytes hashed = { hash, sizeof hash };
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_status st;

    *err = (se_error)SE_ERROR_INIT;
    st = sign_hash(&signature, key, DIGEST_SHA256, 0, hashed, err);
    if (!st && !verify_hash(key, DIGEST_SHA256, 0, hashed, buf_bytes(&signature)))
        return error_set(err, SE_ERR_CRYPTO, "a wrong signature");
    return st;
}

/* Within a second. */
static void becomes_healthy(struct key *key)
{
    int64_t until = breaker_clock() + 1100;
    se_error err;
    se_status st;

    while ((st = sign_with(key, 3, &err)) && breaker_clock() < until)
        usleep(1000);
    assert_status(SE_OK, st, &err);
}

static void arm(struct faults *faults, enum fault_call call, unsigned at, CK_RV rv)
{
    /* a loss, so that everything is done anew and meets the first */
    set_faults(faults, &(struct fault){ .call = call, .first = at, .times = 1, .rv = rv },
               &(struct fault){ .call = AT_SIGN_INIT, .first = 1, .times = 1, .rv = CKR_SESSION_CLOSED, .harm = HARM_HANDLES });
}

/* False: the call was not made so often.  Now and then the pause of the breaker is waited for; else the key is opened anew. */
static bool while_healing(struct key **key, const struct keyref *ref, struct faults *faults, enum fault_call call, unsigned at, CK_RV rv)
{
    int64_t begin = breaker_clock();
    se_error err;
    se_status st;

    arm(faults, call, at, rv);
    st = sign_with(*key, at, &err);
    if (st != SE_OK && st != SE_ERR_UNAVAILABLE)
        fail_msg("%s: %s", se_status_name(st), err.text);
    assert_true(breaker_clock() - begin < CALL_MS);
    if (st && rv != CKR_DEVICE_ERROR) {
        key_unref(*key);
        *key = opens(ref, PART_SIGN);
    }
    becomes_healthy(*key);
    return faults->done[0] > 0;
}

static bool while_opening(const struct keyref *ref, struct faults *faults, enum fault_call call, unsigned at, CK_RV rv)
{
    se_error err = SE_ERROR_INIT;
    struct key *key;
    se_status st;
    bool done;

    arm(faults, call, at, rv);
    st = pkcs11_store.open(&key, ref, PART_SIGN, NULL, &err);
    if (st != SE_OK && st != SE_ERR_UNAVAILABLE && st != SE_ERR_STORE)
        fail_msg("%s: %s", se_status_name(st), err.text);
    done = faults->done[0] > 0;
    if (st)
        key = opens(ref, PART_SIGN);
    becomes_healthy(key);
    key_unref(key);
    return done;
}

/* All codes at the first call, and at each later one another. */
static void every_fault_at_every_call(void **state)
{
    struct shim *shim;
    struct faults *faults;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");
    struct key *key = opens(ref_through_faults(&faults, "lab", "a"), PART_SIGN);
    size_t codes = 0, cases = 0;

    (void)state;
    while (fault_codes[codes])
        codes++;
    for (int call = 0; call < FAULT_CALLS; call++) {
        for (size_t i = 0; i < codes; i++)
            cases += while_healing(&key, ref, faults, (enum fault_call)call, 1, fault_codes[i]);
        for (unsigned at = 2; while_healing(&key, ref, faults, (enum fault_call)call, at, fault_codes[at % codes]); at++)
            cases++;
    }
    assert_true(cases > 100);
    key_unref(key);
    assert_int_equal(shim->sessions, 0);
    for (int call = 0; call < FAULT_CALLS; call++)
        for (unsigned at = 1; while_opening(ref, faults, (enum fault_call)call, at, fault_codes[(at + (unsigned)call) % codes]); at++)
            cases++;
    assert_int_equal(shim->sessions, 0);
}

struct worker {
    pthread_t thread;
    struct key *key;
    unsigned seed, good;
    bool *stop;
    int64_t slowest;
    se_error wrong;
};

static void *work(void *arg)
{
    struct worker *w = arg;

    for (unsigned n = 0; !__atomic_load_n(w->stop, __ATOMIC_RELAXED); n++) {
        int64_t begin = breaker_clock();
        se_error err;
        se_status st = sign_with(w->key, w->seed * 1000 + n, &err);

        w->good += st == SE_OK;
        if (st && st != SE_ERR_UNAVAILABLE)
            w->wrong = err;
        if (breaker_clock() - begin > w->slowest)
            w->slowest = breaker_clock() - begin;
        if (st)
            usleep(500);
    }
    return NULL;
}

static void random_faults_under_threads(void **state)
{
    static const unsigned rates[] = { 300, 50, 10, 3 };
    struct worker workers[THREADS];
    struct shim *shim;
    struct faults *faults;
    struct key *key;

    (void)state;
    (void)ref_through_shim(&shim, "lab", "a");
    key = opens(ref_through_faults(&faults, "lab", "a"), PART_SIGN);
    for (size_t rate = 0; rate < sizeof rates / sizeof *rates; rate++) {
        bool stop = false;

        set_random(faults, rates[rate], 20261121 + rate);
        for (unsigned i = 0; i < THREADS; i++) {
            workers[i] = (struct worker){ .key = key, .seed = i, .stop = &stop };
            assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
        }
        usleep(700000);
        set_random(faults, 0, 0);
        becomes_healthy(key);
        usleep(100000);
        __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
        for (unsigned i = 0; i < THREADS; i++) {
            pthread_join(workers[i].thread, NULL);
            assert_status(SE_OK, workers[i].wrong.status, &workers[i].wrong);
            assert_true(workers[i].slowest < CALL_MS);
            assert_true(workers[i].good > 0);
        }
    }
    assert_true(faults->drawn > 20);
    key_unref(key);
    assert_int_equal(shim->sessions, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_at_every_call),
        cmocka_unit_test(random_faults_under_threads),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
