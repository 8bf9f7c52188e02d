/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of a token that refuses a padding: the padding is made in software, and the token only
 * exponentiates. */
#include "tests/token/judge.h"

static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "rsa", "rsa:2048", "01");
    put_pair("lab", "odd", "rsa:2049", "02");
    put_pair("lab", "ec", "ec:P-256", "03");
    return 0;
}

static void refuse(struct shim *shim, CK_MECHANISM_TYPE mechanism, CK_RV rv, bool late)
{
    shim->refused[0] = mechanism;
    shim->refusal = rv;
    shim->refused_late = late;
}

/* every answer by which tokens refuse, at both calls; what was found out is not asked again */
static void a_padding_that_is_refused(CK_MECHANISM_TYPE mechanism, bool pss)
{
    static const CK_RV answers[] = { CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID,
                                     CKR_ARGUMENTS_BAD, CKR_FUNCTION_NOT_SUPPORTED };

    for (size_t i = 0; i < 8; i++) {
        struct shim *shim;
        struct key *key = opens(ref_through_shim(&shim, "lab", "rsa"), PART_SIGN);

        refuse(shim, mechanism, answers[i / 2], i % 2);
        signs(key, "rsa", DIGEST_SHA384, pss ? 48 : 0);
        assert_int_equal(shim->mechanism, CKM_RSA_X_509);
        assert_int_equal(shim->signed_bytes, 256);
        refuse(shim, 0, CKR_OK, false);
        signs(key, "rsa", DIGEST_SHA384, pss ? 48 : 0);
        assert_int_equal(shim->mechanism, CKM_RSA_X_509);
        signs(key, "rsa", DIGEST_SHA256, pss ? 32 : 0);
        assert_int_equal(shim->mechanism, mechanism);
        key_unref(key);
    }
}

static void pkcs1(void **state)
{
    (void)state;
    a_padding_that_is_refused(CKM_RSA_PKCS, false);
}

static void pss(void **state)
{
    (void)state;
    a_padding_that_is_refused(CKM_RSA_PKCS_PSS, true);
}

/* A modulus of 8n+1 bits: the encoded message has a byte less than the signature. */
static void odd_sizes(void **state)
{
    struct shim *shim;
    struct key *key = opens(ref_through_shim(&shim, "lab", "odd"), PART_SIGN);

    (void)state;
    refuse(shim, CKM_RSA_PKCS_PSS, CKR_MECHANISM_INVALID, false);
    shim->refused[1] = CKM_RSA_PKCS;
    for (enum digest d = DIGEST_SHA256; d <= DIGEST_SHA512; d++) {
        signs(key, "odd", d, digest_size(d));
        signs(key, "odd", d, 20);
        signs(key, "odd", d, 0);
    }
    key_unref(key);
}

static void fails(struct key *key, int salt, se_status status, const char *text)
{
    static const unsigned char hash[32];
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(
        status,
        sign_hash(&signature, key, DIGEST_SHA256, salt, (se_bytes){ hash, sizeof hash }, &err),
        &err);
    assert_null(signature.data);
    if (!strstr(err.text, text))
        fail_msg("'%s' is not in: %s", text, err.text);
}

static void a_token_that_can_do_neither(void **state)
{
    struct shim *shim;
    struct key *key = opens(ref_through_shim(&shim, "lab", "rsa"), PART_SIGN);

    (void)state;
    refuse(shim, CKM_RSA_X_509, CKR_MECHANISM_INVALID, false);
    shim->refused[1] = CKM_RSA_PKCS_PSS;
    fails(key, 32, SE_ERR_KEY,
          "the token has neither CKM_RSA_PKCS_PSS nor CKM_RSA_X_509 for it: CKR_MECHANISM_INVALID");
    signs(key, "rsa", DIGEST_SHA256, 0);
    shim->refused[1] = CKM_RSA_PKCS;
    fails(key, 0, SE_ERR_KEY,
          "the token has neither CKM_RSA_PKCS nor CKM_RSA_X_509 for it: CKR_MECHANISM_INVALID");
    signs(key, "rsa", DIGEST_SHA256, 32);
    key_unref(key);
    key = opens(ref_through_shim(&shim, "lab", "ec"), PART_SIGN);
    refuse(shim, CKM_ECDSA, CKR_MECHANISM_INVALID, false);
    fails(key, 0, SE_ERR_KEY, "the token has no CKM_ECDSA: CKR_MECHANISM_INVALID");
    key_unref(key);
}

/* What is no refusal leads to no second try, and what was not found out is not remembered. */
static void other_failures(void **state)
{
    struct shim *shim;
    struct key *key = opens(ref_through_shim(&shim, "lab", "rsa"), PART_SIGN);

    (void)state;
    shim->sign = CKR_DEVICE_ERROR;
    fails(key, 32, SE_ERR_UNAVAILABLE, "cannot sign with CKM_RSA_PKCS_PSS: CKR_DEVICE_ERROR");
    assert_int_equal(shim->signatures, 2); /* the second is healing's, and of the same mechanism */
    wait_for_probe();
    shim->sign = CKR_OK;
    refuse(shim, CKM_RSA_PKCS_PSS, CKR_MECHANISM_INVALID, false);
    shim->sign = CKR_FUNCTION_FAILED;
    fails(key, 32, SE_ERR_UNAVAILABLE, "cannot sign with CKM_RSA_X_509: CKR_FUNCTION_FAILED");
    shim->sign = CKR_OK;
    refuse(shim, 0, CKR_OK, false);
    signs(key, "rsa", DIGEST_SHA256, 32);
    assert_int_equal(shim->mechanism, CKM_RSA_PKCS_PSS);
    key_unref(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pkcs1),          cmocka_unit_test(pss),
        cmocka_unit_test(odd_sizes),      cmocka_unit_test(a_token_that_can_do_neither),
        cmocka_unit_test(other_failures),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
