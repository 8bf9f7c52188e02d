/* SPDX-License-Identifier: Apache-2.0 */
/* What is secret of what vaults and login services answer: decrypted values and tokens. */
#include <time.h>

#include "base/clock.h"
#include "tests/unit/azure_vectors.h"

static void values_are_read(void **state)
{
    static const struct {
        const char *text;
        se_status expected;
        const char *value;
    } rows[] = {
        { "{\"kid\":\"https://v/keys/K/1\",\"value\":\"YWJj\"}", SE_OK, "abc" },
        { "{ \"value\" : \"YQ\" , \"kid\":\"https://V/keys/k/1\"}", SE_OK, "a" },
        { "{\"x\":{\"value\":\"YWJj\"},\"kid\":\"https://v/keys/k/1\",\"value\":\"YQ\"}", SE_OK,
          "a" },
        { "{\"kid\":\"https://v/keys/k/"
          "1\",\"value\":\"YQ\",\"x\":[\"value\",{\"value\":\"YWJj\"}]}",
          SE_OK, "a" },
        { "{\"x\":\"\\\",\\\"value\\\":\\\"YWJj\",\"kid\":\"https://v/keys/k/1\",\"value\":\"YQ\"}",
          SE_OK, "a" },
        { "{\"x\":\"\\\"\",\"kid\":\"https://v/keys/k/1\",\"value\":\"YQ\"}", SE_OK, "a" },
        { "{\"kid\":\"https://v/keys/k/2\",\"value\":\"YQ\"}", SE_ERR_STORE, NULL },
        { "{\"value\":\"YQ\"}", SE_ERR_STORE, NULL },
        { "{\"kid\":1,\"value\":\"YQ\"}", SE_ERR_STORE, NULL },
        { "{\"kid\":\"https://v/keys/k/1\"}", SE_ERR_STORE, NULL },
        { "{\"kid\":\"https://v/keys/k/1\",\"value\":true}", SE_ERR_STORE, NULL },
        { "{\"kid\":\"https://v/keys/k/1\",\"value\":\"Y\"}", SE_ERR_STORE, NULL },
        { "{\"kid\":\"https://v/keys/k/1\",\"value\":\"YQ==\"}", SE_ERR_STORE, NULL },
        { "{\"kid\":\"https://v/keys/k/1\",\"value\":\"Y\\u0051\"}", SE_ERR_STORE, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(made_answer) answer = answer_of(200, rows[i].text);
        AUTO(json) json = json_loads(rows[i].text, 0, NULL);
        bool is_escaped = strstr(rows[i].text, "\\u") != NULL;
        se_buf got[2];
        se_error err = SE_ERROR_INIT;

        memset(got, 'x', sizeof got);
        assert_status(is_escaped ? SE_OK : rows[i].expected,
                      answer_value(&got[0], json, "https://v/keys/k/1", &err), &err);
        assert_status(rows[i].expected,
                      answer_secret_value(&got[1], &answer, "https://v/keys/k/1", &err), &err);
        for (int k = is_escaped; k < 2; k++)
            if (rows[i].value)
                assert_string_equal((char *)got[k].data, rows[i].value);
            else
                assert_null(got[k].data);
        se_buf_free(&got[0]);
        se_buf_free(&got[1]);
    }
}

/* A JSON member that only its escapes make the value is not taken for it. */
static void escaped_members_are_refused(void **state)
{
    static const char *const rows[] = {
        "{\"kid\":\"a\",\"v\\u0061lue\":\"YQ\"}",
        "{\"kid\":\"a\",\"value\":\"YQ\",\"v\\u0061lue\":\"YWJj\"}",
        "{\"kid\":\"a\",\"value\":\"YQ\",\"value\":\"YWJj\"}",
        "{\"kid\":\"a\",\"value\":\"\",\"value\":\"YWJj\"}",
        "[{\"kid\":\"a\",\"value\":\"YQ\"}]",
        "{\"kid\":\"a\",\"value\":\"YQ",
        "{\"kid\":\"a\",\"value\":\"YQ\\",
        "{\"kid\":\"a\",\"value\":\"",
        "{\"kid\":\"a\",\"value\":",
        "{\"kid\":\"a\",\"value",
        "\"",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(made_answer) answer = answer_of(200, rows[i]);
        se_buf got = { (unsigned char *)1, 1 };
        se_error err = SE_ERROR_INIT;

        assert_status(SE_ERR_STORE, answer_secret_value(&got, &answer, "a", &err), &err);
        assert_null(got.data);
    }
}

/* ---- tokens ---- */

static void tokens_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t lifetime, refresh;
    } rows[] = {
        { "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"a.b\"}", 3599, 0 },
        { "{\"access_token\" : \"a.b\",\"token_type\":\"bearer\",\"expires_in\":\"86399\","
          "\"refresh_in\":\"43199\",\"refresh_token\":\"secret\"}",
          86399, 43199 },
        { "{\"access_token\":\"a.b\",\"token_type\":\"Bearer\",\"expires_in\":10,"
          "\"refresh_in\":10}",
          10, 0 },
        { "{\"access_token\":\"a.b\",\"token_type\":\"Bearer\",\"expires_in\":10,"
          "\"expires_on\":\"?\",\"x\":{\"access_token\":\"secret\"}}",
          10, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(made_answer) answer = answer_of(200, rows[i].text);
        AUTO(token_answer) got = { .lifetime = 0 };
        se_error err = SE_ERROR_INIT;

        assert_status(SE_OK, answer_token(&got, &answer, &err), &err);
        assert_string_equal((char *)got.token.data, "a.b");
        assert_int_equal(got.lifetime, rows[i].lifetime);
        assert_int_equal(got.refresh, rows[i].refresh);
    }
}

/* App Service says when a token expires, as seconds or as a date. */
static void dates_of_tokens_are_read(void **state)
{
    time_t base = (time_t)clock_seconds() + 100000;

    (void)state;
    for (int hour = 0; hour < 24; hour++)
        for (size_t i = 0; i < 3; i++) {
            AUTO(made_answer) answer = { .status = 200 };
            AUTO(token_answer) got = { .lifetime = 0 };
            time_t until = base + hour * 3600;
            struct tm t;
            char date[64];
            se_error err = SE_ERROR_INIT;

            (void)gmtime_r(&until, &t);
            if (!i)
                (void)snprintf(date, sizeof date, "%lld", (long long)until);
            else if (i == 1)
                (void)strftime(date, sizeof date, "%m/%d/%Y %H:%M:%S +00:00", &t);
            else
                (void)strftime(date, sizeof date, "%m/%d/%Y %I:%M:%S %p +00:00", &t);
            writer_format(&answer.body,
                          "{\"token_type\":\"Bearer\",\"access_token\":\"t\",\"expires_on\":"
                          "\"%s\"}",
                          date);
            assert_status(SE_OK, answer_token(&got, &answer, &err), &err);
            assert_in_range(got.lifetime, 100000 + hour * 3600 - 2, 100000 + hour * 3600);
        }
}

#define TOKEN(more) "{\"access_token\":\"secret\"," more "}"

static void bad_tokens_are_refused(void **state)
{
    static const char *const rows[][2] = {
        { "{}", "no 'access_token'" },
        { "{\"token_type\":\"Bearer\",\"expires_in\":1}", "no 'access_token'" },
        { "{\"x\":{\"access_token\":\"secret\"}}", "no 'access_token'" },
        { "{\"access_token\":1,\"token_type\":\"Bearer\",\"expires_in\":1}", "no 'access_token'" },
        { "{\"access_token\":\"\",\"token_type\":\"Bearer\",\"expires_in\":1}", "token is empty" },
        { "{\"access_token\":\"secret x\",\"token_type\":\"Bearer\",\"expires_in\":1}",
          "characters" },
        { "{\"access_token\":\"secret\\r\\nX: y\",\"token_type\":\"Bearer\",\"expires_in\":1}",
          "characters" },
        { "{\"access_token\":\"secret\xc3\xa4\",\"token_type\":\"Bearer\",\"expires_in\":1}",
          "characters" },
        { "{\"access\\u005ftoken\":\"secret\",\"token_type\":\"Bearer\",\"expires_in\":1}",
          "'access_token' of the server's answer can't be read" },
        { TOKEN("\"access_token\":\"secret\""), "says something twice" },
        { TOKEN("\"expires_in\":1"), "no Bearer token" },
        { TOKEN("\"token_type\":\"pop\",\"expires_in\":1"), "no Bearer token" },
        { TOKEN("\"token_type\":\"Bearer\""), "when the token expires" },
        { TOKEN("\"token_type\":\"Bearer\",\"expires_in\":0"), "expired already" },
        { TOKEN("\"token_type\":\"Bearer\",\"expires_in\":-5"), "'expires_in'" },
        { TOKEN("\"token_type\":\"Bearer\",\"expires_in\":1.5"), "'expires_in'" },
        { TOKEN("\"token_type\":\"Bearer\",\"expires_in\":\"1h\""), "'expires_in'" },
        { TOKEN("\"token_type\":\"Bearer\",\"expires_in\":4294967296"), "'expires_in'" },
        { TOKEN("\"token_type\":\"Bearer\",\"expires_on\":1"), "expired already" },
        { TOKEN("\"token_type\":\"Bearer\",\"expires_on\":\"1/1/2020 1:2:3 PM +00:00\""),
          "expired already" },
        { TOKEN("\"token_type\":\"Bearer\",\"expires_on\":\"13/1/2099 1:2:3 PM +00:00\""),
          "'expires_on'" },
        { TOKEN("\"token_type\":\"Bearer\",\"expires_on\":\"1/1/2099 1:2:3 +01:00\""),
          "'expires_on'" },
        { TOKEN("\"token_type\":\"Bearer\",\"expires_on\":\"1/1/2099 -1:2:3 +00:00\""),
          "'expires_on'" },
        { TOKEN("\"token_type\":\"Bearer\",\"expires_on\":\"1/1/2099 1:2:3 +00:00x\""),
          "'expires_on'" },
        { TOKEN("\"token_type\":\"Bearer\",\"expires_in\":1,\"refresh_in\":[]"), "'refresh_in'" },
        { "{\"access_token\":\"secret", "broken JSON" },
        { "secret", "no JSON" },
        { "", "an empty answer" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(made_answer) answer = answer_of(200, rows[i][0]);
        struct token_answer got;
        se_error err = SE_ERROR_INIT;

        memset(&got, 'x', sizeof got);
        assert_status(SE_ERR_STORE, answer_token(&got, &answer, &err), &err);
        assert_says(&err, rows[i][1]);
        assert_null(strstr(err.text, "secret"));
        assert_null(got.token.data);
        assert_int_equal(got.lifetime, 0);
    }
}

static void tokens_have_a_limit(void **state)
{
    (void)state;
    for (size_t size = 32768; size <= 32769; size++) {
        AUTO(made_answer) answer = { .status = 200 };
        AUTO(token_answer) got = { .lifetime = 0 };

        writer_text(&answer.body,
                    "{\"token_type\":\"Bearer\",\"expires_in\":9,\"access_token\":\"");
        for (size_t i = 0; i < size; i++)
            writer_text(&answer.body, "t");
        writer_text(&answer.body, "\"}");
        assert_int_equal(answer_token(&got, &answer, NULL), size == 32768 ? SE_OK : SE_ERR_STORE);
        assert_int_equal(got.token.size, size == 32768 ? size : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read),        cmocka_unit_test(escaped_members_are_refused),
        cmocka_unit_test(tokens_are_read),        cmocka_unit_test(dates_of_tokens_are_read),
        cmocka_unit_test(bad_tokens_are_refused), cmocka_unit_test(tokens_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
