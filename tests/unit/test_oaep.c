/* Our padding and our RSA, each beside OpenSSL's. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "key/crypto.h"
#include "key/oaep.h"
#include "key/operate.h"
#include "key/rsa_public.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

static EVP_PKEY *make_rsa(size_t bits, unsigned long exponent)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(crypto_context(), "RSA", NULL);
    BIGNUM *e = BN_new();
    EVP_PKEY *key = NULL;

    assert_true(context && e && BN_set_word(e, exponent) && EVP_PKEY_keygen_init(context) > 0 &&
                EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits) > 0 && EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e) > 0 &&
                EVP_PKEY_generate(context, &key) > 0);
    BN_free(e);
    EVP_PKEY_CTX_free(context);
    return key;
}

static struct key *with_certificate(EVP_PKEY *private)
{
    X509 *certificate = make_certificate(private, &(struct certificate_wish){ .subject = "one" });
    se_error err = SE_ERROR_INIT;
    struct key *key;

    assert_status(SE_OK, key_new(&key, private, certificate, NULL, &err), &err);
    return key;
}

static void assert_same_power(const struct rsa_public *public, EVP_PKEY *key, const unsigned char *block, size_t size)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(crypto_context(), key, NULL);
    unsigned char theirs[512];
    size_t made = sizeof theirs;
    AUTO(se_buf) ours = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_true(context && EVP_PKEY_encrypt_init(context) > 0 && EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) > 0 &&
                EVP_PKEY_encrypt(context, theirs, &made, block, size) > 0);
    assert_status(SE_OK, rsa_public_encrypt(&ours, public, (se_bytes){ block, size }, &err), &err);
    assert_int_equal(ours.size, made);
    assert_memory_equal(ours.data, theirs, made);
    EVP_PKEY_CTX_free(context);
}

static void rsa_is_that_of_others(void **state)
{
    static const struct {
        size_t bits;
        unsigned long exponent;
    } keys[] = { { 1024, 65537 }, { 1031, 65537 }, { 2048, 65537 }, { 2047, 3 }, { 1536, 17 }, { 1024, 65539 } };

    (void)state;
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        AUTO(evp_pkey) key = make_rsa(keys[k].bits, keys[k].exponent);
        AUTO(rsa_public) public = NULL;
        unsigned char block[512] = { 0 };
        const size_t size = (keys[k].bits + 7) / 8;

        assert_int_equal(rsa_public_new(&public, key, NULL), SE_OK);
        assert_int_equal(rsa_public_size(public), size);
        assert_same_power(public, key, block, size); /* 0 */
        for (size_t i = 0; i < 200; i++) {
            block[size - 1 - i % (size - 1)] ^= (unsigned char)(i * 37 + 1);
            assert_same_power(public, key, block, size);
        }
    }
}

static void rsa_refuses(void **state)
{
    AUTO(evp_pkey) key = make_key("RSA-1024");
    AUTO(evp_pkey) curve = make_key("P-256");
    AUTO(rsa_public) public = NULL;
    struct rsa_public *none;
    unsigned char block[129];
    se_buf out = { (unsigned char *)1, 1 };

    (void)state;
    assert_int_equal(rsa_public_new(&none, curve, NULL), SE_ERR_KEY);
    assert_null(none);
    assert_int_equal(rsa_public_new(&public, key, NULL), SE_OK);
    memset(block, 0xff, sizeof block); /* more than any modulus */
    for (size_t size = 127; size <= 129; size++) {
        assert_int_equal(rsa_public_encrypt(&out, public, (se_bytes){ block, size }, NULL), SE_ERR_CRYPTO);
        assert_null(out.data);
    }
}

static void padding_is_read_by_others(void **state)
{
    static const unsigned char clear[256] = { 3, 1, 4 };
    struct key *key = with_certificate(make_key("RSA-2048"));
    AUTO(kit) kit = NULL;

    (void)state;
    assert_int_equal(kit_new(&kit, NULL), SE_OK);
    for (enum digest digest = DIGEST_SHA1; digest <= DIGEST_SHA512; digest++)
        for (enum digest mgf1 = DIGEST_SHA1; mgf1 <= DIGEST_SHA512; mgf1++) {
            const size_t most = 256 - 2 - 2 * (size_t)EVP_MD_get_size(crypto_md(digest)), sizes[] = { 0, 1, 16, 32, most - 1, most };
            const struct unwrap_how how = { digest, mgf1 };
            se_error err = SE_ERROR_INIT;
            se_buf none = { (unsigned char *)1, 1 };

            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                AUTO(se_buf) wrapped = SE_BUF_INIT;
                AUTO(se_buf) back = SE_BUF_INIT;

                assert_status(SE_OK, oaep_wrap(&wrapped, key, kit, &how, (se_bytes){ clear, sizes[i] }, &err), &err);
                assert_int_equal(wrapped.size, 256);
                assert_status(SE_OK, key_unwrap(&back, key->private, &how, buf_bytes(&wrapped), &err), &err);
                assert_int_equal(back.size, sizes[i]);
                assert_memory_equal(back.data, clear, sizes[i]);
            }
            assert_status(SE_ERR_USAGE, oaep_wrap(&none, key, kit, &how, (se_bytes){ clear, most + 1 }, &err), &err);
            assert_null(none.data);
        }
    key_unref(key);
}

/* The seed: without it, equal data keys would show. */
static void nothing_is_wrapped_alike_twice(void **state)
{
    const struct unwrap_how how = { DIGEST_SHA256, DIGEST_SHA256 };
    struct key *key = with_certificate(make_key("RSA-1024"));
    AUTO(kit) kit = NULL;
    AUTO(se_buf) first = SE_BUF_INIT;
    AUTO(se_buf) second = SE_BUF_INIT;

    (void)state;
    assert_int_equal(kit_new(&kit, NULL), SE_OK);
    assert_int_equal(oaep_wrap(&first, key, kit, &how, text_bytes("same"), NULL), SE_OK);
    assert_int_equal(oaep_wrap(&second, key, kit, &how, text_bytes("same"), NULL), SE_OK);
    assert_memory_not_equal(first.data, second.data, 128);
    key_unref(key);
}

static void keys_that_are_too_small_or_none_are_named(void **state)
{
    const struct unwrap_how how = { DIGEST_SHA512, DIGEST_SHA512 }, nothing = { DIGEST_NONE, DIGEST_SHA1 };
    struct key *small = with_certificate(make_key("RSA-1024")), *curve = with_certificate(make_key("P-256"));
    AUTO(kit) kit = NULL;
    se_buf out = { (unsigned char *)1, 1 };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_int_equal(kit_new(&kit, NULL), SE_OK);
    assert_status(SE_ERR_USAGE, oaep_wrap(&out, small, kit, &how, (se_bytes){ NULL, 0 }, &err), &err);
    assert_string_equal(err.text, "0 bytes are more than this key encrypts");
    assert_status(SE_ERR_KEY, oaep_wrap(&out, curve, kit, &how, (se_bytes){ NULL, 0 }, &err), &err);
    assert_status(SE_ERR_CRYPTO, oaep_wrap(&out, small, kit, &nothing, (se_bytes){ NULL, 0 }, &err), &err);
    assert_null(out.data);
    key_unref(small);
    key_unref(curve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_is_that_of_others),
        cmocka_unit_test(rsa_refuses),
        cmocka_unit_test(padding_is_read_by_others),
        cmocka_unit_test(nothing_is_wrapped_alike_twice),
        cmocka_unit_test(keys_that_are_too_small_or_none_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
