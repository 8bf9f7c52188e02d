/* SPDX-License-Identifier: Apache-2.0 */
/* A token that is lost and comes back: once, for a while, for many threads, with the module's
 * initialisation, in another slot. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/breaker.h"
#include "base/clock.h"
#include "keystore/pkcs11/token.h"
#include "tests/token/control.h"
#include "tests/token/fixture.h"

enum { THREADS = 8 };

static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "a", "ec:P-256", "01");
    put_pair("lab", "b", "rsa:2048", "02");
    make_token("other");
    put_pair("other", "c", "ec:P-256", "03");
    return 0;
}

static void fails(struct key *key, se_status status, const char *text)
{
    se_error err;

    assert_status(status, sign_and_verify(key, 1, &err), &err);
    if (!strstr(err.text, text))
        fail_msg("'%s' is not in: %s", text, err.text);
}

/* Until it signs again; at most a second after it could. */
static void comes_back(struct key *key)
{
    int64_t until = clock_monotonic_ms() + 1000;
    se_error err;
    se_status st;

    do {
        st = sign_and_verify(key, 2, &err);
        assert_true(st == SE_OK || st == SE_ERR_UNAVAILABLE);
        usleep(1000);
    } while (st && clock_monotonic_ms() < until);
    assert_status(SE_OK, st, &err);
}

static void every_code_once_is_no_failure(void **state)
{
    struct faults *faults;
    struct key *key = opens(ref_through_faults(&faults, "lab", "a"), PART_SIGN);

    (void)state;
    for (int call = AT_SIGN_INIT; call <= AT_SIGN; call++)
        for (const CK_RV *rv = fault_codes; *rv; rv++) {
            set_faults(
                faults,
                &(struct fault){ .call = (enum fault_call)call, .first = 1, .times = 1, .rv = *rv },
                NULL);
            still_signs(key);
            assert_int_equal(faults->done[0], 1);
        }
    key_unref(key);
}

/* Not told but true: the sessions, the login, the handles or the module are gone. */
static void every_harm_is_healed(void **state)
{
    struct faults *faults;
    struct key *key = opens(ref_through_faults(&faults, "lab", "a"), PART_SIGN);

    (void)state;
    for (int harm = HARM_SESSIONS; harm <= HARM_FINALIZE; harm++)
        for (int call = AT_SIGN_INIT; call <= AT_SIGN; call++) {
            set_faults(faults,
                       &(struct fault){ .call = (enum fault_call)call,
                                        .first = 1,
                                        .times = 1,
                                        .harm = (enum fault_harm)harm },
                       NULL);
            still_signs(key);
            assert_int_equal(faults->done[0], 1);
            still_signs(key);
        }
    key_unref(key);
}

/* However long a busy machine takes for a call. */
static void is_left_alone_for_a_while(struct key *key, const struct faults *faults)
{
    static const char pause[] = "the token is away, and is asked again within half a second: ";
    const int64_t begin = clock_monotonic_ms();
    unsigned asked;
    se_error err;

    fails(key, SE_ERR_UNAVAILABLE, "CKR_DEVICE_REMOVED");
    do {
        asked = faults->seen[AT_SLOT_LIST] + faults->seen[AT_INITIALIZE];
        assert_status(SE_ERR_UNAVAILABLE, sign_and_verify(key, 1, &err), &err);
    } while (faults->seen[AT_SLOT_LIST] + faults->seen[AT_INITIALIZE] == asked &&
             strstr(err.text, pause));
    assert_null(strstr(err.text, pause));
    assert_true(clock_monotonic_ms() - begin >= BREAKER_FIRST_MS / 2);
}

static void a_token_that_stays_away_is_asked_by_one_at_a_time(void **state)
{
    struct faults *faults;
    struct key *key = opens(ref_through_faults(&faults, "lab", "a"), PART_SIGN);
    unsigned asked;
    se_error err;

    (void)state;
    faults->away = CKR_DEVICE_REMOVED;
    is_left_alone_for_a_while(key, faults);
    asked = faults->seen[AT_SLOT_LIST];
    for (int64_t until = clock_monotonic_ms() + 1500; clock_monotonic_ms() < until; usleep(500))
        assert_status(SE_ERR_UNAVAILABLE, sign_and_verify(key, 1, &err), &err);
    /* pauses of 50 to 100, 100 to 200, ... ms, and each probe may ask some things */
    assert_in_range(faults->seen[AT_SLOT_LIST] - asked, 2, 40);
    faults->away = CKR_OK;
    comes_back(key);
    for (int i = 0; i < 20; i++)
        still_signs(key);
    key_unref(key);
}

/* p11-kit's client, when its server is gone: nothing works until it is initialised anew. */
static void a_module_is_initialised_anew_when_it_must(void **state)
{
    struct faults *faults;
    struct keyref *ref = ref_through_faults(&faults, "lab", "a");
    struct key *key = opens(ref, PART_SIGN), *other = opens(ref, PART_SIGN);

    (void)state;
    faults->away = CKR_DEVICE_ERROR;
    faults->until_restart = true;
    still_signs(key);
    assert_int_equal(faults->initialized, 2);
    still_signs(other);
    assert_int_equal(faults->initialized, 2);
    key_unref(key);
    key_unref(other);
}

/* Logins fail, but the token answers: whoever else uses the module is not disturbed. */
static void a_module_with_a_token_that_answers_is_left_alone(void **state)
{
    struct faults *faults;
    struct keyref *ref = ref_through_faults(&faults, "lab", "a");
    struct key *key = opens(ref, PART_SIGN);

    (void)state;
    set_faults(
        faults,
        &(struct fault){ .call = AT_LOGIN, .first = 1, .times = 1000, .rv = CKR_DEVICE_ERROR },
        NULL);
    faults->list[1] = (struct fault){
        .call = AT_SIGN, .first = 1, .times = 1, .harm = HARM_SESSIONS, .rv = CKR_DEVICE_ERROR
    };
    fails(key, SE_ERR_UNAVAILABLE, "cannot log in: CKR_DEVICE_ERROR");
    faults->list[0].times = 0;
    comes_back(key);
    assert_int_equal(faults->initialized, 1);
    key_unref(key);
}

/* A TPM whose resource manager was restarted says that it is there, and takes no login ever again.
 */
static void a_token_that_takes_no_login_for_a_while_is_initialised_anew(void **state)
{
    struct faults *faults;
    struct keyref *ref = ref_through_faults(&faults, "lab", "a");
    struct key *key = opens(ref, PART_SIGN);

    (void)state;
    set_faults(
        faults,
        &(struct fault){ .call = AT_LOGIN, .first = 1, .times = 1000, .rv = CKR_GENERAL_ERROR },
        NULL);
    faults->list[1] = (struct fault){
        .call = AT_SIGN, .first = 1, .times = 1, .harm = HARM_SESSIONS, .rv = CKR_GENERAL_ERROR
    };
    for (int i = 0; i < 5 && faults->initialized == 1; i++) {
        fails(key, SE_ERR_UNAVAILABLE, "CKR_GENERAL_ERROR");
        usleep(200000);
    }
    assert_int_equal(faults->initialized, 2);
    faults->list[0].times = 0;
    comes_back(key);
    key_unref(key);
}

/* It may still come, while a token that is not the wanted one is a mistake in the configuration. */
static void a_module_without_tokens_is_away(void **state)
{
    struct faults *faults;
    struct keyref *ref = ref_through_faults(&faults, "lab", "a");

    (void)state;
    faults->no_tokens = true;
    refuses(SE_ERR_UNAVAILABLE, ref, PART_SIGN, "no token with tokenLabel 'lab': no slot of ",
            NULL);
    refuses(SE_ERR_UNAVAILABLE, ref, PART_CERTIFICATE, "no slot of ", NULL);
    faults->no_tokens = false;
    refuses(SE_ERR_STORE, ref_to("nowhere", "a"), PART_SIGN, "there is slot ", NULL);
    key_unref(opens(ref, PART_SIGN));
}

struct worker {
    pthread_t thread;
    struct key *key;
    unsigned seed;
    bool *stop;
    unsigned good, away;
    se_error wrong; /* neither */
};

static void *work(void *arg)
{
    struct worker *w = arg;

    /* on a busy machine a thread may come to its first turn when all is over */
    for (unsigned n = 0;
         !__atomic_load_n(w->stop, __ATOMIC_RELAXED) || (!w->good && !w->wrong.status); n++) {
        se_error err;
        se_status st = sign_and_verify(w->key, w->seed * 1000 + n, &err);

        w->good += st == SE_OK;
        w->away += st == SE_ERR_UNAVAILABLE;
        if (st == SE_ERR_UNAVAILABLE)
            usleep(200);
        if (st && st != SE_ERR_UNAVAILABLE)
            w->wrong = err;
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

/* How many calls found the token away. */
static unsigned finish(struct worker workers[THREADS], bool *stop)
{
    unsigned away = 0;

    __atomic_store_n(stop, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_status(SE_OK, workers[i].wrong.status, &workers[i].wrong);
        assert_true(workers[i].good > 0);
        away += workers[i].away;
    }
    return away;
}

static void threads_go_on_when_the_token_is_back(void **state)
{
    struct worker workers[THREADS];
    bool stop = false;
    struct faults *faults;
    struct key *key = opens(ref_through_faults(&faults, "lab", "a"), PART_SIGN);

    (void)state;
    start(workers, key, &stop);
    for (int i = 0; i < 4; i++) {
        usleep(100000);
        set_away(faults, i % 2 ? CKR_DEVICE_REMOVED : CKR_CRYPTOKI_NOT_INITIALIZED);
        usleep(100000);
        set_away(faults, CKR_OK);
        comes_back(key);
    }
    assert_true(finish(workers, &stop) > 0);
    key_unref(key);
}

/* SoftHSM numbers its slots anew when it is initialised and finds other tokens. */
static void a_token_is_found_in_another_slot(void **state)
{
    struct faults *faults;
    struct key *key = opens(ref_through_faults(&faults, "lab", "a"), PART_SIGN);

    (void)state;
    still_signs(key);
    make_token("newcomer");
    faults->away = CKR_DEVICE_ERROR;
    faults->until_restart = true;
    still_signs(key);
    key_unref(key);
}

/* A login that is forgotten while 8 threads sign: a wrong PIN would be presented once. */
static void a_pin_that_has_become_wrong_is_presented_once(void **state)
{
    struct worker workers[THREADS];
    bool stop = false;
    struct faults *faults;
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");
    struct key *key;
    unsigned logins;

    (void)state;
    ref = ref_through_faults(&faults, "lab", "a");
    ref_pin(ref, "");
    ref->pin_source = "env:PIN_THAT_CHANGES";
    (void)setenv("PIN_THAT_CHANGES", PIN, 1);
    key = opens(ref, PART_SIGN);
    (void)setenv("PIN_THAT_CHANGES", "8888", 1);
    logins = shim->logins;
    set_faults(faults,
               &(struct fault){ .call = AT_SIGN_INIT, .first = 1, .times = 1, .harm = HARM_LOGOUT },
               NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .key = key, .seed = i, .stop = &stop };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    usleep(200000);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    for (unsigned i = 0; i < THREADS; i++)
        assert_status(SE_ERR_ACCESS, workers[i].wrong.status, &workers[i].wrong);
    assert_int_equal(shim->logins - logins, 1);
    key_unref(key);
}

/* Two engines on one module: what one loses does not take the other's sessions. */
static void one_closes_while_the_other_signs(void **state)
{
    struct worker workers[THREADS];
    bool stop = false;
    struct faults *faults;
    struct keyref *ref = ref_through_faults(&faults, "lab", "a");
    struct key *key = opens(ref, PART_SIGN);

    (void)state;
    start(workers, key, &stop);
    for (int i = 0; i < 20; i++)
        key_unref(opens(ref_to("lab", "b"), PART_SIGN));
    for (int i = 0; i < 20; i++) {
        struct key *second = opens(ref, i % 2 ? PART_SIGN : PART_CERTIFICATE);

        key_unref(second);
    }
    assert_int_equal(finish(workers, &stop), 0);
    key_unref(key);
}

/* The host was first, without p11-kit, and is last. */
static void a_host_that_initialised_the_module_keeps_it(void **state)
{
    CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
    void *handle = dlopen(softhsm, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(handle, "C_GetFunctionList");
    CK_FUNCTION_LIST *host;
    CK_SESSION_HANDLE session;
    CK_ULONG count = 10;
    CK_SLOT_ID slots[10];
    CK_SESSION_INFO info;
    struct key *key;

    (void)state;
    assert_int_equal(get(&host), CKR_OK);
    assert_int_equal(host->C_Initialize(&args), CKR_OK);
    assert_int_equal(host->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    assert_int_equal(host->C_OpenSession(slots[0], CKF_SERIAL_SESSION, NULL, NULL, &session),
                     CKR_OK);
    key = opens(ref_to("lab", "a"), PART_SIGN);
    still_signs(key);
    key_unref(key);
    assert_int_equal(host->C_GetSessionInfo(session, &info), CKR_OK);
    key = opens(ref_to("lab", "a"), PART_SIGN);
    still_signs(key);
    /* the host ends before we do */
    assert_int_equal(host->C_Finalize(NULL), CKR_OK);
    still_signs(key);
    key_unref(key);
    dlclose(handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_once_is_no_failure),
        cmocka_unit_test(every_harm_is_healed),
        cmocka_unit_test(a_token_that_stays_away_is_asked_by_one_at_a_time),
        cmocka_unit_test(a_module_is_initialised_anew_when_it_must),
        cmocka_unit_test(a_module_with_a_token_that_answers_is_left_alone),
        cmocka_unit_test(a_token_that_takes_no_login_for_a_while_is_initialised_anew),
        cmocka_unit_test(a_module_without_tokens_is_away),
        cmocka_unit_test(threads_go_on_when_the_token_is_back),
        cmocka_unit_test(a_token_is_found_in_another_slot),
        cmocka_unit_test(a_pin_that_has_become_wrong_is_presented_once),
        cmocka_unit_test(one_closes_while_the_other_signs),
        cmocka_unit_test(a_host_that_initialised_the_module_keeps_it),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
