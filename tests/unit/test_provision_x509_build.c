/* SPDX-License-Identifier: Apache-2.0 */
/* Self-signed certificates and requests, and what may be asked for. */
#include <openssl/x509v3.h>

#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "provision/import.h"
#include "provision/x509_build.h"
#include "tests/unit/unit.h"

static EVP_PKEY *key_of(const char *type)
{
    EVP_PKEY *key = strcmp(type, "RSA")
                        ? EVP_PKEY_Q_keygen(crypto_context(), NULL, "EC", type)
                        : EVP_PKEY_Q_keygen(crypto_context(), NULL, "RSA", (size_t)2048);

    assert_non_null(key);
    return key;
}

static X509 *made(EVP_PKEY *key, unsigned uses, unsigned days)
{
    AUTO(x509_name) subject = NULL;
    se_error err = SE_ERROR_INIT;
    X509 *certificate;

    assert_status(SE_OK, distinguished_name_parse(&subject, "CN=a,O=b", &err), &err);
    assert_status(SE_OK,
                  x509_build_certificate(&certificate, &(struct key_pair){ key, key },
                                         &(struct cert_profile){ subject, NULL, uses, days }, &err),
                  &err);
    return certificate;
}

static bool is_critical(X509 *certificate, int nid)
{
    int at = X509_get_ext_by_NID(certificate, nid, -1);

    return at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(certificate, at));
}

static void a_certificate_is_what_rfc_5280_says(void **state)
{
    AUTO(evp_pkey) key = key_of("P-256");
    AUTO(x509) certificate = made(key, USE_SIGN, 100);
    unsigned char id[KEY_ID_SIZE];
    const ASN1_OCTET_STRING *identifier = X509_get0_subject_key_id(certificate);
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_int_equal(X509_get_version(certificate), X509_VERSION_3);
    assert_int_equal(X509_verify(certificate, key), 1);
    assert_int_equal(X509_self_signed(certificate, 1), 1);
    assert_int_equal(X509_check_ca(certificate), 0);
    assert_true(is_critical(certificate, NID_basic_constraints));
    assert_true(is_critical(certificate, NID_key_usage));
    assert_int_equal(X509_get_key_usage(certificate), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1), -1);
    assert_status(SE_OK, key_public_id(id, key, &err), &err);
    assert_int_equal(ASN1_STRING_length(identifier), sizeof id);
    assert_memory_equal(ASN1_STRING_get0_data(identifier), id, sizeof id);
    assert_int_equal(certificate_not_after(certificate) - certificate_not_before(certificate),
                     100 * 86400);
}

/* As openssl computes it, for "subjectKeyIdentifier=hash" */
static void the_key_id_is_that_of_method_1(void **state)
{
    AUTO(evp_pkey) key = key_of("RSA");
    AUTO(x509) certificate = made(key, USE_SIGN, 1);
    unsigned char digest[EVP_MAX_MD_SIZE], id[KEY_ID_SIZE];
    unsigned size;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_int_equal(X509_pubkey_digest(certificate, EVP_sha1(), digest, &size), 1);
    assert_status(SE_OK, key_public_id(id, key, &err), &err);
    assert_int_equal(size, sizeof id);
    assert_memory_equal(digest, id, sizeof id);
}

static void serial_numbers_are_random(void **state)
{
    AUTO(evp_pkey) key = key_of("P-256");
    AUTO(x509) one = made(key, USE_SIGN, 1);
    AUTO(x509) two = made(key, USE_SIGN, 1);
    int bits = 0;

    (void)state;
    assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(one), X509_get0_serialNumber(two)),
                         0);
    /* 128 random bits have more than 96 but once in 2^32 */
    for (int i = 0; i < 8; i++) {
        AUTO(x509) certificate = made(key, USE_SIGN, 1);
        BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);

        assert_in_range(BN_num_bits(serial), 96, 128);
        assert_false(BN_is_negative(serial));
        bits = BN_num_bits(serial) > bits ? BN_num_bits(serial) : bits;
        BN_free(serial);
    }
    assert_true(bits > 120);
}

static void the_digest_goes_with_the_key(void **state)
{
    static const struct {
        const char *type;
        int nid;
    } cases[] = {
        { "RSA", NID_sha256WithRSAEncryption },
        { "P-256", NID_ecdsa_with_SHA256 },
        { "P-384", NID_ecdsa_with_SHA384 },
        { "P-521", NID_ecdsa_with_SHA512 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(evp_pkey) key = key_of(cases[i].type);
        AUTO(x509) certificate = made(key, USE_SIGN, 1);

        assert_int_equal(X509_get_signature_nid(certificate), cases[i].nid);
        assert_int_equal(X509_verify(certificate, key), 1);
    }
}

static void uses_become_key_usage_and_back(void **state)
{
    static const struct {
        unsigned uses;
        uint32_t usage;
    } cases[] = {
        { USE_SIGN, KU_DIGITAL_SIGNATURE },
        { USE_ENCRYPT, KU_KEY_ENCIPHERMENT },
        { USE_SIGN | USE_ENCRYPT, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT },
    };
    AUTO(evp_pkey) key = key_of("RSA");
    AUTO(x509) plain = made(key, USE_SIGN, 1);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(x509) certificate = made(key, cases[i].uses, 1);

        assert_int_equal(X509_get_key_usage(certificate), cases[i].usage);
        assert_int_equal(certificate_uses(certificate), cases[i].uses);
    }
    X509_EXTENSION_free(X509_delete_ext(plain, X509_get_ext_by_NID(plain, NID_key_usage, -1)));
    assert_true(X509_sign(plain, key, EVP_sha256()) > 0);
    assert_int_equal(certificate_uses(plain), USE_SIGN | USE_ENCRYPT);
}

static void a_century_is_possible(void **state)
{
    AUTO(evp_pkey) key = key_of("P-256");
    AUTO(x509) certificate = made(key, USE_SIGN, 36500);

    (void)state;
    /* RFC 5280, 4.1.2.5: GeneralizedTime from 2050 on */
    assert_int_equal(ASN1_STRING_type(X509_get0_notBefore(certificate)), V_ASN1_UTCTIME);
    assert_int_equal(ASN1_STRING_type(X509_get0_notAfter(certificate)), V_ASN1_GENERALIZEDTIME);
    assert_int_equal(certificate_not_after(certificate) - certificate_not_before(certificate),
                     (int64_t)36500 * 86400);
}

static void a_request_asks_for_all_of_it(void **state)
{
    static const char *const texts[] = { "DNS:host", "email:a@example.org" };
    AUTO(evp_pkey) key = key_of("P-384");
    AUTO(x509_name) subject = NULL;
    AUTO(general_names) names = NULL;
    AUTO(x509_req) request = NULL;
    STACK_OF(X509_EXTENSION) * extensions;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, distinguished_name_parse(&subject, "CN=a", &err), &err);
    assert_status(SE_OK, alternative_names(&names, texts, 2, &err), &err);
    assert_status(SE_OK,
                  x509_build_request(&request, &(struct key_pair){ key, key },
                                     &(struct cert_profile){ subject, names, USE_SIGN, 0 }, &err),
                  &err);
    assert_int_equal(X509_REQ_verify(request, key), 1);
    assert_int_equal(X509_REQ_get_signature_nid(request), NID_ecdsa_with_SHA384);
    assert_int_equal(X509_NAME_cmp(X509_REQ_get_subject_name(request), subject), 0);
    extensions = X509_REQ_get_extensions(request);
    assert_int_equal(sk_X509_EXTENSION_num(extensions), 4);
    assert_true(X509v3_get_ext_by_NID(extensions, NID_subject_alt_name, -1) >= 0);
    assert_true(X509v3_get_ext_by_NID(extensions, NID_key_usage, -1) >= 0);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

static void key_types_have_names(void **state)
{
    static const struct {
        const char *text;
        enum key_family family;
        unsigned bits;
        const char *group;
    } good[] = {
        { "rsa:2048", FAMILY_RSA, 2048, NULL },     { "rsa:3072", FAMILY_RSA, 3072, NULL },
        { "RSA:4096", FAMILY_RSA, 4096, NULL },     { "rsa:8192", FAMILY_RSA, 8192, NULL },
        { "ec:P-256", FAMILY_EC, 0, "prime256v1" }, { "EC:p-384", FAMILY_EC, 0, "secp384r1" },
        { "ec:P-521", FAMILY_EC, 0, "secp521r1" },
    };
    static const char *const bad[] = { "",          "rsa",      "rsa:",   "rsa:1024",  "rsa:2047",
                                       "rsa:2049",  "rsa:8448", "rsa:x",  "rsa:-2048", "ec",
                                       "ec:",       "ec:P-224", "ec:256", "ed25519",   "rsa:3072 ",
                                       " rsa:3072", "ec:P-256x" };
    struct key_type type;
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_status(SE_OK, key_type_parse(&type, good[i].text, &err), &err);
        assert_int_equal(type.family, good[i].family);
        assert_int_equal(type.bits, good[i].bits);
        if (good[i].group)
            assert_string_equal(type.group, good[i].group);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_status(SE_ERR_USAGE, key_type_parse(&type, bad[i], &err), &err);
}

static void uses_have_names(void **state)
{
    unsigned uses;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, key_uses_parse(&uses, "sign", FAMILY_EC, &err), &err);
    assert_int_equal(uses, USE_SIGN);
    assert_status(SE_OK, key_uses_parse(&uses, "encrypt", FAMILY_RSA, &err), &err);
    assert_int_equal(uses, USE_ENCRYPT);
    assert_status(SE_OK, key_uses_parse(&uses, "both", FAMILY_RSA, &err), &err);
    assert_int_equal(uses, USE_SIGN | USE_ENCRYPT);
    assert_status(SE_ERR_USAGE, key_uses_parse(&uses, "both", FAMILY_EC, &err), &err);
    assert_status(SE_ERR_USAGE, key_uses_parse(&uses, "encrypt", FAMILY_EC, &err), &err);
    assert_status(SE_ERR_USAGE, key_uses_parse(&uses, "Sign", FAMILY_RSA, &err), &err);
    assert_status(SE_ERR_USAGE, key_uses_parse(&uses, "", FAMILY_RSA, &err), &err);
}

static void a_ca_reply_is_chosen_by_its_key(void **state)
{
    AUTO(evp_pkey) ours = key_of("P-256");
    AUTO(evp_pkey) other = key_of("P-256");
    AUTO(x509_stack) answer = sk_X509_new_null();
    AUTO(x509_stack) chain = NULL;
    X509 *own;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_true(sk_X509_push(answer, made(other, USE_SIGN, 1)));
    assert_status(SE_ERR_FORMAT, ca_reply_choose(&own, &chain, answer, ours, &err), &err);
    assert_null(own);
    assert_non_null(strstr(err.text, "the first is for 'CN=a,O=b'"));
    err = (se_error)SE_ERROR_INIT;
    assert_true(sk_X509_push(answer, made(ours, USE_SIGN, 1)));
    assert_status(SE_OK, ca_reply_choose(&own, &chain, answer, ours, &err), &err);
    assert_ptr_equal(own, sk_X509_value(answer, 1));
    assert_null(chain);
}

static void what_is_no_ca_reply_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "x",
        "-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n",
        "\x30\x80",
        "\x30\x03\x02\x01\x01",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        AUTO(x509_stack) answer = NULL;
        se_error err = SE_ERROR_INIT;

        assert_status(SE_ERR_FORMAT, ca_reply_read(&answer, text_bytes(texts[i]), &err), &err);
        assert_null(answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_is_what_rfc_5280_says),
        cmocka_unit_test(the_key_id_is_that_of_method_1),
        cmocka_unit_test(serial_numbers_are_random),
        cmocka_unit_test(the_digest_goes_with_the_key),
        cmocka_unit_test(uses_become_key_usage_and_back),
        cmocka_unit_test(a_century_is_possible),
        cmocka_unit_test(a_request_asks_for_all_of_it),
        cmocka_unit_test(key_types_have_names),
        cmocka_unit_test(uses_have_names),
        cmocka_unit_test(a_ca_reply_is_chosen_by_its_key),
        cmocka_unit_test(what_is_no_ca_reply_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
