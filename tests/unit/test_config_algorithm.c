/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "config/algorithm.h"
#include "config/policy.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void signatures_are_known_in_every_spelling(void **state)
{
    static const struct {
        const char *text, *name;
        enum digest digest;
        enum key_family family;
        enum padding padding;
    } rows[] = {
        { "SHA256withRSA", "SHA256withRSA", DIGEST_SHA256, FAMILY_RSA, PADDING_PKCS1 },
        { "sha384WithRsa", "SHA384withRSA", DIGEST_SHA384, FAMILY_RSA, PADDING_PKCS1 },
        { "SHA512WITHRSA", "SHA512withRSA", DIGEST_SHA512, FAMILY_RSA, PADDING_PKCS1 },
        { "SHA256withRSAandMGF1", "SHA256withRSAandMGF1", DIGEST_SHA256, FAMILY_RSA, PADDING_PSS },
        { "SHA384withRSAANDMGF1", "SHA384withRSAandMGF1", DIGEST_SHA384, FAMILY_RSA, PADDING_PSS },
        { "SHA512withRSAandMGF1", "SHA512withRSAandMGF1", DIGEST_SHA512, FAMILY_RSA, PADDING_PSS },
        { "SHA256withECDSA", "SHA256withECDSA", DIGEST_SHA256, FAMILY_EC, PADDING_NONE },
        { "SHA384withECDSA", "SHA384withECDSA", DIGEST_SHA384, FAMILY_EC, PADDING_NONE },
        { "SHA512withECDSA", "SHA512withECDSA", DIGEST_SHA512, FAMILY_EC, PADDING_NONE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct algorithm a;

        assert_true(algorithm_parse(&a, rows[i].text, NULL));
        assert_int_equal(a.kind, ALGORITHM_SIGNATURE);
        assert_string_equal(a.name, rows[i].name);
        assert_int_equal(a.digest, rows[i].digest);
        assert_int_equal(a.family, rows[i].family);
        assert_int_equal(a.padding, rows[i].padding);
        assert_string_equal(algorithm_signature(a.digest, a.family, a.padding)->name, rows[i].name);
    }
}

static void digests_are_known_in_every_spelling(void **state)
{
    static const struct {
        const char *text, *name;
        enum digest digest;
    } rows[] = {
        { "SHA-256", "SHA-256", DIGEST_SHA256 }, { "SHA256", "SHA-256", DIGEST_SHA256 },
        { "sha-384", "SHA-384", DIGEST_SHA384 }, { "sha384", "SHA-384", DIGEST_SHA384 },
        { "Sha-512", "SHA-512", DIGEST_SHA512 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct algorithm a;
        enum digest digest = DIGEST_NONE;

        assert_true(algorithm_parse(&a, rows[i].text, NULL));
        assert_int_equal(a.kind, ALGORITHM_DIGEST);
        assert_string_equal(a.name, rows[i].name);
        assert_int_equal(a.digest, rows[i].digest);
        assert_true(digest_parse(&digest, rows[i].text));
        assert_int_equal(digest, rows[i].digest);
        assert_string_equal(digest_name(digest), rows[i].name);
    }
}

static void ciphers_have_defaults(void **state)
{
    static const struct {
        const char *text, *name;
        enum cipher cipher;
    } rows[] = {
        { "AES/CBC/PKCS7Padding", "AES/CBC/PKCS7Padding", CIPHER_AES_CBC },
        { "AES/CBC/PKCS5Padding", "AES/CBC/PKCS7Padding", CIPHER_AES_CBC },
        { "aes/cbc/pkcs5padding", "AES/CBC/PKCS7Padding", CIPHER_AES_CBC },
        { "AES/GCM/NoPadding", "AES/GCM/NoPadding", CIPHER_AES_GCM },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct algorithm a;

        memset(&a, 0xFF, sizeof a);
        assert_true(algorithm_parse(&a, rows[i].text, NULL));
        assert_int_equal(a.kind, ALGORITHM_CIPHER);
        assert_string_equal(a.name, rows[i].name);
        assert_int_equal(a.cipher, rows[i].cipher);
        assert_int_equal(a.bits, 256);
        assert_int_equal(a.result, RESULT_NX02);
        assert_int_equal(a.iv_size, 0);
        assert_int_equal(a.oaep, DIGEST_NONE);
    }
}

static void jws_has_the_names_of_jose(void **state)
{
    static const struct {
        const char *text, *name;
        enum digest digest;
        enum key_family family;
        enum padding padding;
    } rows[] = {
        { "rsa", "RSA", DIGEST_SHA256, FAMILY_RSA, PADDING_PKCS1 },
        { "RS256", "RS256", DIGEST_SHA256, FAMILY_RSA, PADDING_PKCS1 },
        { "rs512", "RS512", DIGEST_SHA512, FAMILY_RSA, PADDING_PKCS1 },
        { "PS384", "PS384", DIGEST_SHA384, FAMILY_RSA, PADDING_PSS },
        { "ES256", "ES256", DIGEST_SHA256, FAMILY_EC, PADDING_NONE },
        { "ES512", "ES512", DIGEST_SHA512, FAMILY_EC, PADDING_NONE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct algorithm a;

        assert_true(algorithm_parse(&a, rows[i].text, NULL));
        assert_int_equal(a.kind, ALGORITHM_JWS);
        assert_string_equal(a.name, rows[i].name);
        assert_int_equal(a.digest, rows[i].digest);
        assert_int_equal(a.family, rows[i].family);
        assert_int_equal(a.padding, rows[i].padding);
    }
    assert_string_equal(algorithm_jws(DIGEST_SHA256, FAMILY_RSA, PADDING_PKCS1)->name, "RS256");
    assert_null(algorithm_jws(DIGEST_SHA1, FAMILY_RSA, PADDING_PKCS1));
}

static void oaep_is_known_in_every_spelling(void **state)
{
    static const char *const modes[] = { "ECB", "None", "NONE", "none" };
    static const struct {
        const char *text;
        enum digest digest;
    } digests[] = {
        { "SHA-1", DIGEST_SHA1 },     { "SHA1", DIGEST_SHA1 },      { "SHA-256", DIGEST_SHA256 },
        { "SHA256", DIGEST_SHA256 },  { "SHA-384", DIGEST_SHA384 }, { "SHA384", DIGEST_SHA384 },
        { "SHA-512", DIGEST_SHA512 }, { "sha512", DIGEST_SHA512 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(modes) * COUNT(digests); i++) {
        struct algorithm a = { .name = "" };
        char text[64];

        (void)snprintf(text, sizeof text, "RSA/%s/OAEPWith%sAndMGF1Padding",
                       modes[i / COUNT(digests)], digests[i % COUNT(digests)].text);
        assert_true(algorithm_parse_oaep(&a, text, NULL));
        assert_int_equal(a.oaep, digests[i % COUNT(digests)].digest);
        assert_int_equal(a.mgf1, a.oaep);
    }
    assert_string_equal(oaep_name(DIGEST_SHA384), "RSA/ECB/OAEPWithSHA-384AndMGF1Padding");
    assert_string_equal(oaep_name(DIGEST_NONE), "");
}

static void what_is_not_known_is_empty_and_has_a_near_miss(void **state)
{
    struct algorithm a;
    const char *nearest = "";

    (void)state;
    assert_false(algorithm_parse(&a, "SHA256witRSA", &nearest));
    assert_string_equal(nearest, "SHA256withRSA");
    assert_string_equal(a.name, "");
    assert_false(algorithm_parse(&a, "", &nearest));
    assert_false(algorithm_parse(&a, "Ed25519", &nearest));
    assert_null(nearest);
    assert_false(algorithm_parse_oaep(&a, "RSA/EBC/OAEPWithSHA-256AndMGF1Padding", &nearest));
    assert_string_equal(nearest, "RSA/ECB/OAEPWithSHA-256AndMGF1Padding");
    assert_int_equal(a.oaep, DIGEST_NONE);
    assert_false(algorithm_parse_oaep(&a, "RSA/ECB/OAEPWithSHA--256AndMGF1Padding", NULL));
    assert_false(algorithm_parse(&a, "SHA-256 ", NULL));
    assert_false(algorithm_parse(&a, "SHA-25", NULL));
    assert_false(algorithm_parse(&a, "SHA-256withRSA", NULL));
}

static void weak_names_say_so(void **state)
{
    static const char *const weak[] = { "SHA1withRSA",
                                        "sha-1withecdsa",
                                        "SHA1",
                                        "SHA-1",
                                        "MD5withRSA",
                                        "MD2",
                                        "AES/ECB/NoPadding",
                                        "DESede",
                                        "RSA/ECB/PKCS1Padding",
                                        "rsa/none/pkcs1padding" };
    struct algorithm a;

    (void)state;
    for (size_t i = 0; i < COUNT(weak); i++) {
        assert_false(algorithm_parse(&a, weak[i], NULL));
        assert_false(algorithm_parse_oaep(&a, weak[i], NULL));
        assert_non_null(algorithm_weakness(weak[i]));
    }
    assert_null(algorithm_weakness("SHA-128"));
    assert_null(algorithm_weakness("Ed25519"));
    assert_null(algorithm_weakness(""));
}

static void names_of_what_is_not_there(void **state)
{
    enum digest digest = DIGEST_SHA256;
    enum result result = RESULT_JWE;

    (void)state;
    assert_false(digest_parse(&digest, "MD5"));
    assert_false(digest_parse(&digest, ""));
    assert_int_equal(digest, DIGEST_SHA256);
    assert_false(result_parse(&result, ""));
    assert_false(result_parse(&result, "NX03"));
    assert_int_equal(result, RESULT_JWE);
    assert_true(result_parse(&result, "cms"));
    assert_string_equal(result_name(result), "CMS");
    assert_string_equal(digest_name(DIGEST_NONE), "");
    assert_string_equal(digest_name((enum digest)99), "");
    assert_string_equal(result_name((enum result)99), "");
    assert_null(algorithm_signature(DIGEST_SHA1, FAMILY_RSA, PADDING_PKCS1));
    assert_null(algorithm_signature(DIGEST_SHA256, FAMILY_EC, PADDING_PSS));
}

static void a_known_use_has_its_rules(void **state)
{
    static const struct {
        const char *name;
        unsigned kinds;
        enum key_family family;
        unsigned rsa_max;
        bool self_signed, validity, mail_address;
        enum key_usage usage;
    } rows[] = {
        { "EncryptedFields", 1U << ALGORITHM_CIPHER, FAMILY_RSA, 4096, true, false, false,
          USAGE_ANY },
        { "ConfigZipEncrypter", 1U << ALGORITHM_CIPHER, FAMILY_RSA, 16384, true, false, false,
          USAGE_ANY },
        { "ConfigZipSigner", 1U << ALGORITHM_DIGEST, FAMILY_ANY, 16384, false, true, false,
          USAGE_CRITICAL_SIGNATURE },
        { "ObjectHistorySigner", 1U << ALGORITHM_DIGEST, FAMILY_ANY, 16384, true, false, false,
          USAGE_CRITICAL_SIGNATURE },
        { "SignEmailDescriptor", 1U << ALGORITHM_SIGNATURE, FAMILY_ANY, 4096, false, true, true,
          USAGE_SIGN },
        { "SelfServiceJWTSigner", 1U << ALGORITHM_JWS, FAMILY_RSA, 16384, true, false, false,
          USAGE_ANY },
        { "ContentProviderJWSSigner", 1U << ALGORITHM_JWS, FAMILY_RSA, 16384, true, false, false,
          USAGE_ANY },
        { "hermodDeviceEnc", 31, FAMILY_RSA, 16384, true, false, false, USAGE_ANY },
        { "att_", 31, FAMILY_RSA, 16384, true, false, false, USAGE_ANY },
        { "att_phone", 31, FAMILY_RSA, 16384, true, false, false, USAGE_ANY },
        { "FileSigner", 31, FAMILY_ANY, 16384, true, true, false, USAGE_SIGN_IF_STATED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct use *use = use_find(rows[i].name);

        assert_int_equal(use->kinds, rows[i].kinds);
        assert_int_equal(use->family, rows[i].family);
        assert_int_equal(use->rsa_min, 2048);
        assert_int_equal(use->rsa_max, rows[i].rsa_max);
        assert_int_equal(use->self_signed, rows[i].self_signed);
        assert_int_equal(use->validity, rows[i].validity);
        assert_int_equal(use->mail_address, rows[i].mail_address);
        assert_int_equal(use->usage, rows[i].usage);
    }
}

static void all_other_names_are_the_operators_own(void **state)
{
    static const char *const names[] = {
        "", "encryptedfields", "EncryptedFields2", "Att_phone", "att", "att*", "ConfigZipSigner ",
        "*"
    };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        assert_null(use_find(names[i])->name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_known_in_every_spelling),
        cmocka_unit_test(digests_are_known_in_every_spelling),
        cmocka_unit_test(ciphers_have_defaults),
        cmocka_unit_test(jws_has_the_names_of_jose),
        cmocka_unit_test(oaep_is_known_in_every_spelling),
        cmocka_unit_test(what_is_not_known_is_empty_and_has_a_near_miss),
        cmocka_unit_test(weak_names_say_so),
        cmocka_unit_test(names_of_what_is_not_there),
        cmocka_unit_test(a_known_use_has_its_rules),
        cmocka_unit_test(all_other_names_are_the_operators_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
