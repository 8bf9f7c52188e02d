/* SPDX-License-Identifier: Apache-2.0 */
/* What vaults answer as nobody should: bodies, keys, certificates and pages. */
#include "tests/unit/azure_vectors.h"

/* ---- bodies that are none ---- */

static void bad_bodies_are_described(void **state)
{
    static const struct {
        const char *type, *body;
        size_t size;
        const char *says;
    } rows[] = {
#define BODY(text) text, sizeof text - 1
        { "application/json", BODY(""), "an empty answer (HTTP 200)" },
        { "", BODY(" \r\n\t"), "an empty answer" },
        { "text/html; charset=utf-8", BODY("x"), "an HTML page" },
        { "Text/HTML", BODY(" "), "an empty answer" },
        { "", BODY("\n<HTML>"), "an HTML page" },
        { "", BODY("<!doctype HTML>"), "an HTML page" },
        { "", BODY("<?xml version='1.0'?><Error/>"), "an XML document" },
        { "", BODY("OK"), "a text that is no JSON" },
        { "", BODY("\0"), "a text that is no JSON" },
        { "", BODY("\xef\xbb\xbf{}"), "a text that is no JSON" },
        { "", BODY("[]"), "JSON that is no object" },
        { "", BODY("\"secret\""), "JSON that is no object" },
        { "", BODY("{\"a\":\"secret"), "broken JSON" },
        { "", BODY("{\"a\":\"secret\"} x"), "broken JSON" },
        { "", BODY("{\"a\":\"secret\0\"}"), "broken JSON" },
        { "", BODY("{\"a\":\"secret\\u0000\"}"), "broken JSON" },
        { "", BODY("{\"a\\u0000\":\"secret\"}"), "broken JSON" },
        { "", BODY("{\"a\":\"secret\xff\"}"), "broken JSON" },
        { "", BODY("{}\0"), "broken JSON" },
        { "", BODY("{\"a\":99999999999999999999}"), "broken JSON" },
        { "", BODY("{\"secret\":1,\"secret\":1}"), "says something twice" },
        { "", BODY("{\"a\":{\"secret\":1,\"secret\":1}}"), "says something twice" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(made_answer) answer = { .status = 200 };
        json_t *json = (json_t *)1;
        se_error err = SE_ERROR_INIT;

        (void)snprintf(answer.content_type, sizeof answer.content_type, "%s", rows[i].type);
        writer_put(&answer.body, rows[i].body, rows[i].size);
        assert_status(SE_ERR_STORE, answer_json(&json, &answer, &err), &err);
        assert_null(json);
        assert_says(&err, rows[i].says);
        assert_null(strstr(err.text, "secret"));
    }
}

static void deep_bodies_are_refused(void **state)
{
    AUTO(made_answer) answer = { .status = 200 };
    json_t *json;

    (void)state;
    for (int i = 0; i < HTTP_BODY_LIMIT; i++)
        writer_text(&answer.body, i % 2 ? "[" : i ? "[" : "{\"a\":");
    assert_int_equal(answer_json(&json, &answer, NULL), SE_ERR_STORE);
}

/* ---- keys, certificates, pages and values ---- */

static void keys_are_read(void **state)
{
    static const char text[] =
        "{\"key\":{\"kid\":\"https://v/keys/k/1\",\"kty\":\"RSA-HSM\",\"key_ops\":[\"SIGN\","
        "\"unwrapKey\",\"import\"]},\"attributes\":{\"enabled\":false,\"exportable\":true,"
        "\"nbf\":1,\"exp\":2,\"created\":3,\"updated\":4,\"recoveryLevel\":\"Purgeable\","
        "\"recoverableDays\":90,\"hsmPlatform\":\"2\"},\"managed\":true,\"new\":[]}";
    AUTO(json) json = json_loads(text, 0, NULL);
    struct vault_key_answer got;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, answer_key(&got, json, &err), &err);
    assert_string_equal(got.id, "https://v/keys/k/1");
    assert_string_equal(got.type, "RSA-HSM");
    assert_int_equal(got.operations, KEY_OP_SIGN | KEY_OP_UNWRAP | KEY_OP_OTHER);
    assert_true(got.is_managed);
    assert_false(got.attributes.is_enabled);
    assert_true(got.attributes.is_exportable);
    assert_int_equal(got.attributes.not_before, 1);
    assert_int_equal(got.attributes.expires, 2);
    assert_int_equal(got.attributes.created, 3);
    assert_int_equal(got.attributes.updated, 4);
    assert_string_equal(got.attributes.recovery, "Purgeable");
    assert_int_equal(got.attributes.recover_days, 90);
    assert_int_equal(got.attributes.platform, 2);
}

static void what_is_not_said_is_not_there(void **state)
{
    AUTO(json) json = json_loads("{\"key\":{\"kid\":\"a\",\"kty\":\"EC\",\"key_ops\":null},"
                                 "\"attributes\":{\"enabled\":null,\"exp\":null}}",
                                 0, NULL);
    struct vault_key_answer got;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, answer_key(&got, json, &err), &err);
    assert_int_equal(got.operations, 0);
    assert_false(got.is_managed);
    assert_true(got.attributes.is_enabled);
    assert_false(got.attributes.is_exportable);
    assert_int_equal(got.attributes.expires, 0);
    assert_string_equal(got.attributes.recovery, "");
    assert_int_equal(got.attributes.recover_days, -1);
    assert_int_equal(got.attributes.platform, -1);
}

#define KEY(more)        "{\"key\":{\"kid\":\"a\",\"kty\":\"EC\"" more "}"
#define ATTRIBUTES(more) KEY("") ",\"attributes\":" more "}"

static void bad_keys_are_refused(void **state)
{
    static const char *const rows[][2] = {
        { "{}", "no 'kid'" },
        { "{\"kid\":\"\"}", "no 'kid'" },
        { "{\"key\":[]}", "'key'" },
        { "{\"key\":{}}", "no 'kid'" },
        { "{\"kid\":\"a\",\"key\":{}}", "no 'kid'" },
        { "{\"kid\":1}", "'kid'" },
        { "{\"key\":{\"kid\":\"a\"}}", "no 'kty'" },
        { "{\"key\":{\"kid\":\"a\",\"kty\":\"1234567890123456\"}}", "'kty'" },
        { KEY(",\"key_ops\":\"sign\"") "}", "'key_ops'" },
        { KEY(",\"key_ops\":[\"sign\",1]") "}", "'key_ops'" },
        { KEY("") ",\"managed\":1}", "'managed'" },
        { ATTRIBUTES("[]"), "'attributes'" },
        { ATTRIBUTES("{\"enabled\":1}"), "'enabled'" },
        { ATTRIBUTES("{\"enabled\":\"true\"}"), "'enabled'" },
        { ATTRIBUTES("{\"exp\":-1}"), "'exp'" },
        { ATTRIBUTES("{\"exp\":1.5}"), "'exp'" },
        { ATTRIBUTES("{\"exp\":253402300800}"), "'exp'" },
        { ATTRIBUTES("{\"nbf\":\"x\"}"), "'nbf'" },
        { ATTRIBUTES("{\"recoverableDays\":100001}"), "'recoverableDays'" },
        { ATTRIBUTES("{\"recoveryLevel\":7}"), "'recoveryLevel'" },
        { ATTRIBUTES("{\"hsmPlatform\":\"high\"}"), "'hsmPlatform'" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(json) json = json_loads(rows[i][0], 0, NULL);
        struct vault_key_answer got;
        se_error err = SE_ERROR_INIT;

        memset(&got, 'x', sizeof got);
        assert_non_null(json);
        assert_status(SE_ERR_STORE, answer_key(&got, json, &err), &err);
        assert_says(&err, rows[i][1]);
        assert_string_equal(got.id, "");
        assert_string_equal(got.type, "");
        assert_null(got.jwk);
        assert_int_equal(got.operations, 0);
    }
}

static void ids_have_a_limit(void **state)
{
    (void)state;
    for (size_t size = 511; size <= 512; size++) {
        AUTO(json) json = json_object();
        char id[600];
        struct vault_key_answer got;

        memset(id, 'i', size);
        id[size] = '\0';
        assert_int_equal(json_object_set_new(json, "kid", json_string(id)), 0);
        assert_int_equal(answer_key(&got, json, NULL), size == 511 ? SE_OK : SE_ERR_STORE);
        assert_string_equal(got.id, size == 511 ? id : "");
    }
}

static void bad_certificates_are_refused(void **state)
{
    static const char *const rows[][2] = {
        { "{}", "no 'id'" },
        { "{\"id\":\"a\",\"kid\":{}}", "'kid'" },
        { "{\"id\":\"a\",\"cer\":1}", "'cer'" },
        { "{\"id\":\"a\",\"cer\":\"\"}", "'cer'" },
        { "{\"id\":\"a\",\"cer\":\"AA\"}", "'cer'" },
        { "{\"id\":\"a\",\"cer\":\"A-A=\"}", "'cer'" },
        { "{\"id\":\"a\",\"cer\":\"AAAA\",\"attributes\":1}", "'attributes'" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(json) json = json_loads(rows[i][0], 0, NULL);
        struct vault_certificate_answer got;
        se_error err = SE_ERROR_INIT;

        memset(&got, 'x', sizeof got);
        assert_status(SE_ERR_STORE, answer_certificate(&got, json, &err), &err);
        assert_says(&err, rows[i][1]);
        assert_string_equal(got.id, "");
        assert_null(got.certificate.data);
    }
}

static void pages_are_read(void **state)
{
    static const struct {
        const char *text;
        se_status expected;
        size_t items;
        const char *next;
    } rows[] = {
        { "{\"value\":[],\"nextLink\":\"https://v/keys?x\"}", SE_OK, 0, "https://v/keys?x" },
        { "{\"value\":[{},{}],\"nextLink\":null}", SE_OK, 2, NULL },
        { "{\"value\":[{}],\"nextLink\":\"\"}", SE_OK, 1, NULL },
        { "{\"value\":[]}", SE_OK, 0, NULL },
        { "{\"value\":null}", SE_ERR_STORE, 0, NULL },
        { "{\"nextLink\":\"x\"}", SE_ERR_STORE, 0, NULL },
        { "{\"value\":{}}", SE_ERR_STORE, 0, NULL },
        { "{\"value\":[{},1]}", SE_ERR_STORE, 0, NULL },
        { "{\"value\":[],\"nextLink\":1}", SE_ERR_STORE, 0, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(json) json = json_loads(rows[i].text, 0, NULL);
        struct vault_page got;
        se_error err = SE_ERROR_INIT;

        memset(&got, 'x', sizeof got);
        assert_status(rows[i].expected, answer_page(&got, json, &err), &err);
        assert_int_equal(got.items != NULL, rows[i].expected == SE_OK);
        assert_int_equal(json_array_size(got.items), rows[i].items);
        if (rows[i].next)
            assert_string_equal(got.next, rows[i].next);
        else
            assert_null(got.next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_bodies_are_described),
        cmocka_unit_test(deep_bodies_are_refused),
        cmocka_unit_test(keys_are_read),
        cmocka_unit_test(what_is_not_said_is_not_there),
        cmocka_unit_test(bad_keys_are_refused),
        cmocka_unit_test(ids_have_a_limit),
        cmocka_unit_test(bad_certificates_are_refused),
        cmocka_unit_test(pages_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
