/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge: everything above it must work with a key that is only a function. */
#include "crypto/provider_keymgmt.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "cms/cms.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/key.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

/* A "remote" key: a local one that counts. */
struct fake {
    EVP_PKEY *key;
    unsigned signed_, closed;
    struct sign_how last;
    se_status fail;
};

static se_status fake_sign(se_buf *out, void *data, const struct sign_how *how, se_bytes hash,
                           se_error *err)
{
    struct fake *fake = data;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(crypto_context(), fake->key, NULL);
    EVP_MD *md = EVP_MD_fetch(crypto_context(), crypto_digest(how->digest), NULL);
    size_t size = (size_t)EVP_PKEY_get_size(fake->key);
    int ok;

    fake->signed_++;
    fake->last = *how;
    if (fake->fail) {
        EVP_MD_free(md);
        EVP_PKEY_CTX_free(context);
        return error_set(err, fake->fail, "the token is at lunch");
    }
    ok = EVP_PKEY_sign_init(context) > 0;
    if (how->padding == PADDING_PSS)
        ok = ok && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(context, how->salt) > 0;
    ok = ok && EVP_PKEY_CTX_set_signature_md(context, md) > 0;
    assert_status(SE_OK, buf_new(out, size, err), err);
    ok = ok && EVP_PKEY_sign(context, out->data, &size, hash.data, hash.size) > 0;
    out->size = size;
    EVP_MD_free(md);
    EVP_PKEY_CTX_free(context);
    assert_true(ok);
    return SE_OK;
}

static void fake_close(void *data)
{
    ((struct fake *)data)->closed++;
}

static const struct remote_ops ops = { .sign = fake_sign, .close = fake_close };

static EVP_PKEY *bridge(struct fake *fake, const char *type)
{
    se_error err = SE_ERROR_INIT;
    EVP_PKEY *key;

    *fake = (struct fake){ .key = make_key(type) };
    assert_status(SE_OK, remote_key(&key, &ops, fake, fake->key, &err), &err);
    return key;
}

static void done(struct fake *fake, EVP_PKEY *key)
{
    EVP_PKEY_free(key);
    assert_int_equal(fake->closed, 1);
    EVP_PKEY_free(fake->key);
}

static bool sign_and_verify(EVP_PKEY *key, EVP_PKEY *public, const char *digest, bool pss)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char signature[1024];
    size_t size = sizeof signature;
    EVP_PKEY_CTX *parameters;
    bool ok = EVP_DigestSignInit_ex(context, &parameters, digest, crypto_context(), NULL, key,
                                    NULL) > 0 &&
              (!pss || EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0) &&
              EVP_DigestSign(context, signature, &size, (const unsigned char *)"hello", 5) > 0;

    EVP_MD_CTX_free(context);
    context = EVP_MD_CTX_new();
    ok = ok &&
         EVP_DigestVerifyInit_ex(context, &parameters, digest, crypto_context(), NULL, public,
                                 NULL) > 0 &&
         (!pss || EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0) &&
         EVP_DigestVerify(context, signature, size, (const unsigned char *)"hello", 5) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

static void evp_signs_with_every_digest_and_padding(void **state)
{
    static const char *const digests[] = { "SHA256", "SHA2-384", "SHA512" };
    static const int salts[] = { 32, 48, 64 };
    struct fake rsa, ec;
    EVP_PKEY *rsa_key = bridge(&rsa, "RSA-2048"), *ec_key = bridge(&ec, "P-521");

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_true(sign_and_verify(rsa_key, rsa.key, digests[i], false));
        assert_int_equal(rsa.last.padding, PADDING_PKCS1);
        assert_true(sign_and_verify(rsa_key, rsa.key, digests[i], true));
        assert_int_equal(rsa.last.padding, PADDING_PSS);
        assert_int_equal(rsa.last.salt, salts[i]);
        assert_true(sign_and_verify(ec_key, ec.key, digests[i], false));
        assert_int_equal(ec.last.padding, PADDING_NONE);
        assert_int_equal(ec.last.digest, (int)DIGEST_SHA256 + (int)i);
    }
    assert_int_equal(rsa.signed_, 6);
    assert_int_equal(ec.signed_, 3);
    done(&rsa, rsa_key);
    done(&ec, ec_key);
}

static void weak_digests_are_refused(void **state)
{
    struct fake fake;
    EVP_PKEY *key = bridge(&fake, "RSA-2048");

    (void)state;
    assert_false(sign_and_verify(key, fake.key, "SHA1", false));
    assert_false(sign_and_verify(key, fake.key, "MD5", false));
    assert_int_equal(fake.signed_, 0);
    ERR_clear_error();
    done(&fake, key);
}

static void public_half_is_the_key_s(void **state)
{
    struct fake fake, other;
    EVP_PKEY *key = bridge(&fake, "P-256"), *stranger = bridge(&other, "P-256");
    X509 *certificate = make_certificate(fake.key, &(struct certificate_wish){ .subject = "x" });
    char name[32];

    (void)state;
    assert_int_equal(X509_check_private_key(certificate, key), 1);
    assert_int_not_equal(X509_check_private_key(certificate, stranger), 1);
    assert_int_equal(EVP_PKEY_eq(key, fake.key), 1);
    assert_int_equal(EVP_PKEY_get_size(key), EVP_PKEY_get_size(fake.key));
    key_type_name(name, key);
    assert_string_equal(name, "EC-P-256");
    ERR_clear_error();
    X509_free(certificate);
    done(&fake, key);
    done(&other, stranger);
}

static void x509_signs_through_it(void **state)
{
    struct fake fake;
    EVP_PKEY *key = bridge(&fake, "RSA-2048");
    X509 *certificate = make_certificate(key, &(struct certificate_wish){ .subject = "remote" });

    (void)state;
    assert_int_equal(X509_verify(certificate, fake.key), 1);
    X509_free(certificate);
    done(&fake, key);
}

/* A failure reaches the caller with its own words, once. */
static void failures_come_through(void **state)
{
    struct fake fake;
    EVP_PKEY *key = bridge(&fake, "RSA-2048");
    se_error err = SE_ERROR_INIT, next = SE_ERROR_INIT;

    (void)state;
    fake.fail = SE_ERR_UNAVAILABLE;
    assert_false(sign_and_verify(key, fake.key, "SHA256", false));
    assert_int_equal(crypto_error(&err, SE_ERR_CRYPTO, "the signature failed"), SE_ERR_UNAVAILABLE);
    assert_string_equal(err.text, "the signature failed: the token is at lunch");
    assert_int_equal(crypto_error(&next, SE_ERR_CRYPTO, "something else"), SE_ERR_CRYPTO);
    assert_string_equal(next.text, "something else");
    done(&fake, key);
}

/* ---- CMS ---- */

static const se_bytes content = { "One two three\r\n", 15 };

static struct key *certified(struct fake *fake, const char *type)
{
    EVP_PKEY *private = bridge(fake, type);
    struct certificates own = {
        .own = make_certificate(private, &(struct certificate_wish){ .subject = "x" }),
    };
    se_error err = SE_ERROR_INIT;
    struct key *key;

    assert_status(SE_OK, key_new(&key, private, &own, &err), &err);
    return key;
}

static void certified_done(struct fake *fake, struct key *key)
{
    key_unref(key);
    assert_int_equal(fake->closed, 1);
    EVP_PKEY_free(fake->key);
}

static se_status sign_cms(se_buf *out, struct key *key, enum padding padding, int64_t time,
                          se_error *err)
{
    AUTO(writer) w = { 0 };
    se_bytes left = content;
    const se_source source = source_memory(&left);
    const se_sink sink = sink_writer(&w);
    struct stream in = { .source = &source };
    struct content_digest digest;
    const struct sign_job job = { .algorithm = algorithm_signature(
                                      DIGEST_SHA384, key_family(key->private), padding),
                                  .key = key,
                                  .time = time,
                                  .capabilities = true,
                                  .in = &in,
                                  .digest = &digest,
                                  .out = &sink };
    se_status st = cms_sign_detached(&job, err);

    *out = (se_buf)SE_BUF_INIT;
    return st ? st : writer_finish(out, &w, err);
}

/* DER that is verified by OpenSSL, with the time as RFC 5652, 11.3, has it. */
static void assert_signed(const se_buf *der, const char *time, int type)
{
    CMS_ContentInfo *cms = CMS_ContentInfo_new_ex(crypto_context(), NULL);
    BIO *data = BIO_new_mem_buf(content.data, (int)content.size);
    const unsigned char *p = der->data;
    unsigned char *again = NULL;
    const ASN1_STRING *stated;

    assert_non_null(d2i_CMS_ContentInfo(&cms, &p, (long)der->size));
    assert_int_equal(
        CMS_verify(cms, NULL, NULL, data, NULL, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY), 1);
    assert_int_equal(i2d_CMS_ContentInfo(cms, &again), der->size);
    assert_memory_equal(again, der->data, der->size);
    stated = CMS_signed_get0_data_by_OBJ(sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0),
                                         OBJ_nid2obj(NID_pkcs9_signingTime), -3, type);
    assert_non_null(stated);
    assert_int_equal(ASN1_STRING_length(stated), strlen(time));
    assert_memory_equal(ASN1_STRING_get0_data(stated), time, strlen(time));
    OPENSSL_free(again);
    BIO_free(data);
    CMS_ContentInfo_free(cms);
}

static void cms_signs_at_any_time(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
        int type;
    } times[] = {
        { 1600000000, "200913122640Z", V_ASN1_UTCTIME },
        { 0, "700101000000Z", V_ASN1_UTCTIME },
        { -631152000, "500101000000Z", V_ASN1_UTCTIME },
        { -631152001, "19491231235959Z", V_ASN1_GENERALIZEDTIME },
        { 2524607999, "491231235959Z", V_ASN1_UTCTIME },
        { 2524608000, "20500101000000Z", V_ASN1_GENERALIZEDTIME },
    };
    static const struct {
        const char *type;
        enum padding padding;
    } kinds[] = { { "RSA-2048", PADDING_PKCS1 },
                  { "RSA-2048", PADDING_PSS },
                  { "P-521", PADDING_NONE } };
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct fake fake;
        struct key *key = certified(&fake, kinds[k].type);

        for (size_t t = 0; t < sizeof times / sizeof *times; t++) {
            AUTO(se_buf) der = SE_BUF_INIT;

            assert_status(SE_OK, sign_cms(&der, key, kinds[k].padding, times[t].seconds, &err),
                          &err);
            assert_signed(&der, times[t].text, times[t].type);
        }
        certified_done(&fake, key);
    }
}

static void cms_fails_with_the_key_s_words(void **state)
{
    struct fake fake;
    struct key *key = certified(&fake, "RSA-2048");
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    fake.fail = SE_ERR_UNAVAILABLE;
    assert_status(SE_ERR_UNAVAILABLE, sign_cms(&out, key, PADDING_PKCS1, 0, &err), &err);
    assert_string_equal(err.text, "the signature failed: the token is at lunch");
    assert_int_equal(ERR_peek_error(), 0);
    assert_null(out.data);
    certified_done(&fake, key);
}

/* ---- */

static void other_key_types_are_refused(void **state)
{
    EVP_PKEY *ed = EVP_PKEY_Q_keygen(crypto_context(), NULL, "ED25519"), *key;
    struct fake fake = { .key = ed };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_KEY, remote_key(&key, &ops, &fake, ed, &err), &err);
    assert_null(key);
    assert_int_equal(fake.closed, 0);
    EVP_PKEY_free(ed);
}

/* The application's OpenSSL does not know of it. */
static void the_default_context_is_untouched(void **state)
{
    (void)state;
    assert_non_null(crypto_context());
    assert_ptr_not_equal(crypto_context(), NULL);
    assert_null(EVP_SIGNATURE_fetch(NULL, "RSA", "provider=signengine"));
    ERR_clear_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evp_signs_with_every_digest_and_padding),
        cmocka_unit_test(weak_digests_are_refused),
        cmocka_unit_test(public_half_is_the_key_s),
        cmocka_unit_test(x509_signs_through_it),
        cmocka_unit_test(failures_come_through),
        cmocka_unit_test(cms_signs_at_any_time),
        cmocka_unit_test(cms_fails_with_the_key_s_words),
        cmocka_unit_test(other_key_types_are_refused),
        cmocka_unit_test(the_default_context_is_untouched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
