/* SPDX-License-Identifier: Apache-2.0 */
/* The child of a fork signs with a key that its parent opened. */
#include <sys/wait.h>
#include <unistd.h>

#include "tests/token/fixture.h"

static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "a", "ec:P-256", "01");
    return 0;
}

static bool signs(struct key *key)
{
    static const unsigned char hash[32] = { 1 };
    se_bytes hashed = { hash, sizeof hash };
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    if (!sign_hash(&signature, key, DIGEST_SHA256, 0, hashed, &err))
        return verify_hash(key, DIGEST_SHA256, 0, hashed, buf_bytes(&signature));
    print_error("%s\n", err.text);
    return false;
}

static int child(struct key *inherited, const struct keyref *ref, const struct shim *shim)
{
    se_error err = SE_ERROR_INIT;
    struct key *own;

    if (!signs(inherited) || !signs(inherited))
        return 1;
    /* PKCS #11 wants it once in each process */
    if (shim->initialized != 2)
        return 4;
    if (pkcs11_store.open(&own, ref, PART_SIGN, NULL, &err) || !signs(own))
        return 2;
    key_unref(inherited);
    if (!signs(own))
        return 3;
    key_unref(own);
    /* the session of the parent is none of ours to close */
    return shim->sessions == 1 ? 0 : 5;
}

static void a_child_signs(void **state)
{
    struct shim *shim;
    const struct keyref *ref = ref_through_shim(&shim, "lab", "a");
    struct key *key = opens(ref, PART_SIGN);
    int status;
    pid_t pid;

    (void)state;
    assert_true(signs(key));
    pid = fork();
    assert_true(pid >= 0);
    if (!pid)
        _exit(shim->initialized == 1 ? child(key, ref, shim) : 9);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(signs(key));
    key_unref(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_signs),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
