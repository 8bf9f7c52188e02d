/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate that waits beside the one in use takes over when its day comes. */
#include <openssl/pem.h>
#include <time.h>

#include "tests/unit/reload.h"

enum { WAITS = 2 };

static void append(const char *path, X509 *certificate)
{
    FILE *file = fopen(path, "a");

    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    assert_int_equal(fclose(file), 0);
}

static void assert_signed_as(const char *subject, se_buf *signature, se_engine *engine)
{
    se_verify_params params = SE_VERIFY_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;
    se_signer signer;

    params.signature = buf_bytes(signature);
    assert_status(SE_OK, se_verify(&signer, engine, "Files", content, &params, &err), &err);
    assert_string_equal(signer.subject, subject);
}

static void sign_content(se_buf *signature, se_engine *engine)
{
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, se_sign(signature, engine, "Files", content, &params, &err), &err);
}

static void a_certificate_takes_over_when_its_day_comes(void **state)
{
    const char usage[] = "critical,digitalSignature";
    EVP_PKEY *key = make_key("P-256");
    X509 *now =
        make_certificate(key, &(struct certificate_wish){ .subject = "now", .usage = usage });
    X509 *next = make_certificate(
        key, &(struct certificate_wish){
                 .subject = "next", .usage = usage, .to_days = 400, .from_seconds = WAITS });
    const time_t turn = time(NULL) + WAITS;
    AUTO(se_buf) before = SE_BUF_INIT;
    AUTO(se_buf) after = SE_BUF_INIT;
    se_engine *engine;

    (void)state;
    make_bundle("one.pem", key, now);
    append("one.pem", next);
    make("engine.xml", first, 0600);
    engine = open_path("engine.xml", false);
    sign_content(&before, engine);
    if (time(NULL) < turn)
        assert_signed_as("CN=now", &before, engine);
    while (time(NULL) <= turn)
        (void)nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
    sign_content(&after, engine);
    assert_signed_as("CN=next", &after, engine);
    assert_signed_as("CN=now", &before, engine);
    assert_int_equal(heard.reloaded, 0);
    se_close(&engine);
    X509_free(now);
    X509_free(next);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_certificate_takes_over_when_its_day_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
