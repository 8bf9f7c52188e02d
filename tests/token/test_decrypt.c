/* SPDX-License-Identifier: Apache-2.0 */
/* Decryption by a token: natively, or with the padding removed in software. */
#include <openssl/cms.h>
#include <pthread.h>
#include <stdio.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "tests/token/judge.h"

enum { MODULUS = 256, THREADS = 8 };

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
    make_certificate("alien", "rsa:2048", "");
    put_key("lab", "alien", "alien", "04");
    put_certificate("lab", "rsa", "alien", "04");
    return 0;
}

static void every_pair_of_digests(void **state)
{
    struct key *key = opens(ref_to("lab", "rsa"), PART_DECRYPT);

    (void)state;
    for (enum digest d = DIGEST_SHA1; d <= DIGEST_SHA512; d++)
        for (enum digest m = DIGEST_SHA1; m <= DIGEST_SHA512; m++)
            decrypts(key, "rsa", &(struct unwrap_how){ d, m });
    key_unref(key);
}

static void native_first_and_probed_once(void **state)
{
    struct shim *shim;
    struct key *key = open_rsa(&shim);

    (void)state;
    decrypts(key, "rsa", &sha1);
    assert_int_equal(shim->mechanism, CKM_RSA_PKCS_OAEP);
    assert_int_equal(shim->decryptions, 2);
    decrypts(key, "rsa", &sha1);
    assert_int_equal(shim->decryptions, 3);
    decrypts(key, "rsa", &sha384);
    assert_int_equal(shim->mechanism, CKM_RSA_X_509);
    assert_int_equal(shim->decryptions, 5);
    decrypts(key, "rsa", &sha384);
    assert_int_equal(shim->decryptions, 6);
    decrypts(key, "rsa", &sha1);
    assert_int_equal(shim->mechanism, CKM_RSA_PKCS_OAEP);
    key_unref(key);
}

static void refuse(struct shim *shim, CK_RV rv, bool late)
{
    shim->refused[0] = CKM_RSA_PKCS_OAEP;
    shim->refusal = rv;
    shim->refused_late = late;
}

static void every_answer_that_refuses(void **state)
{
    static const CK_RV answers[] = {
        CKR_ARGUMENTS_BAD,      CKR_MECHANISM_PARAM_INVALID,
        CKR_MECHANISM_INVALID,  CKR_FUNCTION_NOT_SUPPORTED,
        CKR_FUNCTION_FAILED,    CKR_GENERAL_ERROR,
        CKR_DATA_INVALID,       CKR_DEVICE_ERROR,
        CKR_VENDOR_DEFINED + 7,
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof answers / sizeof *answers; i++) {
        struct shim *shim;
        struct key *key = open_rsa(&shim);

        refuse(shim, answers[i / 2], i % 2);
        decrypts(key, "rsa", &sha1);
        assert_int_equal(shim->mechanism, CKM_RSA_X_509);
        assert_int_equal(shim->sessions, 1); /* none was given up for it */
        key_unref(key);
    }
}

static void what_fails_while_probing_is_not_remembered(void **state)
{
    struct shim *shim;
    struct key *key = open_rsa(&shim);

    (void)state;
    shim->decrypt = CKR_DEVICE_REMOVED;
    fails_to_decrypt(key, &sha1, SE_ERR_UNAVAILABLE, "token 'lab' in slot ");
    shim->decrypt = CKR_GENERAL_ERROR;
    fails_to_decrypt(key, &sha1, SE_ERR_UNAVAILABLE,
                     "key 'rsa': cannot decrypt with CKM_RSA_X_509: CKR_GENERAL_ERROR");
    shim->decrypt = CKR_OK;
    decrypts(key, "rsa", &sha1);
    assert_int_equal(shim->mechanism, CKM_RSA_PKCS_OAEP);
    key_unref(key);
}

static void a_token_that_can_do_neither(void **state)
{
    struct shim *shim;
    struct key *key = open_rsa(&shim);

    (void)state;
    refuse(shim, CKR_MECHANISM_INVALID, false);
    shim->refused[1] = CKM_RSA_X_509;
    fails_to_decrypt(key, &mixed, SE_ERR_KEY,
                     "the token has neither CKM_RSA_PKCS_OAEP with SHA-384 and MGF1 over SHA-1 "
                     "(CKR_MECHANISM_INVALID) nor CKM_RSA_X_509 "
                     "(CKR_MECHANISM_INVALID)");
    shim->refusal = CKR_KEY_FUNCTION_NOT_PERMITTED;
    fails_to_decrypt(key, &mixed, SE_ERR_KEY, "the private key may not decrypt");
    key_unref(key);
}

/* The number that an RSA decryption gives begins with a zero; some tokens leave it out. */
static void stripped_zeros(void **state)
{
    struct shim *shim;
    struct key *key = open_rsa(&shim);

    (void)state;
    shim->strip_zeros = true;
    for (int i = 0; i < 20; i++)
        decrypts(key, "rsa", &sha384);
    assert_int_equal(shim->mechanism, CKM_RSA_X_509);
    key_unref(key);
}

static void an_answer_that_is_too_long(void **state)
{
    struct shim *shim;
    struct key *key = open_rsa(&shim);

    (void)state;
    decrypts(key, "rsa", &sha1);
    decrypts(key, "rsa", &sha384);
    shim->decrypt_more = MODULUS;
    fails_to_decrypt(key, &sha1, SE_ERR_UNAVAILABLE, "cannot decrypt with CKM_RSA_");
    fails_to_decrypt(key, &sha384, SE_ERR_UNAVAILABLE, "cannot decrypt with CKM_RSA_");
    key_unref(key);
}

/* Without a modulus to compare, a key shows by decrypting whose it is. */
static void a_key_without_modulus(void **state)
{
    struct shim *shim;
    struct keyref *mine = ref_through_shim(&shim, "lab", "rsa"),
                  *alien = ref_through_shim(&shim, "lab", "alien");
    struct key *key;

    (void)state;
    shim->hidden = CKA_MODULUS;
    key = opens(mine, PART_DECRYPT);
    decrypts(key, "rsa", &sha384);
    key_unref(key);
    refuses(SE_ERR_KEY, alien, PART_DECRYPT,
            "private key 'alien' and its certificate do not belong together", NULL);
    shim->decrypt = CKR_DEVICE_REMOVED;
    refuses(SE_ERR_UNAVAILABLE, mine, PART_DECRYPT, "CKR_DEVICE_REMOVED", NULL);
}

struct job {
    struct key *key;
    se_bytes blob;
    bool good;
};

static void *work(void *arg)
{
    struct job *job = arg;

    job->good = true;
    for (int i = 0; i < 20; i++) {
        AUTO(se_buf) out = SE_BUF_INIT;

        job->good = job->good && !decrypt_blob(&out, job->key, &sha384, job->blob, NULL) &&
                    out.size == strlen(clear_text);
    }
    return NULL;
}

/* All of them find out at once how the token does it. */
static void many_threads(void **state)
{
    struct key *key = opens(ref_to("lab", "rsa"), PART_DECRYPT);
    AUTO(se_buf) blob = SE_BUF_INIT;
    pthread_t threads[THREADS];
    struct job jobs[THREADS];

    (void)state;
    encrypts(&blob, "rsa", &sha384, "");
    for (size_t i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){ key, buf_bytes(&blob), false };
        assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(jobs[i].good);
    }
    key_unref(key);
}

/* The key wants the PIN for each operation, those of the probe too. */
static void a_key_that_always_authenticates(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "careful");
    struct key *key;

    (void)state;
    make_certificate("careful", "rsa:2048", "");
    run("pkcs11-tool --module '%s' --token-label lab --login --pin " PIN
        " --write-object careful.key --type privkey --label careful "
        "--id 09 --always-auth --usage-decrypt",
        softhsm);
    put_certificate("lab", "careful", "careful", "09");
    key = opens(ref, PART_DECRYPT);
    decrypts(key, "careful", &sha1);
    assert_int_equal(shim->context_logins, 2);
    decrypts(key, "careful", &sha1);
    assert_int_equal(shim->context_logins, 3);
    key_unref(key);
}

/* A message that the openssl command made, opened by OpenSSL's CMS with the key in the token. */
static void cms(void **state)
{
    struct key *key = opens(ref_to("lab", "rsa"), PART_DECRYPT);
    CMS_ContentInfo *message = CMS_ContentInfo_new_ex(crypto_context(), NULL);
    BIO *out = BIO_new(BIO_s_mem()), *in;
    char *text;
    long size;

    (void)state;
    run("printf 'for your eyes' >plain && openssl cms -encrypt -binary -aes256 -in plain -outform "
        "DER -out sealed -recip rsa.pem "
        "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha384 -keyopt rsa_mgf1_md:sha384");
    in = BIO_new_file(file_of("sealed"), "rb");
    assert_non_null(d2i_CMS_bio(in, &message));
    assert_true(CMS_decrypt(message, key->private, key->certificate, NULL, out, CMS_BINARY));
    size = BIO_get_mem_data(out, &text);
    assert_int_equal(size, 13);
    assert_memory_equal(text, "for your eyes", 13);
    CMS_ContentInfo_free(message);
    BIO_free(in);
    BIO_free(out);
    key_unref(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_digests),
        cmocka_unit_test(native_first_and_probed_once),
        cmocka_unit_test(every_answer_that_refuses),
        cmocka_unit_test(what_fails_while_probing_is_not_remembered),
        cmocka_unit_test(a_token_that_can_do_neither),
        cmocka_unit_test(stripped_zeros),
        cmocka_unit_test(an_answer_that_is_too_long),
        cmocka_unit_test(a_key_without_modulus),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(a_key_that_always_authenticates),
        cmocka_unit_test(cms),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
