/* SPDX-License-Identifier: Apache-2.0 */
/* Who signs: what is told of him, and the rules that his certificate keeps at that moment. */
#include <openssl/x509v3.h>
#include <time.h>

#include "crypto/certificate.h"
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

/* The clock that everything here looks at. */
static time_t shift;

time_t time(time_t *out)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec + shift;
    return now.tv_sec + shift;
}

static const char configuration[] =
    "<engineSignEncrypt><descriptors>"
    "<descriptor name='Files'><type algorithm='SHA256withRSA' key='k'/></descriptor>"
    "<descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='k'/></descriptor>"
    "</descriptors><keys><key name='k'><type name='pem' "
    "locationValue='k.pem'/></key></keys></engineSignEncrypt>";

static se_engine *opened(const struct certificate_wish *wish)
{
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    make("engine.xml", configuration, 0600);
    make_signer("k.pem", "RSA-2048", wish);
    assert_status(SE_OK, se_open(&engine, "engine.xml", NULL, &err), &err);
    return engine;
}

static void all_that_the_certificate_says_is_told(void **state)
{
    static const char *const asked[] = { "x@example.org", "BOB@example.org", "alice@example.org" };
    se_engine *engine = opened(
        &(struct certificate_wish){ .subject = "a, \"b\"",
                                    .usage = "critical,digitalSignature",
                                    .alt_name = "email:alice@example.org,email:bob@example.org" });
    AUTO(x509_stack) certificates = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;
    char expected[256];
    se_signer signer;

    (void)state;
    assert_status(SE_OK, file_read(&text, "k.pem", 100000, &err), &err);
    assert_status(SE_OK, certificates_read(&certificates, buf_bytes(&text), "k.pem", &err), &err);
    params.addresses = asked;
    params.address_count = 3;
    for (int i = 0; i < 2; i++) {
        X509 *certificate = sk_X509_value(certificates, 0);

        assert_status(SE_OK, se_find_signer(&signer, engine, "Files", &params, &err), &err);
        assert_string_equal(signer.subject, "CN=a\\, \\\"b\\\"");
        certificate_issuer(expected, sizeof expected, certificate);
        assert_string_equal(signer.issuer, expected);
        certificate_serial(expected, sizeof expected, certificate);
        assert_string_equal(signer.serial, expected);
        assert_true(signer.not_after == certificate_not_after(certificate));
        assert_string_equal(signer.address, "BOB@example.org");
        assert_string_equal(signer.key, "k");
        assert_string_equal(signer.alias, "k");
        assert_string_equal(signer.key_type, "RSA-2048");
        assert_string_equal(signer.digest, "SHA-256");
    }
    params.address_count = 1;
    assert_status(SE_ERR_POLICY, se_find_signer(&signer, engine, "Files", &params, &err), &err);
    assert_string_equal(signer.subject, "");
    assert_int_equal(se_find_signer(&signer, engine, "Files", &params, NULL), SE_ERR_POLICY);
    assert_non_null(strstr(err.text, "the mail is from x@example.org, the certificate is for "
                                     "alice@example.org, bob@example.org"));
    se_close(&engine);
}

/* Within one second too. */
static void each_descriptor_has_rules_of_its_own(void **state)
{
    se_engine *engine = opened(&(struct certificate_wish){ .usage = "digitalSignature" });
    static const se_bytes content = { "some content", 12 };
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_status(SE_OK, se_sign(&out, engine, "Files", content, NULL, &err), &err);
        se_buf_free(&out);
        assert_status(SE_ERR_POLICY, se_sign(&out, engine, "ConfigZipSigner", content, NULL, &err),
                      &err);
    }
    se_close(&engine);
}

static void a_certificate_ends_while_it_is_in_use(void **state)
{
    static const se_bytes content = { "some content", 12 };
    se_engine *engine =
        opened(&(struct certificate_wish){ .usage = "digitalSignature", .to_days = 1 });
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (int i = 0; i < 2; i++) {
        shift = 0;
        assert_status(SE_OK, se_sign(&out, engine, "Files", content, NULL, &err), &err);
        se_buf_free(&out);
        shift = 2 * 86400;
        assert_status(SE_ERR_POLICY, se_sign(&out, engine, "Files", content, NULL, &err), &err);
        assert_non_null(strstr(err.text, "certificate expired"));
        err = (se_error)SE_ERROR_INIT;
    }
    shift = 0;
    se_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(all_that_the_certificate_says_is_told),
        IN_FOLDER(each_descriptor_has_rules_of_its_own),
        IN_FOLDER(a_certificate_ends_while_it_is_in_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
