/* SPDX-License-Identifier: Apache-2.0 */
/* RSAES-OAEP with every pair of digests. */
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

static struct key *with_certificate(EVP_PKEY *private)
{
    struct certificates own = {
        .own = make_certificate(private, &(struct certificate_wish){ .subject = "one" }),
    };
    se_error err = SE_ERROR_INIT;
    struct key *key;

    assert_status(SE_OK, key_new(&key, private, &own, &err), &err);
    return key;
}

static se_status wrap_for(se_buf *out, const struct key *key, const struct unwrap_how *how,
                          se_bytes clear, se_error *err)
{
    return key_wrap(out, X509_get0_pubkey(key->certificate), how, clear, err);
}

static void what_is_wrapped_comes_back(void **state)
{
    static const unsigned char clear[256] = { 3, 1, 4 };
    struct key *key = with_certificate(make_key("RSA-2048"));

    (void)state;
    for (enum digest digest = DIGEST_SHA1; digest <= DIGEST_SHA512; digest++)
        for (enum digest mgf1 = DIGEST_SHA1; mgf1 <= DIGEST_SHA512; mgf1++) {
            const size_t most = 256 - 2 - 2 * (size_t)EVP_MD_get_size(crypto_md(digest)),
                         sizes[] = { 0, 1, 16, 32, most - 1, most };
            const struct unwrap_how how = { digest, mgf1 };
            se_error err = SE_ERROR_INIT;
            se_buf none = { (unsigned char *)1, 1 };

            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                AUTO(se_buf) wrapped = SE_BUF_INIT;
                AUTO(se_buf) back = SE_BUF_INIT;

                assert_status(SE_OK,
                              wrap_for(&wrapped, key, &how, (se_bytes){ clear, sizes[i] }, &err),
                              &err);
                assert_int_equal(wrapped.size, 256);
                assert_status(
                    SE_OK, key_unwrap(&back, key->private, &how, buf_bytes(&wrapped), &err), &err);
                assert_int_equal(back.size, sizes[i]);
                assert_memory_equal(back.data, clear, sizes[i]);
            }
            assert_status(SE_ERR_USAGE,
                          wrap_for(&none, key, &how, (se_bytes){ clear, most + 1 }, &err), &err);
            assert_null(none.data);
        }
    key_unref(key);
}

/* The seed: without it, equal data keys would show. */
static void nothing_is_wrapped_alike_twice(void **state)
{
    const struct unwrap_how how = { DIGEST_SHA256, DIGEST_SHA256 };
    struct key *key = with_certificate(make_key("RSA-1024"));
    AUTO(se_buf) first = SE_BUF_INIT;
    AUTO(se_buf) second = SE_BUF_INIT;

    (void)state;
    assert_int_equal(wrap_for(&first, key, &how, text_bytes("same"), NULL), SE_OK);
    assert_int_equal(wrap_for(&second, key, &how, text_bytes("same"), NULL), SE_OK);
    assert_memory_not_equal(first.data, second.data, 128);
    key_unref(key);
}

static void keys_that_are_too_small_or_none_are_named(void **state)
{
    const struct unwrap_how how = { DIGEST_SHA512, DIGEST_SHA512 },
                            nothing = { DIGEST_NONE, DIGEST_SHA1 };
    struct key *small = with_certificate(make_key("RSA-1024")),
               *curve = with_certificate(make_key("P-256"));
    se_buf out = { (unsigned char *)1, 1 };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_USAGE, wrap_for(&out, small, &how, (se_bytes){ NULL, 0 }, &err), &err);
    assert_string_equal(err.text, "0 bytes are more than this key encrypts");
    assert_status(SE_ERR_KEY, wrap_for(&out, curve, &how, (se_bytes){ NULL, 0 }, &err), &err);
    assert_status(SE_ERR_CRYPTO, wrap_for(&out, small, &nothing, (se_bytes){ NULL, 0 }, &err),
                  &err);
    assert_null(out.data);
    key_unref(small);
    key_unref(curve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrapped_comes_back),
        cmocka_unit_test(nothing_is_wrapped_alike_twice),
        cmocka_unit_test(keys_that_are_too_small_or_none_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
