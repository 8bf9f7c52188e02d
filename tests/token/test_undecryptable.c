/* SPDX-License-Identifier: Apache-2.0 */
/* What does not decrypt is refused without a word about why; what fails for another reason is not
 * refused. */
#include "tests/token/judge.h"

enum { MODULUS = 256 };

/* SoftHSM knows OAEP with SHA-1 only. */
static const struct unwrap_how sha1 = { DIGEST_SHA1, DIGEST_SHA1 },
                               sha384 = { DIGEST_SHA384, DIGEST_SHA384 },
                               mixed = { DIGEST_SHA384, DIGEST_SHA1 };

static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "rsa", "rsa:2048", "01");
    make_certificate("other", "rsa:2048", "");
    return 0;
}

/* Each is decrypted by "rsa" to the one refusal; returns the number of decryptions that the token
 * was asked for. */
static unsigned refuses_blob(struct shim *shim, struct key *key, const struct unwrap_how *how,
                             const void *blob)
{
    unsigned before = shim->decryptions;
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_ERR_REJECTED, decrypt_blob(&out, key, how, (se_bytes){ blob, MODULUS }, &err),
                  &err);
    assert_string_equal(err.text, "it does not decrypt with this key");
    assert_null(out.data);
    return shim->decryptions - before;
}

static void refuses_made(struct shim *shim, struct key *key, const struct unwrap_how *how,
                         const char *name, const struct unwrap_how *made, const char *options)
{
    AUTO(se_buf) blob = SE_BUF_INIT;

    encrypts(&blob, name, made, options);
    assert_int_equal(refuses_blob(shim, key, how, blob.data), 3);
}

static void all_refusals(struct shim *shim, struct key *key, const struct unwrap_how *how)
{
    const struct unwrap_how other_digest = { DIGEST_SHA256, how->mgf1 },
                            other_mgf1 = { how->digest, DIGEST_SHA512 };
    unsigned char blob[MODULUS] = { 0 };

    refuses_made(shim, key, how, "rsa", how, "-pkeyopt rsa_oaep_label:6c6162656c");
    refuses_made(shim, key, how, "rsa", &other_digest, "");
    refuses_made(shim, key, how, "rsa", &other_mgf1, "");
    refuses_made(shim, key, how, "other", how, "");
    assert_int_equal(refuses_blob(shim, key, how, blob), 3);
    blob[MODULUS - 1] = 1;
    assert_int_equal(refuses_blob(shim, key, how, blob), 3);
    memset(blob, 0xff, sizeof blob);
    assert_int_equal(refuses_blob(shim, key, how, blob), 3);
}

static void all_that_does_not_decrypt_is_refused_alike(void **state)
{
    struct shim *shim;
    struct key *key = open_rsa(&shim);

    (void)state;
    decrypts(key, "rsa", &sha1);
    decrypts(key, "rsa", &sha384);
    decrypts(key, "rsa", &mixed);
    all_refusals(shim, key, &sha1);
    all_refusals(shim, key, &sha384);
    all_refusals(shim, key, &mixed);
    decrypts(key, "rsa", &sha1);
    key_unref(key);
}

/* Whatever a token calls it, it sounds the same, costs the same, and no session is given up for it.
 */
static void every_answer_to_a_blob(void **state)
{
    static const CK_RV answers[] = {
        CKR_ENCRYPTED_DATA_INVALID,
        CKR_ENCRYPTED_DATA_LEN_RANGE,
        CKR_DATA_INVALID,
        CKR_DATA_LEN_RANGE,
        CKR_FUNCTION_FAILED,
        CKR_GENERAL_ERROR,
        CKR_DEVICE_ERROR,
        CKR_ARGUMENTS_BAD,
        CKR_FUNCTION_REJECTED,
        CKR_WRAPPED_KEY_INVALID,
        CKR_MECHANISM_PARAM_INVALID,
        CKR_VENDOR_DEFINED + 7,
    };
    struct shim *shim;
    struct key *key = open_rsa(&shim);
    AUTO(se_buf) labelled = SE_BUF_INIT;

    (void)state;
    decrypts(key, "rsa", &sha1);
    encrypts(&labelled, "rsa", &sha1, "-pkeyopt rsa_oaep_label:6c6162656c");
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        shim->decrypt_failure = answers[i];
        assert_int_equal(refuses_blob(shim, key, &sha1, labelled.data), 3);
        decrypts(key, "rsa", &sha1);
        assert_int_equal(shim->sessions, 1);
        assert_int_equal(shim->logins, 1);
    }
    key_unref(key);
}

/* A good blob is never refused because the token is unwell: that would be taken for lost data. */
static void a_token_that_fails_is_no_refusal(void **state)
{
    static const struct {
        CK_RV rv;
        se_status status;
    } answers[] = {
        { CKR_GENERAL_ERROR, SE_ERR_UNAVAILABLE },
        { CKR_FUNCTION_FAILED, SE_ERR_UNAVAILABLE },
        { CKR_DEVICE_REMOVED, SE_ERR_UNAVAILABLE },
        { CKR_DEVICE_ERROR, SE_ERR_UNAVAILABLE },
        { CKR_USER_NOT_LOGGED_IN, SE_ERR_UNAVAILABLE },
        { CKR_SESSION_HANDLE_INVALID, SE_ERR_UNAVAILABLE },
        { CKR_HOST_MEMORY, SE_ERR_MEMORY },
        { CKR_ENCRYPTED_DATA_INVALID, SE_ERR_CRYPTO },
        { CKR_OPERATION_NOT_INITIALIZED, SE_ERR_CRYPTO },
    };
    struct shim *shim;
    struct key *key = open_rsa(&shim);

    (void)state;
    decrypts(key, "rsa", &sha1);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        shim->decrypt = answers[i].rv;
        fails_to_decrypt(key, &sha1, answers[i].status, "cannot decrypt with CKM_RSA_");
        shim->decrypt = CKR_OK;
        decrypts(key, "rsa", &sha1);
    }
    key_unref(key);
}

static void a_passing_failure_is_no_refusal(void **state)
{
    struct shim *shim;
    struct key *key = open_rsa(&shim);

    (void)state;
    decrypts(key, "rsa", &sha1);
    shim->fail_once = CKR_FUNCTION_FAILED;
    decrypts(key, "rsa", &sha1);
    decrypts(key, "rsa", &sha384);
    shim->fail_once = CKR_GENERAL_ERROR;
    decrypts(key, "rsa", &sha384);
    key_unref(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_does_not_decrypt_is_refused_alike),
        cmocka_unit_test(every_answer_to_a_blob),
        cmocka_unit_test(a_token_that_fails_is_no_refusal),
        cmocka_unit_test(a_passing_failure_is_no_refusal),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
