/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every operation with the keys rsa, p256, p384 and p521 of a token that the environment names:
 *   SHIM_MODULE          its module
 *   TOKEN_FOLDER         a folder with NAME.pem, the certificates
 *   TOKEN_LABEL, TOKEN_INIT_ARGS, TOKEN_PIN
 *   TOKEN_CURVES         the EC keys that there are, if not all three
 *   TOKEN_EC             "none": the token has no CKM_ECDSA
 *   TOKEN_OAEP           "native": the token does OAEP with every digest; "sha1": with SHA-1 only;
 * else: no matter
 */
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"
#include "tests/token/judge.h"

enum { THREADS = 8, SIGNATURES = 20 };

static struct shim *shim;

static struct keyref *token_ref(const char *alias)
{
    struct keyref *ref = ref_through_shim(&shim, getenv("TOKEN_LABEL"), alias);

    ref->init_args = getenv("TOKEN_INIT_ARGS") ? getenv("TOKEN_INIT_ARGS") : "";
    if (getenv("TOKEN_PIN"))
        ref_pin(ref, getenv("TOKEN_PIN"));
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

        if (getenv("TOKEN_CURVES") && !strstr(getenv("TOKEN_CURVES"), curves[c]))
            continue;
        if (getenv("TOKEN_EC")) {
            refuses(SE_ERR_KEY, token_ref(curves[c]), PART_SIGN,
                    "the token has no CKM_ECDSA: CKR_MECHANISM_INVALID", NULL);
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

static void refuses_value(struct key *key, const struct unwrap_how *how, se_bytes value)
{
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_ERR_REJECTED, key_unwrap(&out, key->private, how, value, &err), &err);
    assert_string_equal(err.text, "it does not decrypt with this key");
    assert_null(out.data);
}

static void refuses_blob(struct key *key, const struct unwrap_how *how, const void *blob)
{
    refuses_value(key, how, (se_bytes){ blob, 256 });
}

/* Whatever the token says to them. */
static void what_does_not_decrypt(void **state)
{
    static const struct unwrap_how how = { DIGEST_SHA384, DIGEST_SHA384 },
                                   other = { DIGEST_SHA384, DIGEST_SHA1 };
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

/* ---- paddings that RFC 8017, 7.1.2 refuses, step by step ---- */

enum flaw { NO_FLAW, FIRST_BYTE, LABEL, PADDING, SEPARATOR, NO_SEPARATOR, ALL_ZEROS, FLAWS };

/* MGF1 (RFC 8017, B.2.1) */
static void mask(unsigned char *out, size_t size, enum digest digest, se_bytes seed)
{
    const size_t step = (size_t)digest_size(digest);
    unsigned char counted[256 + 4] = { 0 }, block[EVP_MAX_MD_SIZE];

    memcpy(counted, seed.data, seed.size);
    for (size_t i = 0; i < size; i++) {
        if (i % step == 0) {
            assert_true(EVP_Digest(counted, seed.size + 4, block, NULL, crypto_md(digest), NULL));
            counted[seed.size + 3]++;
        }
        out[i] ^= block[i % step];
    }
}

static void craft(unsigned char padded[256], const struct unwrap_how *how, enum flaw flaw)
{
    const size_t hash = (size_t)digest_size(how->digest), size = 255 - hash,
                 text = strlen(clear_text);
    unsigned char *seed = padded + 1, *block = seed + hash;

    memset(padded, 0, 256);
    if (flaw == ALL_ZEROS)
        return;
    padded[0] = flaw == FIRST_BYTE;
    memset(seed, 'S', hash);
    assert_true(EVP_Digest("", 0, block, NULL, crypto_md(how->digest), NULL));
    block[hash - 1] ^= flaw == LABEL;
    block[hash + 3] = flaw == PADDING ? 7 : 0;
    block[size - text - 1] = flaw == SEPARATOR ? 2 : 1;
    memcpy(block + size - text, clear_text, text);
    if (flaw == NO_SEPARATOR)
        memset(block + hash, 0, size - hash);
    mask(block, size, how->mgf1, (se_bytes){ seed, hash });
    mask(seed, hash, how->mgf1, (se_bytes){ block, size });
}

static void assert_clear(struct key *key, const struct unwrap_how *how,
                         const unsigned char blob[256])
{
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, decrypt_blob(&out, key, how, (se_bytes){ blob, 256 }, &err), &err);
    assert_int_equal(out.size, strlen(clear_text));
    assert_memory_equal(out.data, clear_text, out.size);
}

static void encrypt_raw(unsigned char blob[256], const struct key *key,
                        const unsigned char padded[256])
{
    EVP_PKEY_CTX *context =
        EVP_PKEY_CTX_new_from_pkey(crypto_context(), X509_get0_pubkey(key->certificate), NULL);
    size_t size = 256;

    assert_true(context && EVP_PKEY_encrypt_init(context) > 0 &&
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) > 0 &&
                EVP_PKEY_encrypt(context, blob, &size, padded, 256) > 0);
    assert_int_equal(size, 256);
    EVP_PKEY_CTX_free(context);
}

static void every_flaw(struct key *key, const struct unwrap_how *how)
{
    for (enum flaw flaw = NO_FLAW; flaw < FLAWS; flaw++) {
        unsigned char padded[256], blob[256];

        craft(padded, how, flaw);
        encrypt_raw(blob, key, padded);
        if (flaw == NO_FLAW)
            assert_clear(key, how, blob);
        else
            refuses_blob(key, how, blob);
    }
}

/* Natively where the token can, and by the fallback. */
static void every_flaw_of_a_padding_is_refused_alike(void **state)
{
    static const struct unwrap_how hows[] = { { DIGEST_SHA1, DIGEST_SHA1 },
                                              { DIGEST_SHA384, DIGEST_SHA384 },
                                              { DIGEST_SHA256, DIGEST_SHA1 } };
    struct key *key = opens(token_ref("rsa"), PART_DECRYPT);

    (void)state;
    for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
        every_flaw(key, &hows[i]);
        judge_mechanism(&hows[i]);
    }
    key_unref(key);
}

/* A number that begins with a zero has the size of all others, and neither loses nor gains one. */
static void leading_zeros_count(void **state)
{
    static const struct unwrap_how hows[] = { { DIGEST_SHA1, DIGEST_SHA1 },
                                              { DIGEST_SHA384, DIGEST_SHA384 } };
    struct key *key = opens(token_ref("rsa"), PART_DECRYPT);

    (void)state;
    for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
        unsigned char longer[257] = { 0 };
        AUTO(se_buf) blob = SE_BUF_INIT;

        do {
            se_buf_free(&blob);
            assert_int_equal(key_wrap(&blob, X509_get0_pubkey(key->certificate), &hows[i],
                                      text_bytes(clear_text), NULL),
                             SE_OK);
        } while (blob.data[0]);
        assert_clear(key, &hows[i], blob.data);
        memcpy(longer + 1, blob.data, 256);
        refuses_value(key, &hows[i], (se_bytes){ longer, 257 });
        refuses_value(key, &hows[i], (se_bytes){ blob.data + 1, 255 });
        refuses_value(key, &hows[i], (se_bytes){ blob.data, 0 });
    }
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
        cmocka_unit_test(every_flaw_of_a_padding_is_refused_alike),
        cmocka_unit_test(leading_zeros_count),
        cmocka_unit_test(many_threads_with_one_key),
    };

    return cmocka_run_group_tests(tests, fixture_given, fixture_release);
}
