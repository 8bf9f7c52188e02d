/* SPDX-License-Identifier: Apache-2.0 */
/* A module that does not return from a call: nobody waits for longer than the deadline, and nothing
 * is lost when it returns after all. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "keystore/pkcs11/call.h"
#include "tests/token/control.h"
#include "tests/token/fixture.h"
#include "tests/token/judge.h"

enum { DEADLINE_MS = 1000, SLACK_MS = 700, QUICK_MS = 300, THREADS = 4 };

static const struct unwrap_how oaep = { DIGEST_SHA1, DIGEST_SHA1 };

static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "a", "ec:P-256", "01");
    put_pair("lab", "rsa", "rsa:2048", "02");
    return 0;
}

static struct keyref *ref_that_hangs(struct shim **shim, struct faults **faults, const char *alias)
{
    struct keyref *ref = ref_through_shim(shim, "lab", alias);

    (void)ref_through_faults(faults, "lab", alias);
    ref->deadline = DEADLINE_MS / 1000;
    return ref;
}

static void hang(struct faults *faults, enum fault_call call, unsigned times)
{
    set_faults(faults, &(struct fault){ .call = call, .first = 1, .times = times, .hang = true },
               NULL);
}

static void becomes_healthy(struct key *key)
{
    const int64_t until = clock_monotonic_ms() + 1000;
    se_error err;
    se_status st;

    while ((st = sign_and_verify(key, 1, &err)) && clock_monotonic_ms() < until)
        usleep(1000);
    assert_status(SE_OK, st, &err);
}

static void within_the_deadline(int64_t begun)
{
    assert_in_range(clock_monotonic_ms() - begun, DEADLINE_MS - 10, DEADLINE_MS + SLACK_MS);
}

static void opening_ends_at_the_deadline(void **state)
{
    static const enum fault_call calls[] = { AT_INITIALIZE,   AT_SLOT_LIST,  AT_TOKEN_INFO,
                                             AT_OPEN_SESSION, AT_LOGIN,      AT_FIND_INIT,
                                             AT_FIND,         AT_FIND_FINAL, AT_ATTRIBUTES };
    struct shim *shim;
    struct faults *faults;
    struct keyref *ref = ref_that_hangs(&shim, &faults, "a");

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int64_t begun = clock_monotonic_ms();
        struct key *key;

        hang(faults, calls[i], 1);
        refuses(SE_ERR_UNAVAILABLE, ref, PART_SIGN, "shim.so' has not answered within 1 s", NULL);
        within_the_deadline(begun);
        assert_int_equal(faults_done(faults), 1);
        go_on(faults);
        key = opens(ref, PART_SIGN);
        becomes_healthy(key);
        key_unref(key);
        assert_int_equal(shim->sessions, 0);
    }
}

/* The first caller waits; once it has given up, the others are told at once. */
static void a_signature_ends_at_the_deadline(void **state)
{
    static const enum fault_call calls[] = { AT_SIGN_INIT, AT_SIGN };
    struct shim *shim;
    struct faults *faults;
    struct key *key = opens(ref_that_hangs(&shim, &faults, "a"), PART_SIGN);
    se_error err;

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int64_t begun = clock_monotonic_ms();

        hang(faults, calls[i], 1000);
        assert_status(SE_ERR_UNAVAILABLE, sign_and_verify(key, 1, &err), &err);
        assert_non_null(strstr(err.text, "token 'lab'"));
        assert_non_null(strstr(err.text, "has not answered within 1 s"));
        within_the_deadline(begun);
        begun = clock_monotonic_ms();
        assert_status(SE_ERR_UNAVAILABLE, sign_and_verify(key, 1, &err), &err);
        assert_non_null(strstr(err.text, "the token is away"));
        assert_true(clock_monotonic_ms() - begun < QUICK_MS);
        go_on(faults);
        becomes_healthy(key);
    }
    key_unref(key);
    assert_int_equal(shim->sessions, 0);
}

static void a_decryption_ends_at_the_deadline(void **state)
{
    static const enum fault_call calls[] = { AT_DECRYPT_INIT, AT_DECRYPT };
    struct shim *shim;
    struct faults *faults;
    struct key *key = opens(ref_that_hangs(&shim, &faults, "rsa"), PART_DECRYPT);

    (void)state;
    decrypts(key, "rsa", &oaep);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int64_t begun = clock_monotonic_ms();
        unsigned char blob[256] = { 0 };
        se_buf out = SE_BUF_INIT;
        se_error err = SE_ERROR_INIT;

        hang(faults, calls[i], 1);
        assert_status(SE_ERR_UNAVAILABLE,
                      decrypt_blob(&out, key, &oaep, (se_bytes){ blob, sizeof blob }, &err), &err);
        within_the_deadline(begun);
        go_on(faults);
        wait_for_probe();
        decrypts(key, "rsa", &oaep);
    }
    key_unref(key);
    assert_int_equal(shim->sessions, 0);
}

struct worker {
    pthread_t thread;
    struct key *key;
    bool *stop;
    unsigned good, bad;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    se_error err;

    while (!__atomic_load_n(w->stop, __ATOMIC_RELAXED))
        *(sign_and_verify(w->key, 1, &err) ? &w->bad : &w->good) += 1;
    return NULL;
}

/* One call that does not return is the loss of its caller only. */
static void a_token_that_answers_others_is_not_away(void **state)
{
    struct shim *shim;
    struct faults *faults;
    struct key *key = opens(ref_that_hangs(&shim, &faults, "a"), PART_SIGN);
    struct worker workers[THREADS];
    unsigned bad = 0;
    bool stop = false;

    (void)state;
    hang(faults, AT_SIGN, 1);
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .key = key, .stop = &stop };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    usleep((DEADLINE_MS + SLACK_MS) * 1000);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_true(workers[i].good > 0);
        bad += workers[i].bad;
    }
    assert_int_equal(bad, 1);
    go_on(faults);
    key_unref(key);
    assert_int_equal(shim->sessions, 0);
}

static void closing_ends_at_the_deadline(void **state)
{
    static const enum fault_call calls[] = { AT_CLOSE_SESSION, AT_FINALIZE };
    struct shim *shim;
    struct faults *faults;
    struct keyref *ref = ref_that_hangs(&shim, &faults, "a");

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct key *key = opens(ref, PART_SIGN);
        int64_t begun = clock_monotonic_ms();

        hang(faults, calls[i], 1);
        key_unref(key);
        within_the_deadline(begun);
        go_on(faults);
        assert_int_equal(shim->sessions, 0);
        key = opens(ref, PART_SIGN);
        becomes_healthy(key);
        key_unref(key);
    }
}

static void another_module_goes_on_and_so_does_a_fork(void **state)
{
    struct shim *shim;
    struct faults *faults;
    struct keyref *ref = ref_that_hangs(&shim, &faults, "a");
    struct key *other;
    int64_t begun;
    pid_t child;
    int status;

    (void)state;
    hang(faults, AT_INITIALIZE, 1);
    refuses(SE_ERR_UNAVAILABLE, ref, PART_SIGN, NULL);
    begun = clock_monotonic_ms();
    other = opens(ref_to("lab", "a"), PART_SIGN);
    becomes_healthy(other);
    if (!(child = fork())) {
        se_error err;

        _exit(sign_and_verify(other, 1, &err) ? 1 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(clock_monotonic_ms() - begun < DEADLINE_MS);
    key_unref(other);
    go_on(faults);
}

static void without_a_deadline_it_is_the_callers_own_thread(void **state)
{
    struct shim *shim;
    struct faults *faults;
    struct keyref *ref = ref_that_hangs(&shim, &faults, "a");
    struct key *key;
    int64_t begun;

    (void)state;
    ref->no_deadline = true;
    key = opens(ref, PART_SIGN);
    hang(faults, AT_SIGN, 1);
    faults->list[0].hang = false;
    faults->list[0].sleep_ms = DEADLINE_MS + SLACK_MS;
    begun = clock_monotonic_ms();
    becomes_healthy(key);
    assert_true(clock_monotonic_ms() - begun >= DEADLINE_MS + SLACK_MS);
    assert_int_equal(timed_call_late_count(), 0);
    key_unref(key);
    assert_int_equal(shim->sessions, 0);
}

static void *open_late(void *ref)
{
    refuses(SE_ERR_UNAVAILABLE, ref, PART_SIGN, "has not answered within 1 s", NULL);
    return NULL;
}

static void late_calls_do_not_add_up(void **state)
{
    pthread_t threads[P11_CALL_LATE_MOST];
    struct shim *shim;
    struct faults *faults;
    struct keyref *ref = ref_that_hangs(&shim, &faults, "a");
    struct key *key;
    int64_t begun;

    (void)state;
    hang(faults, AT_INITIALIZE, P11_CALL_LATE_MOST);
    for (size_t i = 0; i < P11_CALL_LATE_MOST; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_late, ref), 0);
    for (size_t i = 0; i < P11_CALL_LATE_MOST; i++)
        pthread_join(threads[i], NULL);
    begun = clock_monotonic_ms();
    refuses(SE_ERR_UNAVAILABLE, ref, PART_SIGN, "16 calls into the PKCS #11 module",
            "have not returned", NULL);
    assert_true(clock_monotonic_ms() - begun < QUICK_MS);
    go_on(faults);
    key = opens(ref, PART_SIGN);
    becomes_healthy(key);
    key_unref(key);
    assert_int_equal(shim->sessions, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_ends_at_the_deadline),
        cmocka_unit_test(a_signature_ends_at_the_deadline),
        cmocka_unit_test(a_decryption_ends_at_the_deadline),
        cmocka_unit_test(a_token_that_answers_others_is_not_away),
        cmocka_unit_test(closing_ends_at_the_deadline),
        cmocka_unit_test(another_module_goes_on_and_so_does_a_fork),
        cmocka_unit_test(without_a_deadline_it_is_the_callers_own_thread),
        cmocka_unit_test(late_calls_do_not_add_up),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
