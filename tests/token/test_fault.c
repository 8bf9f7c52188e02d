/* SPDX-License-Identifier: Apache-2.0 */
/* Every fault at every call that the store makes, one at a time. */
#include <unistd.h>

#include "base/clock.h"
#include "tests/token/control.h"
#include "tests/token/works.h"

enum { CALL_MS = 5000 };

/* What is no reason to think that the token is away; any status will do, but not more. */
static const CK_RV odd_codes[] = {
    CKR_HOST_MEMORY,
    CKR_FUNCTION_FAILED,
    CKR_FUNCTION_CANCELED,
    CKR_ARGUMENTS_BAD,
    CKR_OPERATION_ACTIVE,
    CKR_OPERATION_NOT_INITIALIZED,
    CKR_BUFFER_TOO_SMALL,
    CKR_MECHANISM_INVALID,
    CKR_MECHANISM_PARAM_INVALID,
    CKR_KEY_FUNCTION_NOT_PERMITTED,
    CKR_ENCRYPTED_DATA_INVALID,
    CKR_DATA_INVALID,
    CKR_SESSION_COUNT,
    CKR_DEVICE_MEMORY,
    CKR_FUNCTION_NOT_SUPPORTED,
    CKR_USER_ALREADY_LOGGED_IN,
    CKR_TOKEN_NOT_RECOGNIZED,
    CKR_OK,
};

struct trial {
    enum work work;
    struct keyref *ref;
    struct faults *faults;
    struct key *key;
    unsigned tried;
};

static size_t codes_in(const CK_RV *codes)
{
    size_t n = 0;

    while (codes[n])
        n++;
    return n;
}

static enum fault_call beginning(enum work work)
{
    return work == WORK_DECRYPT || work == WORK_DECRYPT_RAW ? AT_DECRYPT_INIT : AT_SIGN_INIT;
}

/* With a loss, so that everything is done anew and meets the fault. */
static void arm(struct faults *faults, enum work work, const struct fault *fault)
{
    set_faults(faults, fault,
               &(struct fault){ .call = beginning(work),
                                .first = 1,
                                .times = 1,
                                .rv = CKR_SESSION_CLOSED,
                                .harm = HARM_HANDLES });
}

static void set_up(struct trial *c, struct shim **shim, enum work work)
{
    *c = (struct trial){ .work = work,
                         .ref = work_ref_fresh(shim, &c->faults, work),
                         .faults = c->faults };
    c->key = opens(c->ref, work_part(work));
}

static void reopen(struct trial *c)
{
    key_unref(c->key);
    end_faults(c->faults);
    c->key = opens(c->ref, work_part(c->work));
}

/* False: the call was not made so often. */
static bool happens(struct trial *c, const struct fault *fault, se_status *st, se_error *err)
{
    int64_t begin = clock_monotonic_ms();

    arm(c->faults, c->work, fault);
    *st = work_do(c->key, c->work, ++c->tried, err);
    assert_true(clock_monotonic_ms() - begin < CALL_MS);
    return faults_done(c->faults) > 0;
}

/* Now and then the pause of the breaker is waited for; else the key is opened anew. */
static bool while_healing(struct trial *c, enum fault_call call, unsigned at, CK_RV rv)
{
    se_error err;
    se_status st;
    bool done =
        happens(c, &(struct fault){ .call = call, .first = at, .times = 1, .rv = rv }, &st, &err);

    if (st != SE_OK && st != SE_ERR_UNAVAILABLE)
        fail_msg("%s: %s", se_status_name(st), err.text);
    if (st && (rv != CKR_DEVICE_ERROR || c->work != WORK_SIGN))
        reopen(c);
    becomes_healthy(c->key, c->work);
    return done;
}

/* All codes at the first call, and at each later one another. */
static void every_fault_while_healing(void **state)
{
    size_t codes = codes_in(fault_codes), calls = 0;
    struct shim *shim;

    (void)state;
    for (enum work work = 0; work < WORKS; work++) {
        struct trial c;

        set_up(&c, &shim, work);
        for (enum fault_call call = 0; call < FAULT_CALLS; call++) {
            if (!while_healing(&c, call, 1, fault_codes[call % codes]))
                continue;
            calls++;
            for (size_t i = 0; i < codes; i++)
                (void)while_healing(&c, call, 1, fault_codes[i]);
            for (unsigned at = 2; while_healing(&c, call, at, fault_codes[at % codes]); at++)
                ;
        }
        print_message("work %d: %u operations\n", (int)work, c.tried);
        key_unref(c.key);
        assert_int_equal(shim->sessions, 0);
    }
    assert_true(calls > 40);
}

static bool while_odd(struct trial *c, enum fault_call call, CK_RV rv)
{
    se_error err;
    se_status st;
    bool done =
        happens(c, &(struct fault){ .call = call, .first = 1, .times = 1, .rv = rv }, &st, &err);

    if (st == SE_ERR_REJECTED || strstr(err.text, "wrong") || strstr(err.text, "something else"))
        fail_msg("%s: %s", se_status_name(st), err.text);
    if (st == SE_ERR_UNAVAILABLE)
        reopen(c);
    becomes_healthy(c->key, c->work);
    return done;
}

static void every_odd_answer_while_healing(void **state)
{
    struct shim *shim;

    (void)state;
    for (enum work work = 0; work < WORKS; work++) {
        struct trial c;

        set_up(&c, &shim, work);
        for (enum fault_call call = 0; call < FAULT_CALLS; call++)
            for (const CK_RV *rv = odd_codes; *rv && while_odd(&c, call, *rv); rv++)
                ;
        key_unref(c.key);
        assert_int_equal(shim->sessions, 0);
    }
}

static bool while_opening(struct trial *c, enum fault_call call, unsigned at, CK_RV rv)
{
    se_error err = SE_ERROR_INIT;
    se_status st;
    bool done;

    set_faults(c->faults, &(struct fault){ .call = call, .first = at, .times = 1, .rv = rv }, NULL);
    st = pkcs11_store.open(&c->key, c->ref, work_part(c->work), NULL, &err);
    if (st != SE_OK && st != SE_ERR_UNAVAILABLE && st != SE_ERR_STORE)
        fail_msg("%s: %s", se_status_name(st), err.text);
    done = faults_done(c->faults) > 0;
    if (st)
        c->key = opens(c->ref, work_part(c->work));
    becomes_healthy(c->key, c->work);
    key_unref(c->key);
    return done;
}

static void every_fault_while_opening(void **state)
{
    size_t codes = codes_in(fault_codes), cases = 0;
    struct shim *shim;

    (void)state;
    for (enum work work = 0; work < WORKS; work++) {
        struct trial c = { .work = work,
                           .ref = work_ref_fresh(&shim, &c.faults, work),
                           .faults = c.faults };

        for (enum fault_call call = 0; call < FAULT_CALLS; call++)
            for (unsigned at = 1; while_opening(&c, call, at, fault_codes[(at + call) % codes]);
                 at++)
                cases++;
        assert_int_equal(shim->sessions, 0);
    }
    assert_true(cases > 100);
}

/* While the last key is closed, and its module with it. */
static void every_fault_while_closing(void **state)
{
    static const enum fault_call calls[] = { AT_CLOSE_SESSION, AT_FINALIZE };
    struct shim *shim;
    struct trial c;

    (void)state;
    set_up(&c, &shim, WORK_SIGN);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        for (const CK_RV *rv = fault_codes; *rv; rv++) {
            set_faults(c.faults,
                       &(struct fault){ .call = calls[i], .first = 1, .times = 1, .rv = *rv },
                       NULL);
            key_unref(c.key);
            assert_int_equal(faults_done(c.faults), 1);
            assert_int_equal(shim->sessions, 0);
            c.key = opens(c.ref, work_part(c.work));
            becomes_healthy(c.key, c.work);
        }
    key_unref(c.key);
}

/* The harms that no answer tells of, at every call. */
static void every_harm_while_healing(void **state)
{
    struct shim *shim;

    (void)state;
    for (enum work work = 0; work < WORKS; work++) {
        struct trial c;

        set_up(&c, &shim, work);
        for (enum fault_harm harm = HARM_SESSIONS; harm <= HARM_FINALIZE; harm++)
            for (enum fault_call call = 0; call < FAULT_CALLS; call++) {
                se_error err;
                se_status st;

                (void)happens(&c,
                              &(struct fault){ .call = call, .first = 1, .times = 1, .harm = harm },
                              &st, &err);
                if (st != SE_OK && st != SE_ERR_UNAVAILABLE)
                    fail_msg("harm %d at call %d: %s: %s", (int)harm, (int)call, se_status_name(st),
                             err.text);
                if (st)
                    reopen(&c);
                becomes_healthy(c.key, work);
            }
        key_unref(c.key);
        assert_int_equal(shim->sessions, 0);
    }
}

/* One second each: where a key is opened anew in mid-operation.  tests/token/test_deadline.c has
 * the others. */
static void calls_that_hang_while_healing(void **state)
{
    static const enum fault_call calls[] = { AT_TOKEN_INFO, AT_OPEN_SESSION, AT_LOGIN, AT_FIND,
                                             AT_ATTRIBUTES };
    struct shim *shim;
    struct trial c;

    (void)state;
    set_up(&c, &shim, WORK_DECRYPT);
    c.ref->deadline = 1;
    reopen(&c);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        se_error err;
        se_status st;

        assert_true(
            happens(&c, &(struct fault){ .call = calls[i], .first = 1, .times = 1, .hang = true },
                    &st, &err));
        assert_status(SE_ERR_UNAVAILABLE, st, &err);
        assert_non_null(strstr(err.text, "has not answered within 1 s"));
        go_on(c.faults);
        becomes_healthy(c.key, c.work);
    }
    key_unref(c.key);
    assert_int_equal(shim->sessions, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_while_healing),
        cmocka_unit_test(every_odd_answer_while_healing),
        cmocka_unit_test(every_fault_while_opening),
        cmocka_unit_test(every_fault_while_closing),
        cmocka_unit_test(every_harm_while_healing),
        cmocka_unit_test(calls_that_hang_while_healing),
    };

    return cmocka_run_group_tests(tests, works_fill, works_drop);
}
