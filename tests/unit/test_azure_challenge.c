/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate of vaults: as recorded, and as nobody should write it. */
#include "keystore/azure/challenge.h"

#include "tests/unit/azure_vectors.h"

#define TENANT    "127ea7e6-702c-4b3a-8f99-49a1235b341c"
#define VAULT     "https://vault.azure.net"
#define AUTHORITY "authorization=\"https://login.windows.net/" TENANT "\""
#define RESOURCE  "resource=\"" VAULT "\""

static void assert_empty(const struct challenge *challenge)
{
    const unsigned char *p = (const unsigned char *)challenge;

    for (size_t i = 0; i < sizeof *challenge; i++)
        assert_int_equal(p[i], 0);
}

static void read_recorded(const json_t *response)
{
    AUTO(made_answer) answer = { .status = 0 };
    struct challenge got;
    se_error err = SE_ERROR_INIT;

    make_recorded_answer(&answer, response);
    assert_int_equal(answer.status, 401);
    assert_status(SE_OK, challenge_parse(&got, answer.authenticate, &err), &err);
    assert_string_equal(got.scheme, "Bearer");
    assert_true(strstr(answer.authenticate, got.tenant) && strlen(got.tenant) >= 15);
    assert_true(strstr(answer.authenticate, got.resource));
    assert_int_equal(strncmp(got.resource, "https://", 8), 0);
    assert_string_equal(got.claims, "");
    assert_string_equal(got.error, "");
    assert_string_equal(got.realm, "");
}

static void recorded_challenges_are_read(void **state)
{
    AUTO(json) list = load_vectors("challenges.json");

    (void)state;
    assert_int_equal(json_array_size(list), 10);
    for (size_t i = 0; i < json_array_size(list); i++)
        read_recorded(
            json_object_get(json_object_get(json_array_get(list, i), "exchange"), "response"));
}

static void recorded_claims_are_read(void **state)
{
    AUTO(json) file = load_vectors("exchanges/auth/arm-continuous-access-evaluation.json");
    AUTO(made_answer) answer = { .status = 0 };
    struct challenge got;
    se_error err = SE_ERROR_INIT;

    (void)state;
    make_recorded_answer(
        &answer,
        json_object_get(json_array_get(json_object_get(file, "exchanges"), 0), "response"));
    assert_status(SE_OK, challenge_parse(&got, answer.authenticate, &err), &err);
    assert_string_equal(got.tenant, "");
    assert_string_equal(got.resource, "");
    assert_string_equal(got.error, "invalid_token");
    assert_string_equal(got.claims, "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwgInZhbH"
                                    "VlIjoiMTYxMTE2NTM1OSJ9fX0=");
}

static void many_spellings_are_read(void **state)
{
    static const struct {
        const char *header, *tenant, *resource, *claims, *error;
    } rows[] = {
        { "Bearer " AUTHORITY ", " RESOURCE, TENANT, VAULT, "", "" },
        { "bearer " RESOURCE "," AUTHORITY, TENANT, VAULT, "", "" },
        { "  BEARER \t Resource = \"" VAULT "\" ,\t AUTHORIZATION\t=\"https://a.example/t1\"  ",
          "t1", VAULT, "", "" },
        { "Bearer " AUTHORITY " " RESOURCE, TENANT, VAULT, "", "" },
        { "Bearer authorization=https://a.example/t1, resource=" VAULT, "t1", VAULT, "", "" },
        { "Bearer ,, " AUTHORITY ",, " RESOURCE ",", TENANT, VAULT, "", "" },
        { "Bearer authorization_uri=\"https://a.example/t1/oauth2/authorize\"", "t1", "", "", "" },
        { "Bearer authorization=\"https://a.example/t1\", "
          "authorization_uri=\"https://b.example/T1?x\"",
          "t1", "", "", "" },
        { "Bearer authorization=\"https://a.example/\", authorization_uri=\"https://b.example/t1\"",
          "t1", "", "", "" },
        { "Bearer authorization=\"https://a.example\"", "", "", "", "" },
        { "Bearer authorization=\"https://adfs.example/adfs\"", "adfs", "", "", "" },
        { "Bearer scope=\"" VAULT "/.default\"", "", VAULT, "", "" },
        { "Bearer " RESOURCE ", scope=\"" VAULT "/.default\"", "", VAULT, "", "" },
        { "Bearer scope=\"openid profile\"", "", "", "", "" },
        { "Bearer resource=\"https://vault\\.azure\\.net\"", "", VAULT, "", "" },
        { "Bearer realm=\"\", error_description=\"a \\\"b\\\", c=d \xc3\xa4\", " RESOURCE, "",
          VAULT, "", "" },
        { "Bearer error=\"insufficient_claims\", claims=\"e30\"", "", "", "e30",
          "insufficient_claims" },
        { "Bearer", "", "", "", "" },
        { "Negotiate, Bearer " RESOURCE, "", VAULT, "", "" },
        { "Negotiate YII/+a==, Bearer " RESOURCE, "", VAULT, "", "" },
        { "Basic realm=\"x\", Bearer " RESOURCE ", Digest realm=\"y\", nonce=z", "", VAULT, "",
          "" },
        { "PoP a=\"b\", " RESOURCE ", a=\"b\", Bearer resource=\"https://b.example\"", "",
          "https://b.example", "", "" },
    };
    struct challenge got;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        se_error err = SE_ERROR_INIT;

        print_message("%s\n", rows[i].header);
        assert_status(SE_OK, challenge_parse(&got, rows[i].header, &err), &err);
        assert_string_equal(got.scheme, "Bearer");
        assert_string_equal(got.tenant, rows[i].tenant);
        assert_string_equal(got.resource, rows[i].resource);
        assert_string_equal(got.claims, rows[i].claims);
        assert_string_equal(got.error, rows[i].error);
        assert_string_equal(got.realm, "");
    }
}

static void other_schemes_are_told(void **state)
{
    static const struct {
        const char *header, *scheme, *realm;
    } rows[] = {
        { "Basic realm=/var/opt/azcmagent/tokens/x.key", "Basic",
          "/var/opt/azcmagent/tokens/x.key" },
        { "basic realm=\"/a b\\\\c\"", "Basic", "/a b\\c" },
        { "Basic realm=\"one\", Basic realm=\"two\"", "Basic", "one" },
        { "Basic realm=", "Basic", "" }, /* a token68, as far as RFC 9110 goes */
        { "Negotiate", "Negotiate", "" },
        { "SCRAM-SHA-256-with-more realm=\"r\", scope=x", "SCRAM-SHA-256-w", "r" },
    };
    struct challenge got;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        se_error err = SE_ERROR_INIT;

        print_message("%s\n", rows[i].header);
        assert_status(SE_OK, challenge_parse(&got, rows[i].header, &err), &err);
        assert_string_equal(got.scheme, rows[i].scheme);
        assert_string_equal(got.realm, rows[i].realm);
        assert_string_equal(got.tenant, "");
        assert_string_equal(got.resource, "");
    }
}

static void bad_ones_are_refused(void **state)
{
    static const struct {
        const char *header, *says;
    } rows[] = {
        { "", "does not say how to log in" },
        { " , ,\t", "does not say how to log in" },
        { "=", "character 1 " },
        { "realm=\"x\"", "character" },
        { "\"Bearer\"", "character 1 " },
        { "Bearer/x", "character 7 " },
        { "Bearer resource=\"https://vault.azure.net", "character" },
        { "Bearer resource=\"x\\", "character" },
        { "Bearer error=x, resource=", "character" },
        { "Bearer error=x, resource=,claims=e30", "character" },
        { "Bearer resource=\"x\"error=\"y\"", "character" },
        { "Bearer resource=x\"y\"", "character" },
        { "Bearer resource=\"a\r\nX: b\"", "character" },
        { "Bearer resource=\"a\tb\"", "'resource'" },
        { "Bearer resource=\"\xc3\xa4\"", "'resource'" },
        { "Bearer resource=\"a b\"", "resource that is none" },
        { "Bearer resource=\"a\", Resource=\"a\"", "'resource' twice" },
        { "Bearer resource=\"\", resource=\"a\"", "'resource' twice" },
        { "Bearer " AUTHORITY ", " AUTHORITY, "'authorization' twice" },
        { "Bearer resource=\"a\", Basic realm=r, Bearer resource=\"b\"", "two Bearer" },
        { "Bearer resource=\"a\", scope=\"b/.default\"", "two resources" },
        { "Bearer authorization=\"https://a.example/t1\", "
          "authorization_uri=\"https://a.example/t2\"",
          "two tenants: t1 and t2" },
        { "Bearer authorization=\"http://a.example/t1\"", "no https URL" },
        { "Bearer authorization=\"https:///t1\"", "no https URL" },
        { "Bearer authorization=\"a.example/t1\"", "no https URL" },
        { "Bearer authorization=\"https://a.example/..\"", "tenant that is none" },
        { "Bearer authorization=\"https://a.example/../t1\"", "tenant that is none" },
        { "Bearer authorization=\"https://a.example/t%2f1\"", "tenant that is none" },
        { "Bearer authorization=\"https://a.example/t 1\"", "tenant that is none" },
        { "Bearer claims=\"a b\"", "not base64" },
        { "Bearer claims=\"{}\"", "not base64" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        se_error err = SE_ERROR_INIT;
        struct challenge got;

        memset(&got, 'x', sizeof got);
        print_message("%s\n", rows[i].header);
        assert_status(SE_ERR_STORE, challenge_parse(&got, rows[i].header, &err), &err);
        if (!strstr(err.text, rows[i].says))
            fail_msg("'%s' does not say '%s'", err.text, rows[i].says);
        assert_empty(&got);
    }
}

/* 'name="xxx…"' with so many letters. */
static se_status parse_long(const char *format, size_t size, struct challenge *got, se_error *err)
{
    AUTO(writer) header = { .room = 0 };

    writer_format(&header, "Bearer %s", format);
    for (size_t i = 0; i < size; i++)
        writer_text(&header, "x");
    writer_text(&header, "\"");
    *err = (se_error)SE_ERROR_INIT;
    return challenge_parse(got, writer_string(&header), err);
}

static void too_long_ones_are_refused(void **state)
{
    static const struct {
        const char *format;
        size_t most;
    } rows[] = {
        { "authorization=\"https://a.example/", 127 },
        { "resource=\"", 255 },
        { "claims=\"", 2047 },
        { "error=\"", 63 },
        { "realm=\"", 511 },
        { "error_description=\"", 2047 },
    };
    struct challenge got;
    se_error err;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("%s\n", rows[i].format);
        assert_status(SE_OK, parse_long(rows[i].format, rows[i].most, &got, &err), &err);
        assert_status(SE_ERR_STORE, parse_long(rows[i].format, rows[i].most + 1, &got, &err), &err);
        assert_empty(&got);
        assert_status(SE_ERR_STORE, parse_long(rows[i].format, 100000, &got, &err), &err);
        assert_true(strlen(err.text) < 300);
    }
    /* a scope is longer than its resource */
    assert_status(SE_OK, parse_long("scope=\"", 300, &got, &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_challenges_are_read), cmocka_unit_test(recorded_claims_are_read),
        cmocka_unit_test(many_spellings_are_read),      cmocka_unit_test(other_schemes_are_told),
        cmocka_unit_test(bad_ones_are_refused),         cmocka_unit_test(too_long_ones_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
