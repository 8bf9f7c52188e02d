/*
 * Every operation with the keys rsa, p256, p384 and p521 of a token that the environment names:
 *   SHIM_MODULE          its module
 *   TOKEN_FOLDER         a folder with NAME.pem, the certificates
 *   TOKEN_LABEL, TOKEN_INIT_ARGS
 *   TOKEN_EC             "none": the token has no CKM_ECDSA
 *   TOKEN_OAEP           "native": the token does OAEP with every digest; "sha1": with SHA-1 only; else: no matter
 */
#include <pthread.h>
#include <stdlib.h>

#include "tests/token/judge.h"

enum { THREADS = 8, SIGNATURES = 20 };

static struct shim *shim;

static struct keyref *token_ref(const char *alias)
{
    struct keyref *ref = ref_through_shim(&shim, getenv("TOKEN_LABEL"), alias);

    ref->init_args = getenv("TOKEN_INIT_ARGS") ? getenv("TOKEN_INIT_ARGS") : "";
    return ref;
}

static void rsa_pkcs1(void **state)
{
    struct key *key = opens(token_ref("rsa"), PART_SIGN);

    (void)state;
    for (enum digest d = DIGEST_SHA256; d <= DIGEST_SHA512; d++)
        signs(key, "rsa", d, 0);
    key_unref(key);
}

static void rsa_pss(void **state)
{
    struct key *key = opens(token_ref("rsa"), PART_SIGN);

    (void)state;
    for (enum digest d = DIGEST_SHA256; d <= DIGEST_SHA512; d++)
        signs(key, "rsa", d, digest_size(d));
    key_unref(key);
}

static void ecdsa(void **state)
{
    static const char *const curves[] = { "p256", "p384", "p521" };

    (void)state;
    for (size_t c = 0; c < 3; c++) {
        struct key *key;

        if (getenv("TOKEN_EC")) {
            refuses(SE_ERR_KEY, token_ref(curves[c]), PART_SIGN, "the token has no CKM_ECDSA: CKR_MECHANISM_INVALID", NULL);
            continue;
        }
        key = opens(token_ref(curves[c]), PART_SIGN);
        for (enum digest d = DIGEST_SHA256; d <= DIGEST_SHA512; d++)
            signs(key, curves[c], d, 0);
        key_unref(key);
    }
}

static void judge_mechanism(const struct unwrap_how *how)
{
    const char *oaep = getenv("TOKEN_OAEP");
    bool native = shim->mechanism == CKM_RSA_PKCS_OAEP;

    if (oaep && strcmp(oaep, "native") == 0)
        assert_true(native);
    if (oaep && strcmp(oaep, "sha1") == 0)
        assert_int_equal(native, how->digest == DIGEST_SHA1 && how->mgf1 == DIGEST_SHA1);
}

static void oaep(void **state)
{
    struct key *key = opens(token_ref("rsa"), PART_DECRYPT);

    (void)state;
    for (enum digest d = DIGEST_SHA1; d <= DIGEST_SHA512; d++)
        for (enum digest m = DIGEST_SHA1; m <= DIGEST_SHA512; m++) {
            const struct unwrap_how how = { d, m };

            decrypts(key, "rsa", &how);
            judge_mechanism(&how);
        }
    key_unref(key);
}

static void refuses_blob(struct key *key, const struct unwrap_how *how, const void *blob)
{
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_ERR_REJECTED, decrypt_blob(&out, key, how, (se_bytes){ blob, 256 }, &err), &err);
    assert_string_equal(err.text, "it does not decrypt with this key");
}

/* Whatever the token says to them. */
static void what_does_not_decrypt(void **state)
{
    static const struct unwrap_how how = { DIGEST_SHA384, DIGEST_SHA384 }, other = { DIGEST_SHA384, DIGEST_SHA1 };
    struct key *key = opens(token_ref("rsa"), PART_DECRYPT);
    AUTO(se_buf) blob = SE_BUF_INIT;
    AUTO(se_buf) labelled = SE_BUF_INIT;
    unsigned char high[256];

    (void)state;
    encrypts(&blob, "rsa", &other, "");
    encrypts(&labelled, "rsa", &how, "-pkeyopt rsa_oaep_label:6c6162656c");
    memset(high, 0xff, sizeof high);
    refuses_blob(key, &how, blob.data);
    refuses_blob(key, &how, labelled.data);
    refuses_blob(key, &how, high);
    blob.data[100] ^= 1;
    refuses_blob(key, &other, blob.data);
    decrypts(key, "rsa", &how);
    key_unref(key);
}

struct worker {
    pthread_t thread;
    struct key *key;
    unsigned good;
    se_error error;
};

static void *sign_often(void *arg)
{
    struct worker *w = arg;

    for (unsigned char n = 0; n < SIGNATURES; n++) {
        const unsigned char hash[32] = { n };
        const se_bytes hashed = { hash, sizeof hash };
        AUTO(se_buf) signature = SE_BUF_INIT;

        if (!sign_hash(&signature, w->key, DIGEST_SHA256, 0, hashed, &w->error) &&
            verify_hash(w->key, DIGEST_SHA256, 0, hashed, buf_bytes(&signature)))
            w->good++;
    }
    return NULL;
}

/* Some tokens crash when they are asked by two at once: then they are not. */
static void many_threads_with_one_key(void **state)
{
    struct key *key = opens(token_ref("rsa"), PART_SIGN);
    struct worker workers[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .key = key, .error = SE_ERROR_INIT };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, sign_often, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_status(SE_OK, workers[i].error.status, &workers[i].error);
        assert_int_equal(workers[i].good, SIGNATURES);
    }
    key_unref(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_pkcs1),
        cmocka_unit_test(rsa_pss),
        cmocka_unit_test(ecdsa),
        cmocka_unit_test(oaep),
        cmocka_unit_test(what_does_not_decrypt),
        cmocka_unit_test(many_threads_with_one_key),
    };

    return cmocka_run_group_tests(tests, fixture_given, fixture_release);
}
