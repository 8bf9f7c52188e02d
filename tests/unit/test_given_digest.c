/* SPDX-License-Identifier: Apache-2.0 */
/* Content that is elsewhere: its digest is signed and verified, and nothing else can tell. */
#include <openssl/evp.h>

#include "base/stream.h"
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

static const char configuration[] =
    "<engineSignEncrypt><descriptors>"
    "<descriptor name='RSA'><type algorithm='SHA256withRSA' key='rsa'/></descriptor>"
    "<descriptor name='PSS'><type algorithm='SHA512withRSAandMGF1' key='rsa'/></descriptor>"
    "<descriptor name='EC' version='1'><type algorithm='SHA256withECDSA' key='p256'/></descriptor>"
    "<descriptor name='EC' version='2'><type algorithm='SHA384withECDSA' key='p384'/></descriptor>"
    "</descriptors><keys>"
    "<key name='rsa'><type name='pem' locationValue='rsa.pem'/></key>"
    "<key name='p256'><type name='pem' locationValue='p256.pem'/></key>"
    "<key name='p384'><type name='pem' locationValue='p384.pem'/></key>"
    "</keys></engineSignEncrypt>";

static const se_bytes content = { "some content", 12 }, other = { "other content", 13 },
                      nothing = { NULL, 0 };

static const se_form forms[] = { SE_FORM_DETACHED, SE_FORM_RAW, SE_FORM_XML_DETACHED };
enum { FORMS = sizeof forms / sizeof *forms };

static se_engine *opened(void)
{
    const struct certificate_wish signer = { .usage = "critical,digitalSignature" };
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    make("engine.xml", configuration, 0600);
    make_signer("rsa.pem", "RSA-2048", &signer);
    make_signer("p256.pem", "P-256", &signer);
    make_signer("p384.pem", "P-384", &signer);
    assert_status(SE_OK, se_open(&engine, "engine.xml", NULL, &err), &err);
    return engine;
}

/* Of one call at a time. */
static se_bytes digest_of(const char *algorithm, se_bytes of)
{
    static unsigned char hash[EVP_MAX_MD_SIZE];
    size_t size = sizeof hash;

    assert_true(EVP_Q_digest(NULL, algorithm, NULL, of.data, of.size, hash, &size));
    return (se_bytes){ hash, size };
}

static se_status sign_it(se_buf *out, se_engine *engine, const char *descriptor, se_form form,
                         se_bytes digest)
{
    se_sign_params params = SE_SIGN_PARAMS_INIT;

    params.form = form;
    params.digest = digest;
    params.xml_uri = "it";
    return se_sign(out, engine, descriptor, digest.size ? nothing : content, &params, NULL);
}

static se_status verify_it(se_engine *engine, const char *descriptor, se_form form,
                           const se_buf *signature, se_bytes digest)
{
    se_verify_params params = SE_VERIFY_PARAMS_INIT;

    params.form = form;
    params.signature = buf_bytes(signature);
    params.digest = digest;
    return se_verify(NULL, engine, descriptor, digest.size ? nothing : content, &params, NULL);
}

static void content_and_digest_are_the_same(void **state)
{
    static const struct {
        const char *descriptor, *algorithm;
    } cases[] = { { "RSA", "SHA256" }, { "PSS", "SHA512" }, { "EC", "SHA384" } };
    se_engine *engine = opened();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t f = 0; f < FORMS; f++) {
            const char *d = cases[i].descriptor, *algorithm = cases[i].algorithm;
            AUTO(se_buf) by_digest = SE_BUF_INIT;
            AUTO(se_buf) by_content = SE_BUF_INIT;

            assert_int_equal(
                sign_it(&by_digest, engine, d, forms[f], digest_of(algorithm, content)), SE_OK);
            assert_int_equal(sign_it(&by_content, engine, d, forms[f], nothing), SE_OK);
            assert_int_equal(verify_it(engine, d, forms[f], &by_digest, nothing), SE_OK);
            assert_int_equal(
                verify_it(engine, d, forms[f], &by_digest, digest_of(algorithm, content)), SE_OK);
            assert_int_equal(
                verify_it(engine, d, forms[f], &by_content, digest_of(algorithm, content)), SE_OK);
            assert_int_equal(
                verify_it(engine, d, forms[f], &by_content, digest_of(algorithm, other)),
                SE_ERR_REJECTED);
        }
    se_close(&engine);
}

/* RSA PKCS #1 signs the same twice: to the byte what the content gives. */
static void the_signature_is_the_same(void **state)
{
    se_engine *engine = opened();
    AUTO(se_buf) by_digest = SE_BUF_INIT;
    AUTO(se_buf) by_content = SE_BUF_INIT;

    (void)state;
    assert_int_equal(sign_it(&by_digest, engine, "RSA", SE_FORM_RAW, digest_of("SHA256", content)),
                     SE_OK);
    assert_int_equal(sign_it(&by_content, engine, "RSA", SE_FORM_RAW, nothing), SE_OK);
    assert_int_equal(by_digest.size, by_content.size);
    assert_memory_equal(by_digest.data, by_content.data, by_content.size);
    se_close(&engine);
}

/* A digest that fits an older version is that version's. */
static void a_raw_signature_of_any_version_is_found(void **state)
{
    se_engine *engine = opened();
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    params.version = 1;
    params.form = SE_FORM_RAW;
    assert_status(SE_OK, se_sign(&signature, engine, "EC", content, &params, &err), &err);
    assert_int_equal(verify_it(engine, "EC", SE_FORM_RAW, &signature, digest_of("SHA256", content)),
                     SE_OK);
    assert_int_equal(verify_it(engine, "EC", SE_FORM_RAW, &signature, nothing), SE_OK);
    assert_int_equal(verify_it(engine, "EC", SE_FORM_RAW, &signature, digest_of("SHA384", content)),
                     SE_ERR_REJECTED);
    assert_int_equal(verify_it(engine, "EC", SE_FORM_RAW, &signature, digest_of("SHA512", content)),
                     SE_ERR_USAGE);
    se_close(&engine);
}

static void a_signature_may_come_later(void **state)
{
    se_engine *engine = opened();
    se_verify_params params = SE_VERIFY_PARAMS_INIT;
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    se_bytes left;
    const se_source later = source_memory(&left);

    (void)state;
    assert_int_equal(sign_it(&signature, engine, "EC", SE_FORM_DETACHED, nothing), SE_OK);
    left = buf_bytes(&signature);
    params.later = &later;
    params.digest = digest_of("SHA384", content);
    assert_status(SE_OK, se_verify(NULL, engine, "EC", nothing, &params, &err), &err);
    left = buf_bytes(&signature);
    params.digest = digest_of("SHA384", other);
    assert_status(SE_ERR_REJECTED, se_verify(NULL, engine, "EC", nothing, &params, &err), &err);
    left = buf_bytes(&signature);
    params.digest = digest_of("SHA256", content);
    assert_status(SE_ERR_USAGE, se_verify(NULL, engine, "EC", nothing, &params, &err), &err);
    se_close(&engine);
}

static void assert_refused(se_status st, const se_error *err, const char *text)
{
    assert_int_equal(st, SE_ERR_USAGE);
    if (!strstr(err->text, text))
        fail_msg("'%s' is not in: %s", text, err->text);
}

static void what_is_no_digest_is_refused(void **state)
{
    se_engine *engine = opened();
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    se_buf none;

    (void)state;
    for (size_t f = 0; f < FORMS; f++) {
        se_sign_params params = SE_SIGN_PARAMS_INIT;
        se_verify_params verify = SE_VERIFY_PARAMS_INIT;

        params.form = verify.form = forms[f];
        params.xml_uri = "it";
        params.digest = digest_of("SHA1", content);
        assert_refused(se_sign(&none, engine, "RSA", nothing, &params, &err), &err,
                       "the digest that is given has 20 bytes; SHA-256 is needed, which has 32");
        assert_null(none.data);
        params.digest = digest_of("SHA256", content);
        assert_refused(se_sign(&none, engine, "RSA", content, &params, &err), &err,
                       "the digest is given, and an input as well");
        params.digest = (se_bytes){ NULL, 32 };
        assert_refused(se_sign(&none, engine, "RSA", nothing, &params, &err), &err,
                       "the bytes of the digest are NULL");
        assert_int_equal(sign_it(&signature, engine, "RSA", forms[f], nothing), SE_OK);
        verify.signature = buf_bytes(&signature);
        verify.digest = digest_of("SHA1", content);
        assert_refused(se_verify(NULL, engine, "RSA", nothing, &verify, &err), &err,
                       "the digest that is given has 20 bytes; SHA-256 is needed, which has 32");
        verify.digest = digest_of("SHA256", content);
        assert_refused(se_verify(NULL, engine, "RSA", content, &verify, &err), &err,
                       "the digest is given, and an input as well");
        se_buf_free(&signature);
    }
    se_close(&engine);
}

static void other_forms_have_their_content(void **state)
{
    static const se_form others[] = { SE_FORM_ATTACHED, SE_FORM_XML, SE_FORM_XML_ENVELOPING };
    se_engine *engine = opened();
    se_error err = SE_ERROR_INIT;
    se_buf none;

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        se_sign_params params = SE_SIGN_PARAMS_INIT;
        se_verify_params verify = SE_VERIFY_PARAMS_INIT;

        params.form = verify.form = others[i];
        params.digest = verify.digest = digest_of("SHA256", content);
        assert_refused(se_sign(&none, engine, "RSA", nothing, &params, &err), &err,
                       "a digest stands for the content of detached and raw signatures only");
        assert_refused(se_verify(NULL, engine, "RSA", nothing, &verify, &err), &err,
                       "a digest stands for the content of detached and raw signatures only");
    }
    se_close(&engine);
}

/* A program that was built before there was a digest. */
static void an_older_program_has_none(void **state)
{
    se_engine *engine = opened();
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    params.size = offsetof(se_sign_params, digest);
    params.digest = (se_bytes){ "beyond", 6 };
    params.tag = "not a tag";
    assert_status(SE_OK, se_sign(&signature, engine, "RSA", content, &params, &err), &err);
    assert_int_equal(verify_it(engine, "RSA", SE_FORM_DETACHED, &signature, nothing), SE_OK);
    se_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(content_and_digest_are_the_same),
        IN_FOLDER(the_signature_is_the_same),
        IN_FOLDER(a_raw_signature_of_any_version_is_found),
        IN_FOLDER(a_signature_may_come_later),
        IN_FOLDER(what_is_no_digest_is_refused),
        IN_FOLDER(other_forms_have_their_content),
        IN_FOLDER(an_older_program_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
