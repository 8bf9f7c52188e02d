/* SPDX-License-Identifier: Apache-2.0 */
/* The list of session handles: what is in it once, twice, and while it is being closed; and what it
 * is good for. */
#include <dlfcn.h>

#include "keystore/pkcs11/token.h"
#include "tests/token/fixture.h"

static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "a", "ec:P-256", "01");
    make_token("other");
    put_pair("other", "c", "ec:P-256", "03");
    return 0;
}

static void a_number_comes_once(void **state)
{
    struct session_handles handles;

    (void)state;
    session_handles_init(&handles);
    for (CK_SESSION_HANDLE i = 1; i <= 50; i++)
        assert_int_equal(session_handles_add(&handles, i), HANDLE_NEW);
    assert_int_equal(session_handles_add(&handles, 17), HANDLE_KNOWN);
    session_handles_drop(&handles, 17);
    session_handles_drop(&handles, 99);
    assert_int_equal(session_handles_add(&handles, 17), HANDLE_NEW);
    assert_int_equal(handles.count, 50);
    session_handles_free(&handles);
}

/* The one call of C_CloseSession is for the session that came later, for the number is its. */
static void what_is_closed_takes_its_twin_along(void **state)
{
    struct session_handles handles;

    (void)state;
    session_handles_init(&handles);
    assert_int_equal(session_handles_add(&handles, 1), HANDLE_NEW);
    assert_int_equal(session_handles_add(&handles, 1), HANDLE_KNOWN);
    session_handles_close(&handles, 1);
    assert_false(session_handles_closed(&handles, 1));
    assert_int_equal(session_handles_add(&handles, 1), HANDLE_NEW);
    session_handles_free(&handles);
}

static void what_comes_while_it_is_closed_is_closed_too(void **state)
{
    struct session_handles handles;

    (void)state;
    session_handles_init(&handles);
    assert_int_equal(session_handles_add(&handles, 1), HANDLE_NEW);
    session_handles_close(&handles, 1);
    assert_int_equal(session_handles_add(&handles, 1), HANDLE_CLOSING);
    assert_true(session_handles_closed(&handles, 1));
    assert_false(session_handles_closed(&handles, 1));
    assert_int_equal(handles.count, 0);
    session_handles_close(&handles, 1);
    assert_false(session_handles_closed(&handles, 1));
    session_handles_free(&handles);
}

static void takes(struct session *out, struct token *token, const struct keyref *ref)
{
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, token_session(out, token, ref, true, &err), &err);
}

static void initialise_anew(void)
{
    CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
    void *handle = dlopen(softhsm, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(handle, "C_GetFunctionList");
    CK_FUNCTION_LIST *bare;

    assert_int_equal(get(&bare), CKR_OK);
    assert_int_equal(bare->C_Finalize(NULL), CKR_OK);
    assert_int_equal(bare->C_Initialize(&args), CKR_OK);
    dlclose(handle);
}

/* Two sessions are in use, and one is idle, when their numbers come again: in a session with
 * another token at that. */
static void a_new_session_is_nobody_elses(void **state)
{
    struct keyref *lab = ref_to("lab", "a"), *other = ref_to("other", "c");
    struct module *module, *same;
    struct token *old = token_of(lab, &module), *new = token_of(other, &same);
    struct session first, second, idle, third;
    CK_SESSION_INFO info;
    unsigned losses = pool_losses(&old->pool);

    (void)state;
    takes(&first, old, lab);
    takes(&second, old, lab);
    takes(&idle, old, lab);
    session_end(&idle);
    initialise_anew();
    takes(&third, new, other);
    assert_int_not_equal(third.handle, first.handle);
    assert_int_not_equal(third.handle, second.handle);
    assert_int_equal(third.losses, pool_losses(&new->pool));
    /* the other token's pool has heard of it, though nobody has asked that token yet */
    assert_true(pool_losses(&old->pool) > losses);
    session_end(&first);
    session_end(&second);
    assert_int_equal(module->calls->C_GetSessionInfo(third.handle, &info), CKR_OK);
    assert_int_equal(info.state, CKS_RO_USER_FUNCTIONS);
    session_end(&third);
    assert_int_equal(module->handles.count, 1);
    takes(&first, old, lab);
    session_end(&first);
    token_close(old);
    token_close(new);
    assert_int_equal(module->handles.count, 0);
    module_close(module);
    module_close(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_session_is_nobody_elses),
        cmocka_unit_test(a_number_comes_once),
        cmocka_unit_test(what_is_closed_takes_its_twin_along),
        cmocka_unit_test(what_comes_while_it_is_closed_is_closed_too),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
