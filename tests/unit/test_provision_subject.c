/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects and alternative names, as people write them. */
#include "crypto/crypto.h"
#include "provision/cert_profile.h"
#include "tests/unit/unit.h"

static void text_of(char out[400], const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int n;

    assert_true(X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0);
    n = BIO_read(bio, out, 399);
    out[n > 0 ? n : 0] = '\0';
    BIO_free(bio);
}

static void both_notations_are_understood(void **state)
{
    static const struct {
        const char *text, *rfc;
    } cases[] = {
        { "CN=a", "CN=a" },
        { "/CN=a", "CN=a" },
        { "CN=a,O=b,C=SE", "CN=a,O=b,C=SE" },
        { "/C=SE/O=b/CN=a", "CN=a,O=b,C=SE" },
        { " CN = a", NULL },
        { "CN= a b , O=c ", "CN=a b,O=c" },
        { "cn=a,o=b", "CN=a,O=b" },
        { "CN=a;O=b", "CN=a,O=b" },
        { "CN=a\\, b\\\\\\+\\\"", "CN=a\\, b\\\\\\+\\\"" },
        { "CN=\\ a\\ ", "CN=\\ a\\ " },
        { "CN=a\\2Cb", "CN=a\\,b" },
        { "CN=R\\C3\\A4k", "CN=R\xc3\xa4k" },
        { "CN=R\xc3\xa4k,O=\xe6\x97\xa5\xe6\x9c\xac", "CN=R\xc3\xa4k,O=\xe6\x97\xa5\xe6\x9c\xac" },
        { "/O=A, B + C/CN=x", "CN=x,O=A\\, B \\+ C" },
        { "/O=either\\/or/CN=x", "CN=x,O=either/or" },
        { "CN=a=b", "CN=a=b" },
        { "2.5.4.3=a", "CN=a" },
        { "emailAddress=a@example.org,DC=example,DC=org",
          "emailAddress=a@example.org,DC=example,DC=org" },
        { "CN=a+UID=7,O=b", "CN=a+UID=7,O=b" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(x509_name) name = NULL;
        se_error err = SE_ERROR_INIT;
        char text[400];

        assert_status(cases[i].rfc ? SE_OK : SE_ERR_USAGE,
                      distinguished_name_parse(&name, cases[i].text, &err), &err);
        if (!cases[i].rfc)
            continue;
        text_of(text, name);
        assert_string_equal(text, cases[i].rfc);
    }
}

static void parts_of_one_rdn_stay_together(void **state)
{
    AUTO(x509_name) name = NULL;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, distinguished_name_parse(&name, "CN=a+UID=7,O=b", &err), &err);
    assert_int_equal(X509_NAME_entry_count(name), 3);
    assert_int_equal(X509_NAME_ENTRY_set(X509_NAME_get_entry(name, 0)), 0);
    assert_int_equal(X509_NAME_ENTRY_set(X509_NAME_get_entry(name, 1)), 1);
    assert_int_equal(X509_NAME_ENTRY_set(X509_NAME_get_entry(name, 2)), 1);
}

static void each_fault_has_its_words(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        { "", "expected TYPE=VALUE at ''" },
        { "/", "expected TYPE=VALUE at ''" },
        { "CN", "expected TYPE=VALUE at ''" },
        { "=a", "expected TYPE=VALUE at '=a'" },
        { "CN=a,", "expected TYPE=VALUE at ''" },
        { "CN=a,,O=b", "expected TYPE=VALUE at ',O=b'" },
        { "/CN=a/", "expected TYPE=VALUE at ''" },
        { "CN=", "'CN' has no value" },
        { "CN= ,O=b", "'CN' has no value" },
        { "QQ=a", "no attribute type 'QQ'" },
        { "a-type-name-that-is-longer-than-any-that-there-is=a", "no attribute type" },
        { "C=Sweden", "the value of 'C' is not possible" },
        { "CN=1234567890123456789012345678901234567890123456789012345678901234x",
          "the value of 'CN' is not possible" },
        { "CN=\xff\xfe", "the value of 'CN' is not possible" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(x509_name) name = NULL;
        se_error err = SE_ERROR_INIT;

        assert_status(SE_ERR_USAGE, distinguished_name_parse(&name, cases[i].text, &err), &err);
        assert_null(name);
        if (!strstr(err.text, cases[i].words))
            fail_msg("'%s' does not hold '%s'", err.text, cases[i].words);
    }
}

static void a_common_name_is_taken_as_it_is(void **state)
{
    AUTO(x509_name) name = NULL;
    se_error err = SE_ERROR_INIT;
    char text[400];

    (void)state;
    assert_status(SE_OK, common_name_make(&name, "/a,b=c", &err), &err);
    text_of(text, name);
    assert_string_equal(text, "CN=/a\\,b=c");
    X509_NAME_free(name);
    assert_status(SE_ERR_USAGE, common_name_make(&name, "", &err), &err);
    assert_null(name);
}

static void alternative_names_have_their_kinds(void **state)
{
    static const char *const texts[] = { "DNS:host.example", "email:a@example.org", "IP:192.0.2.1",
                                         "IP:2001:db8::1", "URI:https://a.example/b" };
    static const int kinds[] = { GEN_DNS, GEN_EMAIL, GEN_IPADD, GEN_IPADD, GEN_URI };
    AUTO(general_names) names = NULL;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, alternative_names(&names, texts, 5, &err), &err);
    assert_int_equal(sk_GENERAL_NAME_num(names), 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(sk_GENERAL_NAME_value(names, i)->type, kinds[i]);
    GENERAL_NAMES_free(names);
    assert_status(SE_OK, alternative_names(&names, NULL, 0, &err), &err);
    assert_null(names);
}

static void other_alternative_names_are_refused(void **state)
{
    static const char *const texts[] = { "",
                                         "host.example",
                                         "DNS:",
                                         "dns:host",
                                         "DNS:a b",
                                         "DNS:\xc3\xa4.example",
                                         "IP:1.2.3",
                                         "IP:host",
                                         "email:",
                                         "URI:",
                                         "otherName:1.2;UTF8:a",
                                         "dirName:section",
                                         "email:copy a",
                                         "RID:1.2.3.4" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        AUTO(general_names) names = NULL;
        se_error err = SE_ERROR_INIT;

        assert_status(SE_ERR_USAGE, alternative_names(&names, &texts[i], 1, &err), &err);
        assert_null(names);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_notations_are_understood),
        cmocka_unit_test(parts_of_one_rdn_stay_together),
        cmocka_unit_test(each_fault_has_its_words),
        cmocka_unit_test(a_common_name_is_taken_as_it_is),
        cmocka_unit_test(alternative_names_have_their_kinds),
        cmocka_unit_test(other_alternative_names_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
