/* SPDX-License-Identifier: Apache-2.0 */
/* Decryption through the bridge, with a key that is only a function: OAEP, and nothing else. */
#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/crypto.h"
#include "crypto/key.h"
#include "crypto/provider_keymgmt.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

enum { MODULUS = 256, ROOM = 512 };

/* A "remote" key: a local one that counts. */
struct fake {
    EVP_PKEY *key;
    unsigned unwrapped;
    struct unwrap_how last;
    se_status fail;
};

static EVP_PKEY_CTX *oaep(EVP_PKEY *key, int (*init)(EVP_PKEY_CTX *), const struct unwrap_how *how)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(crypto_context(), key, NULL);

    assert_true(init(context) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_oaep_md_name(context, crypto_digest(how->digest), NULL) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, crypto_digest(how->mgf1), NULL) > 0);
    return context;
}

static se_status fake_unwrap(se_buf *out, void *data, const struct unwrap_how *how, se_bytes blob,
                             se_error *err)
{
    struct fake *fake = data;
    EVP_PKEY_CTX *context = oaep(fake->key, EVP_PKEY_decrypt_init, how);
    size_t size = MODULUS;
    bool done;

    fake->unwrapped++;
    fake->last = *how;
    assert_int_equal(blob.size, MODULUS);
    assert_int_equal(buf_new(out, size, NULL), SE_OK);
    done = EVP_PKEY_decrypt(context, out->data, &size, blob.data, blob.size) > 0;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    if (fake->fail)
        return error_set(err, fake->fail, "the token is at lunch");
    if (!done)
        return remote_refused(err);
    out->size = size;
    return SE_OK;
}

static void fake_close(void *data)
{
    (void)data;
}

static const struct remote_ops ops = { .unwrap = fake_unwrap, .close = fake_close };
static struct fake fake;
static EVP_PKEY *bridged;

static int setup(void **state)
{
    (void)state;
    fake = (struct fake){ .key = make_key("RSA-2048") };
    return remote_key(&bridged, &ops, &fake, fake.key, NULL);
}

static int teardown(void **state)
{
    (void)state;
    EVP_PKEY_free(bridged);
    EVP_PKEY_free(fake.key);
    return 0;
}

static const unsigned char secret[] = "a symmetric key of 32 bytes, no ";
static const se_bytes clear = { secret, sizeof secret - 1 };

/* What other people's software makes of `clear` with the public key; `label` may be NULL. */
static void encrypt(unsigned char out[MODULUS], const struct unwrap_how *how, const char *label)
{
    EVP_PKEY_CTX *context = oaep(fake.key, EVP_PKEY_encrypt_init, how);
    size_t size = MODULUS;

    if (label)
        assert_true(EVP_PKEY_CTX_set0_rsa_oaep_label(context, OPENSSL_strdup(label),
                                                     (int)strlen(label)) > 0);
    assert_true(EVP_PKEY_encrypt(context, out, &size, clear.data, clear.size) > 0);
    assert_int_equal(size, MODULUS);
    EVP_PKEY_CTX_free(context);
}

static bool decrypts(const struct unwrap_how *how, se_bytes blob)
{
    EVP_PKEY_CTX *context = oaep(bridged, EVP_PKEY_decrypt_init, how);
    unsigned char out[ROOM];
    size_t size = sizeof out;
    bool done = EVP_PKEY_decrypt(context, out, &size, blob.data, blob.size) > 0;

    EVP_PKEY_CTX_free(context);
    if (done) {
        assert_int_equal(size, clear.size);
        assert_memory_equal(out, secret, size);
    }
    return done;
}

static void every_pair_of_digests(void **state)
{
    unsigned char blob[MODULUS];

    (void)state;
    for (enum digest d = DIGEST_SHA1; d <= DIGEST_SHA512; d++)
        for (enum digest m = DIGEST_SHA1; m <= DIGEST_SHA512; m++) {
            const struct unwrap_how how = { d, m };

            encrypt(blob, &how, NULL);
            assert_true(decrypts(&how, (se_bytes){ blob, sizeof blob }));
            assert_int_equal(fake.last.digest, d);
            assert_int_equal(fake.last.mgf1, m);
        }
    assert_int_equal(fake.unwrapped, 16);
}

/* The calls that take an EVP_MD, and what holds when only some of them are made. */
static void digests_as_objects_and_defaults(void **state)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(crypto_context(), bridged, NULL);
    unsigned char blob[MODULUS], out[ROOM];
    size_t size = sizeof out;
    int padding = 0;
    char name[32];

    (void)state;
    assert_true(EVP_PKEY_decrypt_init(context) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0);
    encrypt(blob, &(struct unwrap_how){ DIGEST_SHA1, DIGEST_SHA1 }, NULL);
    assert_true(EVP_PKEY_decrypt(context, out, &size, blob, sizeof blob) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha384()) > 0);
    encrypt(blob, &(struct unwrap_how){ DIGEST_SHA384, DIGEST_SHA384 }, NULL);
    size = sizeof out;
    assert_true(EVP_PKEY_decrypt(context, out, &size, blob, sizeof blob) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha1()) > 0);
    encrypt(blob, &(struct unwrap_how){ DIGEST_SHA384, DIGEST_SHA1 }, NULL);
    size = sizeof out;
    assert_true(EVP_PKEY_decrypt(context, out, &size, blob, sizeof blob) > 0);
    assert_true(EVP_PKEY_CTX_get_rsa_padding(context, &padding) > 0);
    assert_int_equal(padding, RSA_PKCS1_OAEP_PADDING);
    assert_true(EVP_PKEY_CTX_get_rsa_oaep_md_name(context, name, sizeof name) > 0);
    assert_string_equal(name, "SHA2-384");
    assert_true(EVP_PKEY_CTX_get_rsa_mgf1_md_name(context, name, sizeof name) > 0);
    assert_string_equal(name, "SHA1");
    EVP_PKEY_CTX_free(context);
}

static void a_copied_context_decrypts(void **state)
{
    const struct unwrap_how how = { DIGEST_SHA512, DIGEST_SHA256 };
    EVP_PKEY_CTX *context = oaep(bridged, EVP_PKEY_decrypt_init, &how),
                 *copy = EVP_PKEY_CTX_dup(context);
    unsigned char blob[MODULUS], out[ROOM];
    size_t size = 0;

    (void)state;
    EVP_PKEY_CTX_free(context);
    encrypt(blob, &how, NULL);
    assert_true(EVP_PKEY_decrypt(copy, NULL, &size, blob, sizeof blob) > 0);
    assert_int_equal(size, MODULUS);
    assert_true(EVP_PKEY_decrypt(copy, out, &size, blob, sizeof blob) > 0);
    assert_int_equal(size, clear.size);
    EVP_PKEY_CTX_free(copy);
}

static const struct unwrap_how how384 = { DIGEST_SHA384, DIGEST_SHA384 };

static void refused(const struct unwrap_how *how, const void *blob, size_t size)
{
    se_error err = SE_ERROR_INIT;

    assert_false(decrypts(how, (se_bytes){ blob, size }));
    assert_true(remote_failure(&err));
    assert_int_equal(err.status, SE_ERR_REJECTED);
    assert_string_equal(err.text, "it does not decrypt with this key");
    ERR_clear_error();
}

static void all_that_does_not_decrypt_is_refused_alike(void **state)
{
    unsigned char blob[MODULUS + 1] = { 0 };

    (void)state;
    encrypt(blob, &how384, "a label");
    refused(&how384, blob, MODULUS);
    encrypt(blob, &(struct unwrap_how){ DIGEST_SHA384, DIGEST_SHA1 }, NULL);
    refused(&how384, blob, MODULUS);
    encrypt(blob, &(struct unwrap_how){ DIGEST_SHA256, DIGEST_SHA384 }, NULL);
    refused(&how384, blob, MODULUS);
    encrypt(blob, &how384, NULL);
    blob[MODULUS / 2] ^= 1;
    refused(&how384, blob, MODULUS);
    memset(blob, 0xff, sizeof blob);
    refused(&how384, blob, MODULUS);
    memset(blob, 0, sizeof blob);
    refused(&how384, blob, MODULUS);
}

/* A number with more or fewer leading zeros is another octet string (RFC 8017, 7.1.2, step 1b); no
 * token is asked about it. */
static void sizes_are_exact(void **state)
{
    unsigned char blob[1 + MODULUS + 1] = { 0 };

    (void)state;
    do
        encrypt(blob + 1, &how384, NULL);
    while (blob[1]);
    assert_true(decrypts(&how384, (se_bytes){ blob + 1, MODULUS }));
    fake.unwrapped = 0;
    refused(&how384, blob + 2, MODULUS - 1);
    refused(&how384, blob, MODULUS + 1);
    refused(&how384, blob + 1, MODULUS + 1);
    refused(&how384, blob + 1, MODULUS - 1);
    refused(&how384, blob + 1, 0);
    assert_int_equal(fake.unwrapped, 0);
}

static void what_is_not_oaep_is_refused(void **state)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(crypto_context(), bridged, NULL);
    unsigned char blob[MODULUS], out[ROOM];
    se_error err = SE_ERROR_INIT;
    size_t size = sizeof out;

    (void)state;
    encrypt(blob, &how384, NULL);
    assert_true(EVP_PKEY_decrypt_init(context) > 0);
    assert_false(EVP_PKEY_decrypt(context, out, &size, blob, sizeof blob) > 0);
    assert_true(remote_failure(&err));
    assert_int_equal(err.status, SE_ERR_POLICY);
    assert_non_null(strstr(err.text, "PKCS #1 v1.5"));
    assert_false(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0);
    assert_false(EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0);
    assert_false(EVP_PKEY_CTX_set_rsa_oaep_md_name(context, "MD5", NULL) > 0);
    assert_false(EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, "SHA3-256", NULL) > 0);
    assert_false(EVP_PKEY_CTX_set0_rsa_oaep_label(context, (void *)(uintptr_t) "label", 5) > 0);
    assert_int_equal(fake.unwrapped, 0);
    ERR_clear_error();
    EVP_PKEY_CTX_free(context);
}

static void failures_come_through(void **state)
{
    unsigned char blob[MODULUS];
    se_error err = SE_ERROR_INIT;

    (void)state;
    encrypt(blob, &how384, NULL);
    fake.fail = SE_ERR_UNAVAILABLE;
    assert_false(decrypts(&how384, (se_bytes){ blob, sizeof blob }));
    assert_int_equal(crypto_error(&err, SE_ERR_CRYPTO, "cannot unwrap"), SE_ERR_UNAVAILABLE);
    assert_string_equal(err.text, "cannot unwrap: the token is at lunch");
}

static void a_key_that_only_signs(void **state)
{
    static const struct remote_ops none = { .close = fake_close };
    EVP_PKEY *rsa = bridged, *ec = make_key("P-256"), *ec_bridged;
    unsigned char blob[MODULUS];
    se_error err = SE_ERROR_INIT;
    EVP_PKEY_CTX *context;

    (void)state;
    encrypt(blob, &how384, NULL);
    assert_int_equal(remote_key(&bridged, &none, &fake, fake.key, NULL), SE_OK);
    assert_false(decrypts(&how384, (se_bytes){ blob, sizeof blob }));
    assert_true(remote_failure(&err));
    assert_int_equal(err.status, SE_ERR_KEY);
    EVP_PKEY_free(bridged);
    bridged = rsa;
    assert_int_equal(remote_key(&ec_bridged, &ops, &fake, ec, NULL), SE_OK);
    context = EVP_PKEY_CTX_new_from_pkey(crypto_context(), ec_bridged, NULL);
    assert_false(EVP_PKEY_decrypt_init(context) > 0);
    ERR_clear_error();
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(ec_bridged);
    EVP_PKEY_free(ec);
}

static void a_small_buffer_is_not_overrun(void **state)
{
    EVP_PKEY_CTX *context = oaep(bridged, EVP_PKEY_decrypt_init, &how384);
    unsigned char blob[MODULUS], out[ROOM] = { 0 };
    size_t size = clear.size - 1;

    (void)state;
    encrypt(blob, &how384, NULL);
    assert_false(EVP_PKEY_decrypt(context, out, &size, blob, sizeof blob) > 0);
    assert_int_equal(out[0], 0);
    ERR_clear_error();
    EVP_PKEY_CTX_free(context);
}

static const char body[] = "what the message says";

/* A message to the key's certificate, as OpenSSL makes it; `how` NULL: PKCS #1 v1.5. */
static CMS_ContentInfo *envelope(X509 *certificate, const struct unwrap_how *how)
{
    CMS_ContentInfo *cms =
        CMS_encrypt_ex(NULL, NULL, EVP_aes_256_cbc(), CMS_PARTIAL | CMS_BINARY | CMS_KEY_PARAM,
                       crypto_context(), NULL);
    CMS_RecipientInfo *recipient = CMS_add1_recipient_cert(cms, certificate, CMS_KEY_PARAM);
    EVP_PKEY_CTX *context = CMS_RecipientInfo_get0_pkey_ctx(recipient);
    BIO *in = BIO_new_mem_buf(body, -1);

    if (how) {
        assert_true(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_oaep_md_name(context, crypto_digest(how->digest), NULL) >
                    0);
        assert_true(EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, crypto_digest(how->mgf1), NULL) > 0);
    }
    assert_true(CMS_final(cms, in, NULL, CMS_BINARY));
    BIO_free(in);
    return cms;
}

/* Where the key can't be unwrapped OpenSSL goes on with a random one, which one time in 256 ends in
 * a padding that looks good. */
static bool opens(CMS_ContentInfo *cms, X509 *certificate)
{
    BIO *out = BIO_new(BIO_s_mem());
    bool done = CMS_decrypt(cms, bridged, certificate, NULL, out, CMS_BINARY);
    char *text;
    long size = BIO_get_mem_data(out, &text);

    done = done && size == sizeof body - 1 && !strncmp(text, body, sizeof body - 1);
    BIO_free(out);
    CMS_ContentInfo_free(cms);
    ERR_clear_error();
    return done;
}

static void cms_decrypts_through_it(void **state)
{
    X509 *certificate =
        make_certificate(fake.key, &(struct certificate_wish){ .subject = "recipient" });
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_true(opens(envelope(certificate, &how384), certificate));
    assert_int_equal(fake.last.digest, DIGEST_SHA384);
    assert_true(opens(envelope(certificate, &(struct unwrap_how){ DIGEST_SHA256, DIGEST_SHA1 }),
                      certificate));
    assert_int_equal(fake.last.mgf1, DIGEST_SHA1);
    assert_true(opens(envelope(certificate, &(struct unwrap_how){ DIGEST_SHA1, DIGEST_SHA1 }),
                      certificate));
    assert_int_equal(fake.unwrapped, 3);
    assert_false(opens(envelope(certificate, NULL), certificate));
    assert_int_equal(fake.unwrapped, 3);
    assert_true(remote_failure(&err));
    assert_int_equal(err.status, SE_ERR_POLICY);
    X509_free(certificate);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_pair_of_digests),
        TEST(digests_as_objects_and_defaults),
        TEST(a_copied_context_decrypts),
        TEST(all_that_does_not_decrypt_is_refused_alike),
        TEST(sizes_are_exact),
        TEST(what_is_not_oaep_is_refused),
        TEST(failures_come_through),
        TEST(a_key_that_only_signs),
        TEST(a_small_buffer_is_not_overrun),
        TEST(cms_decrypts_through_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
