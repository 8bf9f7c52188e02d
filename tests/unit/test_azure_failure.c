/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of failures of vaults and login services. */
#include "base/text.h"
#include "base/utf8.h"
#include "tests/unit/azure_vectors.h"

/* ---- recorded failures ---- */

static se_status expected_failure(long status, const char *code)
{
    if (status == 403)
        return text_starts(code, "SecretDisabled") || text_starts(code, "SecretManaged")
                   ? SE_ERR_POLICY
                   : SE_ERR_ACCESS;
    return status == 404   ? SE_ERR_KEY
           : status == 409 ? SE_ERR_USAGE
           : status >= 500 ? SE_ERR_UNAVAILABLE
                           : SE_ERR_STORE;
}

static void check_recorded_failure(const json_t *response)
{
    AUTO(made_answer) answer = { .status = 0 };
    const json_t *error = json_object_get(json_object_get(response, "body"), "error");
    const char *inner =
        json_string_value(json_object_get(json_object_get(error, "innererror"), "code"));
    const char *expected = inner ? inner : json_string_value(json_object_get(error, "code"));
    se_error err = SE_ERROR_INIT;
    char code[64];

    make_recorded_answer(&answer, response);
    answer_code(code, &answer);
    assert_string_equal(code, expected);
    assert_status(expected_failure(answer.status, code),
                  answer_failure(&answer, "delete the key 'k1'", &err), &err);
    assert_true(text_starts(err.text, "cannot delete the key 'k1': "));
    assert_says(&err, code);
    assert_null(strstr(err.text, "Activity ID"));
    if (*answer.request_id)
        assert_says(&err, answer.request_id);
    assert_true(strlen(err.text) < 700);
}

static void recorded_failures_are_told(void **state)
{
    AUTO(json) list = load_vectors("errors.json");

    (void)state;
    assert_int_equal(json_array_size(list), 60);
    for (size_t i = 0; i < json_array_size(list); i++)
        check_recorded_failure(
            json_object_get(json_object_get(json_array_get(list, i), "exchange"), "response"));
}

/* ---- failures of vaults ---- */

#define ERROR(code, message) "{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"}}"
#define INNER(inner, message)                                                                      \
    "{\"error\":{\"code\":\"Forbidden\",\"message\":\"" message                                    \
    "\",\"innererror\":{\"code\":\"" inner "\"}}}"
#define HTML "<!DOCTYPE html><title>x</title>"

static const struct {
    long status;
    const char *body;
    se_status expected;
    const char *code, *says, *says_too;
} vault_failures[] = {
    { 401, "OK", SE_ERR_ACCESS, "", "does not take the login's token",
      "(HTTP 401 with a text that is no JSON)" },
    { 401, ERROR("Unauthorized", "AKV10032: Invalid issuer. Expected one of"), SE_ERR_ACCESS,
      "Unauthorized", "another tenant", "AKV10032: Invalid issuer" },
    { 401, ERROR("Unauthorized", "AKV10022: Invalid audience."), SE_ERR_ACCESS, "Unauthorized",
      "another resource", "" },
    { 403,
      INNER("ForbiddenByRbac",
            "Caller is not authorized to perform action on resource.\\r\\nIf role "
            "assignments were changed recently, please observe propagation time.\\r\\nCaller: "
            "appid=1;oid=2\\r\\nAction: 'Microsoft.KeyVault/vaults/keys/sign/action'\\r\\n"
            "Resource: 'x'"),
      SE_ERR_ACCESS, "ForbiddenByRbac", "no role",
      "it needs Microsoft.KeyVault/vaults/keys/sign/action (HTTP 403, ForbiddenByRbac: "
      "\"Caller is not authorized to perform action on resource." },
    { 403,
      INNER("ForbiddenByPolicy", "The user 'a' does not have keys get permission on key "
                                 "vault 'b'."),
      SE_ERR_ACCESS, "ForbiddenByPolicy", "access policies",
      "takes minutes to spread; it needs keys get (" },
    { 403, INNER("ForbiddenByFirewall", "Client address is not authorized"), SE_ERR_ACCESS,
      "ForbiddenByFirewall", "firewall", "" },
    { 403, INNER("ForbiddenByConnection", "Public network access is disabled"), SE_ERR_ACCESS,
      "ForbiddenByConnection", "firewall", "" },
    { 403, ERROR("Forbidden", "Public network access is disabled"), SE_ERR_ACCESS, "Forbidden",
      "firewall", "" },
    { 403, INNER("KeyDisabled", "Operation sign is not allowed on a disabled key."), SE_ERR_POLICY,
      "KeyDisabled", "disabled: enable it", "" },
    { 403, ERROR("Forbidden", "Operation sign is not allowed on a disabled key."), SE_ERR_POLICY,
      "Forbidden", "disabled: enable it", "" },
    { 403, ERROR("Forbidden", "Operation sign is not allowed on an expired key."), SE_ERR_POLICY,
      "Forbidden", "has expired: ", "" },
    { 403, INNER("KeyNotYetValid", ""), SE_ERR_POLICY, "KeyNotYetValid", "not valid yet", "" },
    { 403, INNER("KeyOperationForbidden", "Operation sign is not permitted on this key."),
      SE_ERR_POLICY, "KeyOperationForbidden", "key_ops", "" },
    { 403, ERROR("Forbidden", "Operation sign is not permitted on this key."), SE_ERR_POLICY,
      "Forbidden", "key_ops", "" },
    { 403, INNER("ForbiddenByRbac", "Caller is not authorized; disabled-key is disabled"),
      SE_ERR_ACCESS, "ForbiddenByRbac", "no role", "" },
    { 403, ERROR("Forbidden", "?"), SE_ERR_ACCESS, "Forbidden", "may not do this", "minutes" },
    { 403, HTML, SE_ERR_ACCESS, "", "may not do this", "(HTTP 403 with an HTML page)" },
    { 404, ERROR("KeyNotFound", "?"), SE_ERR_KEY, "KeyNotFound", "no such key", "recovered" },
    { 404, ERROR("SomethingNotFound", "?"), SE_ERR_KEY, "SomethingNotFound", "no such", "" },
    { 404, HTML, SE_ERR_STORE, "", "check `locationValue`", "an HTML page" },
    { 404, "", SE_ERR_STORE, "", "check `locationValue`", "an empty answer" },
    { 409, "{\"error\":{\"code\":\"Conflict\",\"innererror\":{\"code\":\"ObjectIsBeingDeleted\"}}}",
      SE_ERR_USAGE, "ObjectIsBeingDeleted", "being deleted", "(HTTP 409, ObjectIsBeing" },
    { 409, INNER("ObjectIsDeletedButRecoverable", "?"), SE_ERR_USAGE,
      "ObjectIsDeletedButRecoverable", "recover that, purge it", "" },
    { 409, ERROR("Conflict", "User triggered Restore operation is in progress."), SE_ERR_USAGE,
      "Conflict", "is being restored", "" },
    { 409, ERROR("Conflict", "?"), SE_ERR_USAGE, "Conflict", "the name is taken", "" },
    { 429, ERROR("Throttled", "Request was not processed because too many"), SE_ERR_UNAVAILABLE,
      "Throttled", "throttled", "" },
    { 408, "", SE_ERR_UNAVAILABLE, "", "waited too long", "" },
    { 500, "", SE_ERR_UNAVAILABLE, "", "failure of its own", "" },
    { 503, HTML, SE_ERR_UNAVAILABLE, "", "failure of its own", "HTTP 503 with an HTML page" },
    { 599, "{}", SE_ERR_UNAVAILABLE, "", "failure of its own", "(HTTP 599)" },
    { 302, "", SE_ERR_STORE, "", "redirects", "" },
    { 407, HTML, SE_ERR_STORE, "", "proxy wants a login", "" },
    { 400, ERROR("BadParameter", "?"), SE_ERR_STORE, "BadParameter", "not take the request", "" },
    { 418, "{\"error\":[]}", SE_ERR_STORE, "", "not take the request", "(HTTP 418)" },
    { 600, "{\"error\":null}", SE_ERR_STORE, "", "not take the request", "" },
    { 0, "", SE_ERR_STORE, "", "not take the request", "" },
    { 400, "{\"error\":{\"code\":1,\"message\":{},\"innererror\":[]}}", SE_ERR_STORE, "",
      "(HTTP 400)", "" },
    { 400, "{\"error\":{\"code\":\"a\",\"code\":\"b\"}}", SE_ERR_STORE, "", "(HTTP 400 with", "" },
    { 400, "{\"code\":\"Top\",\"message\":\"of it\"}", SE_ERR_STORE, "Top",
      "(HTTP 400, Top: \"of it\")", "" },
    { 400, ERROR("a\\nb\\u0085c", "d\\r\\n\\te\xe2\x80\xa8"), SE_ERR_STORE, "a b  c",
      "a b  c: \"d   e", "" },
};

static void vault_failures_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vault_failures / sizeof *vault_failures; i++) {
        AUTO(made_answer) answer = answer_of(vault_failures[i].status, vault_failures[i].body);
        se_error err = SE_ERROR_INIT;
        char code[64];

        assert_status(vault_failures[i].expected, answer_failure(&answer, "sign with 'k1'", &err),
                      &err);
        print_message("%s\n", err.text);
        assert_true(text_starts(err.text, "cannot sign with 'k1': "));
        assert_says(&err, vault_failures[i].says);
        assert_says(&err, vault_failures[i].says_too);
        assert_null(strchr(err.text, '\n'));
        answer_code(code, &answer);
        assert_string_equal(code, vault_failures[i].code);
        assert_int_equal(answer_failure(&answer, "x", NULL), vault_failures[i].expected);
    }
}

/* ---- failures of login services ---- */

#define ENTRA(error, number)                                                                       \
    "{\"error\":\"" error "\",\"error_description\":\"AADSTS" number                               \
    ": What it says.\\r\\nTrace ID: 1\\r\\nTimestamp: 2\",\"error_codes\":[" number "]}"

static const struct {
    long status;
    const char *body;
    se_status expected;
    const char *says;
} login_failures[] = {
    { 401, ENTRA("invalid_client", "7000215"), SE_ERR_ACCESS, "client secret is wrong" },
    { 401, ENTRA("invalid_client", "7000222"), SE_ERR_ACCESS, "client secret has expired" },
    { 400, ENTRA("unauthorized_client", "700016"), SE_ERR_ACCESS, "no such application" },
    { 400, ENTRA("invalid_request", "90002"), SE_ERR_ACCESS, "no such tenant" },
    { 400, ENTRA("invalid_request", "900023"), SE_ERR_ACCESS, "neither an ID nor a domain" },
    { 401, ENTRA("invalid_client", "700027"), SE_ERR_ACCESS, "signature of the assertion" },
    { 401, ENTRA("invalid_client", "700024"), SE_ERR_ACCESS, "clock of this machine" },
    { 400, ENTRA("invalid_client", "700213"), SE_ERR_ACCESS, "no federated credential" },
    { 400, ENTRA("invalid_resource", "500011"), SE_ERR_STORE, "check `resource`" },
    { 400, ENTRA("invalid_client", "1"), SE_ERR_ACCESS,
      "proves itself by (HTTP 400, invalid_client: \"AADSTS1: What it says.\")" },
    { 400, "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: x\"}",
      SE_ERR_ACCESS, "client secret is wrong" },
    { 400, "{\"error\":\"unauthorized_client\"}", SE_ERR_ACCESS, "may not log in this way" },
    { 400, "{\"error\":\"invalid_scope\"}", SE_ERR_STORE, "check `resource`" },
    { 400, "{\"error\":\"temporarily_unavailable\"}", SE_ERR_UNAVAILABLE, "no time" },
    { 400, "{\"error\":\"what\"}", SE_ERR_STORE, "does not take the request" },
    { 400, "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}",
      SE_ERR_ACCESS, "no such managed identity" },
    { 400, "{\"statusCode\":400,\"message\":\"No managed identity\"}", SE_ERR_STORE,
      "(HTTP 400: \"No managed identity\")" },
    { 401, "", SE_ERR_ACCESS, "with an empty answer" },
    { 403, HTML, SE_ERR_ACCESS, "with an HTML page" },
    { 404, "", SE_ERR_UNAVAILABLE, "not ready" },
    { 404, "{\"error\":\"not_found\"}", SE_ERR_UNAVAILABLE, "not ready" },
    { 404, HTML, SE_ERR_STORE, "check `authority`" },
    { 410, "", SE_ERR_UNAVAILABLE, "being updated" },
    { 408, "", SE_ERR_UNAVAILABLE, "waited too long" },
    { 429, "", SE_ERR_UNAVAILABLE, "throttled" },
    { 500, HTML, SE_ERR_UNAVAILABLE, "failure of its own" },
    { 503, ENTRA("temporarily_unavailable", "90033"), SE_ERR_UNAVAILABLE, "failure of its" },
    { 302, "", SE_ERR_STORE, "redirects" },
    { 200, "{}", SE_ERR_STORE, "(HTTP 200)" },
};

static void login_failures_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof login_failures / sizeof *login_failures; i++) {
        AUTO(made_answer) answer = answer_of(login_failures[i].status, login_failures[i].body);
        se_error err = SE_ERROR_INIT;

        assert_status(login_failures[i].expected, answer_login_failure(&answer, "log in", &err),
                      &err);
        print_message("%s\n", err.text);
        assert_true(text_starts(err.text, "cannot log in: "));
        assert_says(&err, login_failures[i].says);
        assert_null(strstr(err.text, "Trace"));
    }
}

static void recorded_login_failures_are_told(void **state)
{
    static const struct {
        size_t index;
        se_status expected;
        const char *says;
    } rows[] = {
        { 3, SE_ERR_ACCESS, "the client secret is wrong" },
        { 4, SE_ERR_ACCESS, "AADSTS50126" },
        { 6, SE_ERR_ACCESS, "the certificate is not registered" },
        { 7, SE_ERR_STORE, "authorization_pending" },
        { 8, SE_ERR_ACCESS, "invalid_grant" },
        { 13, SE_ERR_ACCESS, "there is no such tenant" },
    };
    AUTO(json) list = load_vectors("exchanges/auth/entra-tokens.json");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const json_t *row = json_array_get(list, rows[i].index);
        AUTO(made_answer) answer = { .status = 0 };
        se_error err = SE_ERROR_INIT;

        make_recorded_answer(&answer,
                             json_object_get(json_object_get(row, "exchange"), "response"));
        assert_status(rows[i].expected, answer_login_failure(&answer, "log in", &err), &err);
        print_message("%s\n", err.text);
        assert_says(&err, rows[i].says);
        assert_true(strlen(err.text) < 700);
    }
}

/* ---- secrets, and lengths ---- */

#define X50 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"

static void tokens_are_hidden(void **state)
{
    static const char *const texts[] = {
        "the token eyJ0eXAiOiJKV1Qi.eyJhdWQiOiJzZWNyZXQi." X50 X50 " is bad",
        "the token " X50 X50 " is bad",
        "the token " X50 "+" X50 "== is bad",
        "eyJ0eXAiOiJKV1Qi",
        "'AbC8Q~made.up_secret-0123456789abcdefghi' is wrong",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int as_code = 0; as_code < 2; as_code++) {
            AUTO(made_answer) answer = { .status = 400 };
            se_error err = SE_ERROR_INIT, login = SE_ERROR_INIT;

            writer_format(&answer.body, "{\"error\":{\"%s\":\"%s\"}}", as_code ? "code" : "message",
                          texts[i]);
            (void)answer_failure(&answer, "sign", &err);
            (void)answer_login_failure(&answer, "log in", &login);
            assert_null(strstr(err.text, "eyJ"));
            assert_null(strstr(err.text, "made"));
            assert_null(strstr(login.text, "made"));
            assert_null(strstr(login.text, "eyJ"));
            if (as_code)
                continue;
            assert_says(&err, "[hidden]");
            assert_null(strstr(err.text, X50));
            assert_null(strstr(login.text, X50));
        }
}

static void long_texts_are_cut(void **state)
{
    AUTO(made_answer) answer = { .status = 403 };
    se_error err = SE_ERROR_INIT;
    char code[64];

    (void)state;
    memset(answer.request_id, 'r', sizeof answer.request_id - 1);
    writer_text(&answer.body, "{\"error\":{\"code\":\"");
    for (int i = 0; i < 100; i++)
        writer_text(&answer.body, "\xc3\xa4 ");
    writer_text(&answer.body, "\",\"message\":\"");
    for (int i = 0; i < 100000; i++)
        writer_text(&answer.body, "\xc3\xa4 b ");
    writer_text(&answer.body, "\"}}");
    assert_int_equal(answer_failure(&answer, "sign with 'k1'", &err), SE_ERR_ACCESS);
    assert_true(utf8_is(text_bytes(err.text)));
    assert_true(strlen(err.text) < 700);
    assert_says(&err, "…\", request rrr");
    answer_code(code, &answer);
    assert_true(utf8_is(text_bytes(code)));
    assert_int_equal(strlen(code), 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_failures_are_told),
        cmocka_unit_test(vault_failures_are_told),
        cmocka_unit_test(login_failures_are_told),
        cmocka_unit_test(recorded_login_failures_are_told),
        cmocka_unit_test(tokens_are_hidden),
        cmocka_unit_test(long_texts_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
