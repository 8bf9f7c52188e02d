/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate rules: each row of config/policy.c against certificates that fulfil and break it. */
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <time.h>

#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

static EVP_PKEY *rsa, *ec, *weak, *ca_key;
static X509 *ca;

static int make_keys(void **state)
{
    (void)state;
    rsa = make_key("RSA-2048");
    ec = make_key("P-256");
    weak = make_key("RSA-1024");
    ca_key = make_key("P-256");
    ca = make_certificate(
        ca_key,
        &(struct certificate_wish){ .subject = "CA", .ca = true, .usage = "critical,keyCertSign" });
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(weak);
    EVP_PKEY_free(ca_key);
    X509_free(ca);
    return 0;
}

struct rule_case {
    const char *use, *algorithm;
    EVP_PKEY **key;
    struct certificate_wish wish;
    bool issued;        /* by the CA; else self-signed */
    const char *reason; /* NULL: accepted */
};

static void check(const struct rule_case *c)
{
    struct certificate_wish wish = c->wish;
    struct descriptor descriptor = { .name = (char *)c->use,
                                     .version = 1,
                                     .use = use_find(c->use) };
    se_error err = SE_ERROR_INIT;
    X509 *certificate;
    se_status st;

    assert_true(algorithm_parse(&descriptor.algorithm, c->algorithm, NULL));
    if (c->issued) {
        wish.issuer = ca;
        wish.issuer_key = ca_key;
    }
    certificate = make_certificate(*c->key, &wish);
    st = certificate_check(&descriptor, certificate, time(NULL), SE_ERR_POLICY, &err);
    if (st != (c->reason ? SE_ERR_POLICY : SE_OK) || (c->reason && !strstr(err.text, c->reason)))
        fail_msg("%s, %s: %s: '%s', not '%s'", c->use, c->algorithm, se_status_name(st), err.text,
                 c->reason ? c->reason : "ok");
    X509_free(certificate);
}

#define SIGNS  "critical,digitalSignature"
#define AGREES "critical,keyAgreement"
static const struct rule_case cases[] = {
    { "Mine", "SHA-256", &rsa, { .usage = NULL }, false, NULL },
    { "Mine", "SHA-256", &ec, { .usage = "nonRepudiation" }, false, NULL },
    { "Mine", "SHA-256", &ec, { .usage = AGREES }, false, "does not hold digitalSignature" },
    { "Mine", "AES/CBC/PKCS7Padding", &rsa, { .usage = "critical,keyEncipherment" }, false, NULL },
    { "Mine",
      "SHA-256",
      &weak,
      { .usage = NULL },
      false,
      "RSA-1024, RSA keys of 2048 to 16384 bits are accepted" },
    { "Mine", "SHA256withRSA", &ec, { .usage = NULL }, false, "takes an RSA key" },
    { "Mine", "SHA256withECDSA", &rsa, { .usage = NULL }, false, "takes an EC key" },
    { "Mine", "SHA-256", &rsa, { .from_days = -10, .to_days = -2 }, false, "certificate expired" },
    { "Mine", "SHA-256", &rsa, { .from_days = 2, .to_days = 10 }, false, "not valid before" },

    { "ConfigZipSigner", "SHA-256", &rsa, { .usage = SIGNS }, true, NULL },
    { "ConfigZipSigner", "SHA-256", &ec, { .usage = SIGNS }, true, NULL },
    { "ConfigZipSigner", "SHA-256", &rsa, { .usage = SIGNS }, false, "self-signed" },
    { "ConfigZipSigner", "SHA-256", &rsa, { .usage = "digitalSignature" }, true, "not critical" },
    { "ConfigZipSigner",
      "SHA-256",
      &rsa,
      { .usage = "critical,nonRepudiation" },
      true,
      "does not hold digitalSignature" },
    { "ConfigZipSigner", "SHA-256", &rsa, { .usage = NULL }, true, "has no keyUsage" },
    { "ConfigZipSigner",
      "SHA-256",
      &rsa,
      { .usage = SIGNS, .from_days = -10, .to_days = -2 },
      true,
      "certificate expired" },

    { "ObjectHistorySigner", "SHA-256", &rsa, { .usage = SIGNS }, false, NULL },
    { "ObjectHistorySigner",
      "SHA-256",
      &rsa,
      { .usage = SIGNS, .from_days = -10, .to_days = -2 },
      false,
      NULL },
    { "ObjectHistorySigner",
      "SHA-256",
      &rsa,
      { .usage = "digitalSignature" },
      false,
      "not critical" },

    { "SignEmailDescriptor",
      "SHA256withRSA",
      &rsa,
      { .usage = SIGNS, .alt_name = "email:a@example.org" },
      true,
      NULL },
    { "SignEmailDescriptor",
      "SHA256withECDSA",
      &ec,
      { .usage = "nonRepudiation", .alt_name = "email:a@example.org" },
      true,
      NULL },
    { "SignEmailDescriptor", "SHA256withRSA", &rsa, { .usage = SIGNS }, true, "mail address" },
    { "SignEmailDescriptor",
      "SHA256withRSA",
      &rsa,
      { .usage = SIGNS, .alt_name = "email:a@example.org" },
      false,
      "self-signed" },
    { "SignEmailDescriptor",
      "SHA256withRSA",
      &rsa,
      { .usage = AGREES, .alt_name = "email:a@example.org" },
      true,
      "digitalSignature" },

    { "EncryptedFields",
      "AES/CBC/PKCS7Padding",
      &rsa,
      { .usage = SIGNS, .from_days = -10, .to_days = -2 },
      false,
      NULL },
    { "EncryptedFields",
      "AES/CBC/PKCS7Padding",
      &ec,
      { .usage = NULL },
      false,
      "takes an RSA key" },
    { "ConfigZipEncrypter", "AES/CBC/PKCS7Padding", &rsa, { .usage = NULL }, false, NULL },
    { "SelfServiceJWTSigner",
      "RSA",
      &rsa,
      { .usage = NULL, .from_days = -10, .to_days = -2 },
      false,
      NULL },
    { "SelfServiceJWTSigner", "RSA", &ec, { .usage = NULL }, false, "takes an RSA key" },
    { "att_one", "SHA-256", &rsa, { .usage = NULL }, false, NULL },
    { "att_one", "SHA-256", &ec, { .usage = NULL }, false, "this use takes an RSA key" },
};

static void every_use_has_its_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

static void curves_are_the_three_of_nist(void **state)
{
    EVP_PKEY *koblitz = make_key("secp256k1"), *p521 = make_key("P-521");
    const struct rule_case refused = { "Mine",   "SHA-256",
                                       &koblitz, { .usage = NULL },
                                       false,    "P-256, P-384 and P-521" };
    const struct rule_case accepted = { "Mine", "SHA-512", &p521, { .usage = NULL }, false, NULL };

    (void)state;
    check(&refused);
    check(&accepted);
    EVP_PKEY_free(koblitz);
    EVP_PKEY_free(p521);
}

static void others_than_rsa_and_ec_are_refused(void **state)
{
    EVP_PKEY *edwards = EVP_PKEY_Q_keygen(crypto_context(), NULL, "ED25519");
    const struct rule_case refused = { "Mine",   "SHA-256",
                                       &edwards, { .usage = NULL },
                                       true,     "this use takes an RSA or EC key" };

    (void)state;
    assert_non_null(edwards);
    check(&refused);
    EVP_PKEY_free(edwards);
}

/* Only public: to make it would take long. */
static EVP_PKEY *large_key(int bits)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(crypto_context(), "RSA", NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_new();
    OSSL_PARAM *params;
    EVP_PKEY *key = NULL;

    assert_true(BN_set_bit(n, bits - 1) && BN_set_bit(n, 0) &&
                OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n));
    assert_true(OSSL_PARAM_BLD_push_uint(build, OSSL_PKEY_PARAM_RSA_E, 65537));
    params = OSSL_PARAM_BLD_to_param(build);
    assert_non_null(params);
    assert_true(EVP_PKEY_fromdata_init(context) > 0 &&
                EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) > 0);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(context);
    BN_free(n);
    return key;
}

static void rsa_keys_have_a_greatest_size(void **state)
{
    EVP_PKEY *most = large_key(4096), *more = large_key(4097);
    const struct rule_case accepted = {
        "EncryptedFields", "AES/CBC/PKCS7Padding", &most, { .usage = NULL }, true, NULL
    };
    const struct rule_case refused = { "EncryptedFields",
                                       "AES/CBC/PKCS7Padding",
                                       &more,
                                       { .usage = NULL },
                                       true,
                                       "RSA-4097, RSA keys of 2048 to 4096 bits are accepted" };

    (void)state;
    check(&accepted);
    check(&refused);
    EVP_PKEY_free(most);
    EVP_PKEY_free(more);
}

/* An algorithm that OpenSSL does not know. */
static void a_public_key_has_to_be_readable(void **state)
{
    static const unsigned char oid[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
    const struct descriptor descriptor = { .name = (char *)"Mine",
                                           .version = 1,
                                           .use = use_find("Mine") };
    X509 *certificate =
        make_certificate(rsa, &(struct certificate_wish){ .issuer = ca, .issuer_key = ca_key });
    unsigned char *der = NULL, *at;
    const unsigned char *p;
    int size = i2d_X509(certificate, &der);
    se_error err = SE_ERROR_INIT;

    (void)state;
    X509_free(certificate);
    at = memmem(der, (size_t)size, oid, sizeof oid);
    assert_non_null(at);
    at[sizeof oid - 1] = 0x77;
    p = der;
    certificate = d2i_X509(NULL, &p, size);
    assert_non_null(certificate);
    assert_status(SE_ERR_POLICY,
                  certificate_check(&descriptor, certificate, time(NULL), SE_ERR_POLICY, &err),
                  &err);
    assert_string_equal(err.text, "the certificate's public key can't be read");
    X509_free(certificate);
    OPENSSL_free(der);
}

static void names_and_times_are_read(void **state)
{
    X509 *certificate =
        make_certificate(ec, &(struct certificate_wish){ .subject = "J\xC3\xBCrgen, the \"signer\"",
                                                         .from_days = -3,
                                                         .to_days = 5,
                                                         .issuer = ca,
                                                         .issuer_key = ca_key });
    char text[256], small[8], day[16];
    int64_t now = time(NULL);

    (void)state;
    certificate_subject(text, sizeof text, certificate);
    assert_string_equal(text, "CN=J\xC3\xBCrgen\\, the \\\"signer\\\"");
    certificate_issuer(text, sizeof text, certificate);
    assert_string_equal(text, "CN=CA");
    certificate_subject(small, sizeof small, certificate);
    assert_int_equal(strlen(small), 7);
    certificate_serial(text, sizeof text, certificate);
    assert_true(strlen(text) >= 2);
    assert_in_range(certificate_not_after(certificate), now + 5 * 86400 - 60, now + 5 * 86400 + 60);
    assert_in_range(certificate_not_before(certificate), now - 3 * 86400 - 60,
                    now - 3 * 86400 + 60);
    date_text(day, 86400 * 365);
    assert_string_equal(day, "1971-01-01");
    X509_free(certificate);
}

static void chains_are_walked_to_the_root(void **state)
{
    EVP_PKEY *middle_key = make_key("P-256");
    X509 *middle = make_certificate(
        middle_key, &(struct certificate_wish){
                        .subject = "middle", .ca = true, .issuer = ca, .issuer_key = ca_key });
    X509 *leaf =
        make_certificate(ec, &(struct certificate_wish){
                                 .subject = "leaf", .issuer = middle, .issuer_key = middle_key });
    STACK_OF(X509) *pool = sk_X509_new_null(), *chain;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_true(sk_X509_push(pool, ca) && sk_X509_push(pool, leaf) && sk_X509_push(pool, middle));
    assert_status(SE_OK, certificates_chain(&chain, leaf, pool, &err), &err);
    assert_int_equal(sk_X509_num(chain), 2);
    assert_ptr_equal(sk_X509_value(chain, 0), middle);
    assert_ptr_equal(sk_X509_value(chain, 1), ca);
    sk_X509_pop_free(chain, X509_free);
    assert_status(SE_OK, certificates_chain(&chain, ca, pool, &err), &err);
    assert_null(chain);
    sk_X509_free(pool);
    X509_free(middle);
    X509_free(leaf);
    EVP_PKEY_free(middle_key);
}

static void garbage_is_no_certificate(void **state)
{
    se_error err = SE_ERROR_INIT, more = SE_ERROR_INIT;
    STACK_OF(X509) * all;
    X509 *one;

    (void)state;
    assert_status(SE_ERR_FORMAT, certificate_parse(&one, text_bytes("garbage"), &err), &err);
    assert_null(one);
    assert_status(SE_ERR_FORMAT, certificates_read(&all, text_bytes("garbage"), "x.pem", &more),
                  &more);
    assert_null(all);
    assert_string_equal(more.text, "'x.pem' holds no certificate");
    more = (se_error)SE_ERROR_INIT;
    assert_status(SE_ERR_FORMAT,
                  certificates_read(
                      &all,
                      text_bytes("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                      "x.pem", &more),
                  &more);
    assert_null(all);
}

static void key_and_certificate_must_belong_together(void **state)
{
    struct certificates foreign = {
        .own = make_certificate(ec, &(struct certificate_wish){ .subject = "x" }),
    };
    se_error err = SE_ERROR_INIT;
    struct key *key;

    (void)state;
    EVP_PKEY_up_ref(rsa);
    assert_status(SE_ERR_KEY, key_new(&key, rsa, &foreign, &err), &err);
    assert_null(key);
    key_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_use_has_its_rules),
        cmocka_unit_test(curves_are_the_three_of_nist),
        cmocka_unit_test(others_than_rsa_and_ec_are_refused),
        cmocka_unit_test(rsa_keys_have_a_greatest_size),
        cmocka_unit_test(a_public_key_has_to_be_readable),
        cmocka_unit_test(names_and_times_are_read),
        cmocka_unit_test(chains_are_walked_to_the_root),
        cmocka_unit_test(garbage_is_no_certificate),
        cmocka_unit_test(key_and_certificate_must_belong_together),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
