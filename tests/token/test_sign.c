/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures made by a token, judged by the openssl command. */
#include "tests/token/judge.h"

static int fill(void **state)
{
    static const struct {
        const char *name, *kind, *id;
    } keys[] = {
        { "rsa", "rsa:2048", "01" },  { "rsa3", "rsa:3072", "02" }, { "p256", "ec:P-256", "03" },
        { "p384", "ec:P-384", "04" }, { "p521", "ec:P-521", "05" },
    };

    if (fixture_make(state))
        return -1;
    make_token("lab");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        put_pair("lab", keys[i].name, keys[i].kind, keys[i].id);
    return 0;
}

static void rsa_pkcs1(void **state)
{
    struct key *key = opens(ref_to("lab", "rsa"), PART_SIGN);

    (void)state;
    for (enum digest d = DIGEST_SHA256; d <= DIGEST_SHA512; d++)
        signs(key, "rsa", d, 0);
    key_unref(key);
}

static void rsa_pss(void **state)
{
    struct key *key = opens(ref_to("lab", "rsa3"), PART_SIGN);

    (void)state;
    for (enum digest d = DIGEST_SHA256; d <= DIGEST_SHA512; d++)
        signs(key, "rsa3", d, digest_size(d));
    signs(key, "rsa3", DIGEST_SHA256, 20);
    key_unref(key);
}

/* hashes longer than the order of the group as well: SHA-384 and SHA-512 with P-256 */
static void ecdsa(void **state)
{
    static const char *const curves[] = { "p256", "p384", "p521" };

    (void)state;
    for (size_t c = 0; c < 3; c++) {
        struct key *key = opens(ref_to("lab", curves[c]), PART_SIGN);

        for (enum digest d = DIGEST_SHA256; d <= DIGEST_SHA512; d++)
            signs(key, curves[c], d, 0);
        key_unref(key);
    }
}

/* Not every token takes more bytes than the order of the group has. */
static void a_hash_that_is_too_long_is_cut_for_the_token(void **state)
{
    struct shim *shim;
    struct key *key = opens(ref_through_shim(&shim, "lab", "p256"), PART_SIGN);

    (void)state;
    signs(key, "p256", DIGEST_SHA512, 0);
    assert_int_equal(shim->signed_bytes, 32);
    key_unref(key);
    key = opens(ref_through_shim(&shim, "lab", "p521"), PART_SIGN);
    signs(key, "p521", DIGEST_SHA512, 0);
    assert_int_equal(shim->signed_bytes, 64);
    key_unref(key);
}

static void fails(struct key *key, se_status status, const char *text, const char *more)
{
    static const unsigned char hash[32];
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(
        status, sign_hash(&signature, key, DIGEST_SHA256, 0, (se_bytes){ hash, sizeof hash }, &err),
        &err);
    assert_null(signature.data);
    if (!strstr(err.text, text) || !strstr(err.text, more))
        fail_msg("'%s', '%s' are not in: %s", text, more, err.text);
}

static void failures_name_key_and_token(void **state)
{
    struct shim *shim;
    struct key *key = opens(ref_through_shim(&shim, "lab", "rsa"), PART_SIGN);

    (void)state;
    shim->sign = CKR_DEVICE_REMOVED;
    fails(key, SE_ERR_UNAVAILABLE, "token 'lab' in slot ",
          ": key 'rsa': cannot sign with CKM_RSA_PKCS: CKR_DEVICE_REMOVED (0x32)");
    shim->sign = CKR_OK;
    wait_for_probe();
    shim->sign_init = CKR_MECHANISM_INVALID;
    fails(key, SE_ERR_KEY, "key 'rsa': ",
          "the token has neither CKM_RSA_PKCS nor CKM_RSA_X_509 for it: CKR_MECHANISM_INVALID");
    shim->sign_init = CKR_KEY_FUNCTION_NOT_PERMITTED;
    fails(key, SE_ERR_KEY, "key 'rsa': ", "the private key may not sign");
    shim->sign_init = CKR_OK;
    shim->sign_short = 1;
    fails(key, SE_ERR_CRYPTO, "the token gave 255 bytes as a signature", "not 256");
    shim->sign_short = 0;
    signs(key, "rsa", DIGEST_SHA256, 0);
    key_unref(key);
}

static void a_lost_session_is_not_used_again(void **state)
{
    struct shim *shim;
    struct key *key = opens(ref_through_shim(&shim, "lab", "p256"), PART_SIGN);

    (void)state;
    assert_int_equal(shim->sessions, 1);
    shim->sign_init = CKR_SESSION_HANDLE_INVALID;
    fails(key, SE_ERR_UNAVAILABLE, "key 'p256'", "CKR_SESSION_HANDLE_INVALID (0xb3)");
    assert_int_equal(shim->sessions, 0);
    shim->sign_init = CKR_OK;
    wait_for_probe();
    /* the only session is gone, and the login with it: both come back by themselves */
    signs(key, "p256", DIGEST_SHA256, 0);
    assert_int_equal(shim->sessions, 1);
    assert_int_equal(shim->logins, 3); /* at first, for the second try, and now */
    key_unref(key);
    assert_int_equal(shim->sessions, 0);
}

/* The key wants the PIN for each signature; SoftHSM does that when the key says so. */
static void a_key_that_always_authenticates(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "careful");
    struct key *key;

    (void)state;
    make_certificate("careful", "rsa:2048", "");
    run("pkcs11-tool --module '%s' --token-label lab --login --pin " PIN
        " --write-object careful.key --type privkey --label careful "
        "--id 09 --always-auth",
        softhsm);
    put_certificate("lab", "careful", "careful", "09");
    key = opens(ref, PART_SIGN);
    assert_int_equal(shim->context_logins, 0);
    signs(key, "careful", DIGEST_SHA256, 0);
    signs(key, "careful", DIGEST_SHA384, 0);
    assert_int_equal(shim->context_logins, 2);
    shim->login = CKR_PIN_INCORRECT;
    fails(key, SE_ERR_ACCESS, "key 'careful': ", "wrong PIN");
    assert_int_equal(shim->sessions, 0); /* with its begun signature */
    shim->login = CKR_OK;
    fails(key, SE_ERR_ACCESS, "wrong PIN", "refused it before");
    key_unref(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_pkcs1),
        cmocka_unit_test(rsa_pss),
        cmocka_unit_test(ecdsa),
        cmocka_unit_test(a_hash_that_is_too_long_is_cut_for_the_token),
        cmocka_unit_test(failures_name_key_and_token),
        cmocka_unit_test(a_lost_session_is_not_used_again),
        cmocka_unit_test(a_key_that_always_authenticates),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
