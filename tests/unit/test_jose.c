/* SPDX-License-Identifier: Apache-2.0 */
/* JWS and JWT by the library: thumbprints, many at once, what fails is empty, and which version it
 * was. */
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "jose/jwk.h"
#include "jose/jwt.h"
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

static const char configuration[] =
    "<engineSignEncrypt><descriptors>"
    "<descriptor name='Tokens' version='1'><type algorithm='ES256' key='one'/></descriptor>"
    "<descriptor name='Tokens' version='2'><type algorithm='PS256' key='two'/></descriptor>"
    "<descriptor name='Other'><type algorithm='ES256' key='other'/></descriptor>"
    "</descriptors><keys>"
    "<key name='one'><type name='pem' locationValue='one.pem'/></key>"
    "<key name='two'><type name='pem' locationValue='two.pem'/></key>"
    "<key name='other'><type name='pem' locationValue='other.pem'/></key>"
    "</keys></engineSignEncrypt>";

static const se_bytes payload = { "some payload", 12 };

static void hear_last(void *arg, const se_event *event)
{
    se_event *last = arg;

    *last = *event;
}

static se_engine *opened(se_event *last)
{
    se_options options = SE_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    options.event = hear_last;
    options.event_arg = last;
    make("engine.xml", configuration, 0600);
    make_signer("one.pem", "P-256", &(struct certificate_wish){ .subject = "one" });
    make_signer("two.pem", "RSA-2048", &(struct certificate_wish){ .subject = "two" });
    make_signer("other.pem", "P-256", &(struct certificate_wish){ .subject = "other" });
    assert_status(SE_OK, se_open(&engine, "engine.xml", &options, &err), &err);
    return engine;
}

static void assert_text(const char *expected, const se_buf *buf)
{
    assert_int_equal(buf->size, strlen(expected));
    assert_memory_equal(buf->data, expected, buf->size);
}

/* RFC 7638, 3.1 */
static void the_thumbprint_is_that_of_the_rfc(void **state)
{
    static const char modulus[] =
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
        "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-"
        "65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"
        "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    AUTO(se_buf) n = SE_BUF_INIT;
    AUTO(evp_pkey) key = NULL;
    char print[JWK_THUMBPRINT];
    se_error err = SE_ERROR_INIT;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *number;
    OSSL_PARAM *params;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(crypto_context(), "RSA", NULL);

    (void)state;
    assert_status(SE_OK, base64url_decode(&n, text_bytes(modulus), &err), &err);
    assert_non_null(number = BN_bin2bn(n.data, (int)n.size, NULL));
    assert_true(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, number));
    assert_true(OSSL_PARAM_BLD_push_uint(build, OSSL_PKEY_PARAM_RSA_E, 65537));
    assert_non_null(params = OSSL_PARAM_BLD_to_param(build));
    assert_true(EVP_PKEY_fromdata_init(context) > 0);
    assert_true(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) > 0);
    assert_status(SE_OK, jwk_thumbprint(print, key, &err), &err);
    assert_string_equal(print, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(number);
    EVP_PKEY_CTX_free(context);
}

static void sign_with(se_buf *out, se_engine *engine, const char *descriptor, unsigned version)
{
    se_jws_sign_params params = SE_JWS_SIGN_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    params.version = version;
    assert_status(SE_OK, se_jws_sign(out, engine, descriptor, payload, &params, &err), &err);
}

static void the_version_that_signed_is_told(void **state)
{
    se_event last;
    se_engine *engine = opened(&last);
    AUTO(se_buf) jws = SE_BUF_INIT;
    AUTO(se_buf) got = SE_BUF_INIT;
    se_jws_verify_params params = SE_JWS_VERIFY_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;
    se_signer signer;

    (void)state;
    sign_with(&jws, engine, "Tokens", 1);
    assert_string_equal(last.operation, "jws sign");
    assert_int_equal(last.version, 1);
    assert_int_equal(last.bytes, payload.size);
    params.signer = &signer;
    assert_status(SE_OK, se_jws_verify(&got, engine, "Tokens", buf_bytes(&jws), &params, &err),
                  &err);
    assert_text("some payload", &got);
    assert_int_equal(signer.version, 1);
    assert_string_equal(signer.algorithm, "ES256");
    assert_string_equal(signer.subject, "CN=one");
    assert_string_equal(last.operation, "jws verify");
    assert_int_equal(last.version, 1);
    se_close(&engine);
}

static void what_fails_is_empty(void **state)
{
    se_event last;
    se_engine *engine = opened(&last);
    AUTO(se_buf) jws = SE_BUF_INIT;
    se_buf got = { (unsigned char *)&last, 4 };
    se_jws_verify_params params = SE_JWS_VERIFY_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;
    se_signer signer = { .version = 7 };

    (void)state;
    sign_with(&jws, engine, "Other", 0);
    params.signer = &signer;
    assert_status(SE_ERR_REJECTED,
                  se_jws_verify(&got, engine, "Tokens", buf_bytes(&jws), &params, &err), &err);
    assert_null(got.data);
    assert_int_equal(signer.version, 0);
    assert_int_equal(last.status, SE_ERR_REJECTED);
    assert_int_equal(last.version, 0);
    jws.data[jws.size - 1] = '*';
    assert_status(SE_ERR_FORMAT,
                  se_jws_verify(&got, engine, "Other", buf_bytes(&jws), &params, &err), &err);
    assert_int_equal(se_jws_verify(&got, engine, "Other", buf_bytes(&jws), NULL, NULL),
                     SE_ERR_FORMAT);
    se_close(&engine);
}

static void each_of_many_has_its_status(void **state)
{
    se_event last;
    se_engine *engine = opened(&last);
    AUTO(se_buf) one = SE_BUF_INIT;
    AUTO(se_buf) two = SE_BUF_INIT;
    AUTO(se_buf) other = SE_BUF_INIT;
    se_jws list[4] = { 0 };
    se_jws_verify_params params = SE_JWS_VERIFY_PARAMS_INIT;
    se_signer signers[4];
    se_error err = SE_ERROR_INIT;

    (void)state;
    memset(signers, 7, sizeof signers);
    params.signer = signers;
    sign_with(&one, engine, "Tokens", 1);
    sign_with(&two, engine, "Tokens", 2);
    sign_with(&other, engine, "Other", 0);
    list[0].in = buf_bytes(&one);
    list[1].in = buf_bytes(&other);
    list[2].in = (se_bytes){ "x", 1 };
    list[3].in = buf_bytes(&two);
    assert_status(SE_ERR_REJECTED, se_jws_verify_many(list, 4, engine, "Tokens", &params, &err),
                  &err);
    assert_string_equal(signers[0].subject, "CN=one");
    assert_int_equal(signers[0].revocation, SE_REVOCATION_UNCHECKED);
    assert_int_equal(signers[1].version, 0);
    assert_string_equal(signers[2].subject, "");
    assert_string_equal(signers[3].subject, "CN=two");
    assert_int_equal(list[0].status, SE_OK);
    assert_int_equal(list[0].version, 1);
    assert_text("some payload", &list[0].out);
    assert_int_equal(list[1].status, SE_ERR_REJECTED);
    assert_null(list[1].out.data);
    assert_int_equal(list[1].version, 0);
    assert_int_equal(list[2].status, SE_ERR_FORMAT);
    assert_int_equal(list[3].status, SE_OK);
    assert_int_equal(list[3].version, 2);
    assert_string_equal(last.operation, "jws verify many");
    assert_int_equal(last.items, 4);
    assert_int_equal(last.failed, 2);
    assert_int_equal(last.bytes, one.size + two.size + other.size + 1);
    for (size_t i = 0; i < 4; i++)
        se_buf_free(&list[i].out);
    assert_status(SE_OK, se_jws_verify_many(NULL, 0, engine, "Tokens", NULL, &err), &err);
    params.payload = payload;
    assert_status(SE_ERR_USAGE, se_jws_verify_many(list, 4, engine, "Tokens", &params, &err), &err);
    assert_string_equal(signers[3].subject, "");
    assert_int_equal(list[3].status, SE_ERR_USAGE);
    assert_status(SE_ERR_NO_DESCRIPTOR, se_jws_verify_many(list, 1, engine, "X", NULL, &err), &err);
    se_close(&engine);
}

static void a_detached_payload_is_given_to_each(void **state)
{
    se_event last;
    se_engine *engine = opened(&last);
    AUTO(se_buf) jws = SE_BUF_INIT;
    se_jws_sign_params params = SE_JWS_SIGN_PARAMS_INIT;
    se_jws list[2] = { 0 };
    se_error err = SE_ERROR_INIT;

    (void)state;
    params.detached = params.unencoded = true;
    assert_status(SE_OK, se_jws_sign(&jws, engine, "Other", payload, &params, &err), &err);
    list[0].in = list[1].in = buf_bytes(&jws);
    list[0].payload = (se_bytes){ "some other", 10 };
    list[1].payload = payload;
    assert_status(SE_ERR_REJECTED, se_jws_verify_many(list, 2, engine, "Other", NULL, &err), &err);
    assert_int_equal(list[0].status, SE_ERR_REJECTED);
    assert_int_equal(list[1].status, SE_OK);
    assert_text("some payload", &list[1].out);
    se_buf_free(&list[1].out);
    se_close(&engine);
}

static void a_token_goes_there_and_back(void **state)
{
    static const char *const audiences[] = { "api" };
    se_event last;
    se_engine *engine = opened(&last);
    AUTO(se_buf) token = SE_BUF_INIT;
    AUTO(se_buf) claims = SE_BUF_INIT;
    se_jwt_sign_params make_params = SE_JWT_SIGN_PARAMS_INIT;
    se_jwt_verify_params params = SE_JWT_VERIFY_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;
    unsigned leeway = 7;

    (void)state;
    make_params.audiences = audiences;
    make_params.audience_count = 1;
    make_params.lifetime = 60;
    assert_status(SE_OK,
                  se_jwt_sign(&token, engine, "Tokens", (se_bytes){ NULL, 0 }, &make_params, &err),
                  &err);
    params.audiences = audiences;
    params.audience_count = 1;
    params.leeway_used = &leeway;
    assert_status(SE_OK, se_jwt_verify(&claims, engine, "Tokens", buf_bytes(&token), &params, &err),
                  &err);
    assert_int_equal(leeway, 0);
    assert_non_null(strstr((const char *)claims.data, "\"aud\":\"api\""));
    se_buf_free(&claims);
    params.audience_count = 0;
    assert_status(SE_ERR_REJECTED,
                  se_jwt_verify(&claims, engine, "Tokens", buf_bytes(&token), &params, &err), &err);
    assert_null(claims.data);
    assert_int_equal(last.status, SE_ERR_REJECTED);
    make_params.lifetime = 0;
    se_buf_free(&token);
    assert_status(SE_ERR_USAGE,
                  se_jwt_sign(&token, engine, "Tokens", (se_bytes){ NULL, 0 }, &make_params, &err),
                  &err);
    se_close(&engine);
}

static void claims_stay_as_they_are_written(void **state)
{
    static const struct {
        const char *given, *made;
    } rows[] = {
        { "", "{\"iss\":\"me\",\"iat\":5}" },
        { "{}", "{\"iss\":\"me\",\"iat\":5}" },
        { " { } \n", " { \"iss\":\"me\",\"iat\":5}" },
        { "{\"a\":1.10, \"b\":{\"}\":\"}\"} }",
          "{\"a\":1.10, \"b\":{\"}\":\"}\"} ,\"iss\":\"me\",\"iat\":5}" },
        { "{\"iat\":1e3}", "{\"iat\":1e3,\"iss\":\"me\"}" },
    };
    se_jwt_sign_params params = SE_JWT_SIGN_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    params.issuer = "me";
    params.no_expiry = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(se_buf) made = SE_BUF_INIT;

        assert_status(SE_OK, jwt_claims_make(&made, text_bytes(rows[i].given), &params, 5, &err),
                      &err);
        assert_text(rows[i].made, &made);
    }
    params.lifetime = INT64_MAX;
    {
        AUTO(se_buf) made = SE_BUF_INIT;

        assert_status(SE_ERR_USAGE, jwt_claims_make(&made, text_bytes("{}"), &params, 5, &err),
                      &err);
    }
}

static void a_set_has_each_key_once(void **state)
{
    static const char *const names[] = { "Tokens", "Other", "Tokens" };
    se_event last;
    se_engine *engine = opened(&last);
    AUTO(se_buf) set = SE_BUF_INIT;
    se_jwks_params params = SE_JWKS_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;
    size_t count = 0;

    (void)state;
    assert_status(SE_OK, se_jwks(&set, engine, names, 3, NULL, &err), &err);
    for (const char *at = (const char *)set.data; (at = strstr(at, "\"kid\"")); at++)
        count++;
    assert_int_equal(count, 3);
    se_buf_free(&set);
    params.version = 1;
    params.current = true;
    assert_status(SE_OK, se_jwks(&set, engine, names, 1, &params, &err), &err);
    assert_text("{\"keys\":[]}", &set);
    se_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_thumbprint_is_that_of_the_rfc),
        IN_FOLDER(the_version_that_signed_is_told),
        IN_FOLDER(what_fails_is_empty),
        IN_FOLDER(each_of_many_has_its_status),
        IN_FOLDER(a_detached_payload_is_given_to_each),
        IN_FOLDER(a_token_goes_there_and_back),
        cmocka_unit_test(claims_stay_as_they_are_written),
        IN_FOLDER(a_set_has_each_key_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
