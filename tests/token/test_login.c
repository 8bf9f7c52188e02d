/* SPDX-License-Identifier: Apache-2.0 */
/* PINs: every way in which a token says no, and that a wrong one is presented once. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "keystore/pkcs11/token.h"
#include "tests/token/control.h"
#include "tests/token/fixture.h"

static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "a", "ec:P-256", "01");
    put_pair("lab", "b", "ec:P-256", "02");
    return 0;
}

static void a_pin_is_needed(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");

    (void)state;
    ref_pin(ref, "");
    refuses(SE_ERR_ACCESS, ref, PART_SIGN, "token 'lab' in slot ",
            "wants a PIN, and none is configured", "pin.source", NULL);
    assert_int_equal(shim->logins, 0);
}

static void keys_on_a_token_share_its_login(void **state)
{
    struct shim *shim;
    struct keyref *with = ref_through_shim(&shim, "lab", "a"),
                  *without = ref_through_shim(&shim, "lab", "b");
    struct key *a = opens(with, PART_SIGN), *b;

    (void)state;
    ref_pin(without, "");
    b = opens(without, PART_SIGN);
    assert_int_equal(shim->logins, 1);
    key_unref(a);
    key_unref(b);
    /* with the last key, the login is gone as well */
    refuses(SE_ERR_ACCESS, without, PART_SIGN, "none is configured", NULL);
}

/* A host program, or a component beside us, that uses the same module. */
static void a_login_by_others_in_the_process_is_enough(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");
    AUTO(module) module = NULL;
    AUTO(session) others = { 0 };
    CK_SLOT_ID slot;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, module_open(&module, ref->location, "", &err), &err);
    assert_status(SE_OK, token_select(&slot, module, ref, &err), &err);
    assert_status(SE_OK, session_open(&others, module, slot, 0, &err), &err);
    assert_int_equal(
        others.calls->C_Login(others.handle, CKU_USER, (CK_UTF8CHAR *)PIN, strlen(PIN)), CKR_OK);
    ref_pin(ref, "");
    key_unref(opens(ref, PART_SIGN));
    assert_int_equal(shim->logins, 1);
    assert_int_equal(shim->sessions, 1);
}

/* And one who logs us out: without a login, the token just does not show the private key. */
static void a_logout_by_others_is_found_out(void **state)
{
    struct shim *shim;
    struct faults *faults;
    struct keyref *a = ref_through_shim(&shim, "lab", "a"),
                  *b = ref_through_faults(&faults, "lab", "b");
    struct key *first = opens(a, PART_SIGN);

    (void)state;
    set_faults(faults,
               &(struct fault){ .call = AT_SLOT_LIST, .first = 1, .times = 1, .harm = HARM_LOGOUT },
               NULL);
    key_unref(opens(b, PART_SIGN));
    assert_int_equal(faults_done(faults), 1);
    assert_int_equal(shim->logins, 2);
    /* in the moment after the login was seen to be there */
    set_faults(faults,
               &(struct fault){ .call = AT_FIND_INIT, .first = 1, .times = 1, .harm = HARM_LOGOUT },
               NULL);
    refuses(SE_ERR_UNAVAILABLE, b, PART_SIGN, "no private key 'b'", NULL);
    key_unref(opens(b, PART_SIGN));
    key_unref(first);
}

static void a_wrong_pin_is_presented_once(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");

    (void)state;
    ref_pin(ref, "9999");
    refuses(SE_ERR_ACCESS, ref, PART_SIGN, "token 'lab' in slot ", ": wrong PIN", NULL);
    refuses(SE_ERR_ACCESS, ref, PART_SIGN,
            ": wrong PIN: the token refused it before, and this process does not present it again",
            NULL);
    assert_int_equal(shim->logins, 1);
    ref_pin(ref, PIN);
    key_unref(opens(ref, PART_SIGN));
    assert_int_equal(shim->logins, 2);
}

static void *open_with_wrong_pin(void *ref)
{
    se_error err = SE_ERROR_INIT;
    struct key *key;

    return (void *)(uintptr_t)pkcs11_store.open(&key, ref, PART_SIGN, NULL, &err);
}

static void threads_present_a_wrong_pin_once(void **state)
{
    enum { THREADS = 8 };
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");
    pthread_t threads[THREADS];

    (void)state;
    ref_pin(ref, "7777");
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_with_wrong_pin, ref), 0);
    for (int i = 0; i < THREADS; i++) {
        void *status;

        pthread_join(threads[i], &status);
        assert_int_equal((uintptr_t)status, SE_ERR_ACCESS);
    }
    assert_int_equal(shim->logins, 1);
}

static void each_refusal_has_its_words(void **state)
{
    static const struct {
        CK_RV rv;
        se_status status;
        const char *text;
    } refusals[] = {
        { CKR_PIN_INVALID, SE_ERR_ACCESS,
          "wrong PIN: it has characters that the token does not take" },
        { CKR_PIN_LEN_RANGE, SE_ERR_ACCESS, "wrong PIN: too short or too long for the token" },
        { CKR_PIN_EXPIRED, SE_ERR_ACCESS, "the PIN has expired" },
        { CKR_PIN_LOCKED, SE_ERR_ACCESS,
          "the PIN is locked; the security officer can set a new one" },
        { CKR_USER_PIN_NOT_INITIALIZED, SE_ERR_ACCESS, "the token has no user PIN yet" },
        { CKR_USER_ANOTHER_ALREADY_LOGGED_IN, SE_ERR_ACCESS, "the security officer is logged in" },
        { CKR_USER_TYPE_INVALID, SE_ERR_ACCESS, "cannot log in: CKR_USER_TYPE_INVALID (0x103)" },
        { CKR_DEVICE_REMOVED, SE_ERR_UNAVAILABLE, "cannot log in: CKR_DEVICE_REMOVED (0x32)" },
        { CKR_GENERAL_ERROR, SE_ERR_UNAVAILABLE, "cannot log in: CKR_GENERAL_ERROR (0x5)" },
    };
    char pin[8];

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct shim *shim;
        struct keyref *ref = ref_through_shim(&shim, "lab", "a");

        snprintf(pin, sizeof pin, "55%02zu", i);
        ref_pin(ref, pin);
        shim->login = refusals[i].rv;
        shim->manufacturer = "a maker of HSMs";
        refuses(refusals[i].status, ref, PART_SIGN, refusals[i].text, NULL);
        assert_int_equal(shim->logins, 1);
    }
}

/* Another process is just logging in, and SoftHSM writes its file. */
static void softhsm_is_asked_again_while_it_writes_its_file(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");

    (void)state;
    shim->login = CKR_GENERAL_ERROR;
    refuses(SE_ERR_UNAVAILABLE, ref, PART_SIGN, "cannot log in: CKR_GENERAL_ERROR (0x5)", NULL);
    assert_int_equal(shim->logins, 11);
    shim->login_right = 3;
    for (size_t i = 0; i < 2; i++) {
        shim->login = i ? CKR_USER_PIN_NOT_INITIALIZED : CKR_GENERAL_ERROR;
        shim->logins = 0;
        key_unref(opens(ref, PART_SIGN));
        assert_int_equal(shim->logins, 3);
    }
}

/* Its PIN is not in the file yet when the token is opened. */
static void softhsm_is_asked_again_whether_it_has_a_pin(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");

    (void)state;
    shim->clear_flags = CKF_USER_PIN_INITIALIZED;
    shim->clear_times = 8;
    key_unref(opens(ref, PART_SIGN));
    assert_int_equal(shim->clear_times, 0);
    assert_int_equal(shim->logins, 1);
}

static void a_token_that_is_away_gets_the_pin_again(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");

    (void)state;
    shim->login = CKR_DEVICE_ERROR;
    refuses(SE_ERR_UNAVAILABLE, ref, PART_SIGN, "CKR_DEVICE_ERROR", NULL);
    shim->login = CKR_OK;
    key_unref(opens(ref, PART_SIGN));
}

/* What SoftHSM never says of itself. */
static void flags_of_the_token_are_heeded(void **state)
{
    static const struct {
        CK_FLAGS set, clear;
        const char *text;
    } obstacles[] = {
        { CKF_USER_PIN_LOCKED, 0, "the PIN is locked; the security officer can set a new one" },
        { CKF_USER_PIN_FINAL_TRY, 0, "the next wrong PIN locks the token, so none is presented" },
        { 0, CKF_USER_PIN_INITIALIZED, "the token has no user PIN yet" },
        { 0, CKF_TOKEN_INITIALIZED, "is not initialised" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof obstacles / sizeof *obstacles; i++) {
        struct shim *shim;
        struct keyref *ref = ref_through_shim(&shim, "lab", "a");

        shim->set_flags = obstacles[i].set;
        shim->clear_flags = obstacles[i].clear;
        refuses(SE_ERR_ACCESS, ref, PART_SIGN, obstacles[i].text, NULL);
        assert_int_equal(shim->logins, 0);
    }
}

static void a_wrong_pin_tells_how_many_tries_are_left(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");

    (void)state;
    ref_pin(ref, "4444");
    shim->login = CKR_PIN_INCORRECT;
    shim->set_after_login = CKF_USER_PIN_FINAL_TRY;
    refuses(SE_ERR_ACCESS, ref, PART_SIGN, ": wrong PIN; one more wrong PIN locks the token", NULL);
    shim->set_flags = 0;
    ref_pin(ref, "4445");
    shim->set_after_login = CKF_USER_PIN_LOCKED;
    refuses(SE_ERR_ACCESS, ref, PART_SIGN, ": wrong PIN; the token has locked it", NULL);
}

static void a_keypad_is_left_to_the_token(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");

    (void)state;
    ref_pin(ref, "");
    shim->set_flags = CKF_PROTECTED_AUTHENTICATION_PATH;
    key_unref(opens(ref, PART_SIGN));
    assert_int_equal(shim->logins, 1);
    assert_int_equal(shim->null_pins, 1);
}

static void a_token_without_login_gets_no_pin(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");

    (void)state;
    ref_pin(ref, "");
    shim->clear_flags = CKF_LOGIN_REQUIRED;
    refuses(SE_ERR_KEY, ref, PART_SIGN, "no private key 'a'",
            NULL); /* SoftHSM keeps it hidden nevertheless */
    assert_int_equal(shim->logins, 0);
}

/* The real thing: SoftHSM has a token without a user PIN when only the security officer was there.
 */
static void a_token_without_a_user_pin_says_so(void **state)
{
    (void)state;
    run("slot=$(softhsm2-util --show-slots | sed -n 's/^Slot \\([0-9]*\\).*/\\1/p' | tail -n 1); "
        "pkcs11-tool --module '%s' --slot $slot --init-token --label fresh --so-pin 12345678",
        softhsm);
    refuses(SE_ERR_ACCESS, ref_to("fresh", "a"), PART_SIGN, "token 'fresh' in slot ",
            "has no user PIN yet", NULL);
}

static void a_pin_source_that_fails_is_told(void **state)
{
    struct keyref *ref = ref_to("lab", "a");

    (void)state;
    ref_pin(ref, "");
    ref->pin_source = "env:SIGNENGINE_NO_SUCH_PIN";
    refuses(SE_ERR_ACCESS, ref, PART_SIGN, "SIGNENGINE_NO_SUCH_PIN", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pin_is_needed),
        cmocka_unit_test(keys_on_a_token_share_its_login),
        cmocka_unit_test(a_login_by_others_in_the_process_is_enough),
        cmocka_unit_test(a_logout_by_others_is_found_out),
        cmocka_unit_test(a_wrong_pin_is_presented_once),
        cmocka_unit_test(threads_present_a_wrong_pin_once),
        cmocka_unit_test(each_refusal_has_its_words),
        cmocka_unit_test(softhsm_is_asked_again_while_it_writes_its_file),
        cmocka_unit_test(softhsm_is_asked_again_whether_it_has_a_pin),
        cmocka_unit_test(a_token_that_is_away_gets_the_pin_again),
        cmocka_unit_test(flags_of_the_token_are_heeded),
        cmocka_unit_test(a_wrong_pin_tells_how_many_tries_are_left),
        cmocka_unit_test(a_keypad_is_left_to_the_token),
        cmocka_unit_test(a_token_without_login_gets_no_pin),
        cmocka_unit_test(a_token_without_a_user_pin_says_so),
        cmocka_unit_test(a_pin_source_that_fails_is_told),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
