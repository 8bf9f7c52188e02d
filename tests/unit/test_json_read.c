/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies in JSON: what is taken, and what is said of what is not. */
#include <stdio.h>

#include "daemon/json_read.h"
#include "tests/unit/unit.h"

struct item {
    struct json_value value;
    struct json_pairs context;
};
static const struct json_member item_members[] = {
    { .name = "value",
      .kind = JSON_TEXT,
      .offset = offsetof(struct item, value),
      .required = true },
    { .name = "context", .kind = JSON_PAIRS, .offset = offsetof(struct item, context) },
    { .name = NULL },
};
static const struct json_shape item_shape = { sizeof(struct item), item_members };

struct body {
    struct json_value content, text;
    struct json_pairs context;
    struct json_list items;
};
static const struct json_member body_members[] = {
    { .name = "content", .kind = JSON_BASE64, .offset = offsetof(struct body, content) },
    { .name = "text", .kind = JSON_TEXT, .offset = offsetof(struct body, text) },
    { .name = "context", .kind = JSON_PAIRS, .offset = offsetof(struct body, context) },
    { .name = "items",
      .kind = JSON_LIST,
      .offset = offsetof(struct body, items),
      .items = &item_shape },
    { .name = NULL },
};
static const struct json_shape body_shape = { sizeof(struct body), body_members };
AUTO_KIND(body, struct body, json_release(p, &body_shape))

/* ---- what is refused ---- */

static const struct refusal {
    const char *text, *message;
} refusals[] = {
    /* no JSON, or more than one */
    { "", "at byte 1: parse error: premature EOF" },
    { " \n", "at byte 3: parse error: premature EOF" },
    { "{\"text\":\"a\"", "at byte 12: parse error: premature EOF" },
    { "{} {}", "at byte 4: parse error: trailing garbage" },
    { "{}x", "at byte 3: parse error: trailing garbage" },
    { "{\"text\":\"a\",}", "at byte 13: parse error: invalid object key (must be a string)" },
    { "{text:\"a\"}", "at byte 2: lexical error: invalid string in json text." },
    { "{\"text\":tru}", NULL },
    { "{\"text\":01}", NULL },
    { "{\"text\":\"a\nb\"}", "at byte 10: lexical error: invalid character inside string." },
    { "{\"text\":\"\\x\"}", NULL },
    { "{\"text\":\"\\u12g4\"}", NULL },
    { "{/**/}", NULL },
    { "\xef\xbb\xbf{}", NULL },
    /* another kind of value */
    { "[]", "not a JSON object" },
    { "\"a\"", "not a JSON object" },
    { "null", "not a JSON object" },
    { "1", "not a JSON object" },
    { "{\"text\":1}", "text: not a string" },
    { "{\"text\":null}", "text: not a string" },
    { "{\"text\":true}", "text: not a string" },
    { "{\"text\":{}}", "text: not a string" },
    { "{\"text\":[]}", "text: not a string" },
    { "{\"content\":1e400}", "content: not a string of base64" },
    { "{\"context\":\"a\"}", "context: not an object of strings" },
    { "{\"context\":[]}", "context: not an object of strings" },
    { "{\"context\":{\"a\":1}}", "context.a: not a string" },
    { "{\"context\":{\"a\":{}}}", "context.a: not a string" },
    { "{\"context\":{\"a\":[]}}", "context.a: not a string" },
    { "{\"items\":{}}", "items: not a list of objects" },
    { "{\"items\":\"a\"}", "items: not a list of objects" },
    { "{\"items\":[1]}", "items[0]: not an object" },
    { "{\"items\":[[]]}", "items[0]: not an object" },
    { "{\"items\":[{\"value\":\"a\"},null]}", "items[1]: not an object" },
    { "{\"items\":[{\"value\":\"a\"},{\"value\":{}}]}", "items[1].value: not a string" },
    { "{\"items\":[{\"value\":\"a\",\"context\":{\"b\":2}}]}", "items[0].context.b: not a string" },
    /* members */
    { "{\"a\":1}", "there is no member 'a'" },
    { "{\"\":1}", "there is no member ''" },
    { "{\"Text\":\"a\"}", "there is no member 'Text'" },
    { "{\"text\\u0000\":\"a\"}", "there is no member 'text'" },
    { "{\"a\\nb\":1}", "there is no member 'a b'" },
    { "{\"text\":\"a\",\"text\":\"a\"}", "more than one member 'text'" },
    { "{\"text\":\"a\",\"\\u0074ext\":\"a\"}", "more than one member 'text'" },
    { "{\"items\":[{\"value\":\"a\"}],\"items\":[{\"value\":\"a\"}]}",
      "more than one member 'items'" },
    { "{\"context\":{\"a\":\"b\",\"c\":\"d\",\"a\":\"b\"}}", "context: more than one name 'a'" },
    { "{\"items\":[]}", "items: an empty list" },
    { "{\"items\":[{}]}", "items[0]: without the member 'value'" },
    { "{\"items\":[{\"value\":\"a\"},{\"context\":{}}]}", "items[1]: without the member 'value'" },
    { "{\"items\":[{\"value\":\"a\",\"content\":\"\"}]}",
      "items[0]: there is no member 'content'" },
    /* base64 is one text for each value */
    { "{\"content\":\"QUI\"}", "content: not base64: 3 characters are no multiple of 4" },
    { "{\"content\":\"QUI= \"}", "content: not base64: 5 characters are no multiple of 4" },
    { "{\"content\":\"QU\\nI\"}", "content: not base64 at character 1" },
    { "{\"content\":\"QUJ=\"}", "content: not base64 at character 1" },
    { "{\"content\":\"QQ==QQ==\"}", "content: not base64 at character 1" },
    { "{\"content\":\"QU_-\"}", "content: not base64 at character 1" },
    /* characters */
    { "{\"text\":\"\xc0\x80\"}", "the JSON text is no UTF-8" },
    { "{\"text\":\"\xed\xa0\x80\"}", "the JSON text is no UTF-8" },
    { "{\"text\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xf4\x90\x80\x80\"}",
      "the JSON text is no UTF-8" },
    { "{\"text\":\"\\ud83d\"}", "at byte 10: half of a surrogate pair" },
    { "{\"text\":\"\\ud83d\\u0041\"}", "at byte 10: half of a surrogate pair" },
    { "{\"text\":\"\\ude00\\ud83d\"}", "at byte 10: half of a surrogate pair" },
    { "{\"text\":\"\\\\\\uD83D\\ud83d\"}", "at byte 12: half of a surrogate pair" },
};

static void strangers_are_refused_with_their_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *r = &refusals[i];
        AUTO(body) body;
        static const struct body nothing;
        se_error err = SE_ERROR_INIT;

        memset(&body, 0x55, sizeof body);
        if (json_read(&body, &body_shape, text_bytes(r->text), &err) != SE_ERR_FORMAT)
            fail_msg("%s: %s %s", r->text, se_status_name(err.status), err.text);
        if (r->message && strcmp(err.text, r->message) != 0)
            fail_msg("%s: '%s', not '%s'", r->text, err.text, r->message);
        assert_memory_equal(&body, &nothing, sizeof body);
        assert_null(strpbrk(err.text, "\r\n"));
    }
}

static void assert_refused(const char *text, const char *message)
{
    AUTO(body) body;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_ERR_FORMAT, json_read(&body, &body_shape, text_bytes(text), &err), &err);
    assert_string_equal(err.text, message);
    assert_int_equal(json_read(&body, &body_shape, text_bytes(text), NULL), SE_ERR_FORMAT);
}

static void depth_and_numbers_are_bounded(void **state)
{
    AUTO(writer) deep = { 0 };
    AUTO(writer) wide = { 0 };
    AUTO(writer) many = { 0 };

    (void)state;
    for (unsigned i = 0; i < 100000; i++)
        writer_text(&deep, i % 2 ? "[" : "{\"items\":");
    assert_refused(writer_string(&deep), "items[0]: there is no member 'items'");
    writer_text(&wide, "{\"context\":{\"0\":\"\"");
    for (unsigned i = 1; i <= JSON_PAIRS_MOST; i++)
        writer_format(&wide, ",\"%u\":\"\"", i);
    assert_refused(writer_string(&wide), "context.31: too many names, 32 at the most");
    writer_text(&many, "{\"items\":[{\"value\":\"\"}");
    for (unsigned i = 1; i <= JSON_ITEMS_MOST; i++)
        writer_text(&many, ",{\"value\":\"\"}");
    assert_refused(writer_string(&many), "items[10000]: too many, 10000 at the most");
}

/* ---- what is taken ---- */

static void assert_value(const struct json_value *value, const char *expected, size_t size)
{
    assert_non_null(value->bytes.data);
    assert_int_equal(value->bytes.size, size);
    assert_memory_equal(value->bytes.data, expected, size);
}

static void values_are_what_was_sent(void **state)
{
    static const char text[] =
        " { \"items\" : [ {\"value\":\"a\"} , {\"context\":{\"t\\u0061ble\":\"\\ud83d\\ude00\","
        "\"row\":\"\"},\"value\":\"\\u0000\\/\\\"\\\\\xc3\xa9\"} ],\n\"content\":\"\\u0051UI=\","
        "\"text\":\"\"}\r\n";
    AUTO(body) body;
    const struct item *items;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, json_read(&body, &body_shape, text_bytes(text), &err), &err);
    assert_value(&body.content, "AB", 2);
    assert_value(&body.text, "", 0);
    assert_int_equal(body.context.count, 0);
    assert_int_equal(body.items.count, 2);
    items = body.items.items;
    assert_value(&items[0].value, "a", 1);
    assert_null(items[0].value.owned.data);
    assert_value(&items[1].value, "\0/\"\\\xc3\xa9", 6);
    assert_int_equal(items[1].context.count, 2);
    assert_value(&items[1].context.list[0].name, "table", 5);
    assert_value(&items[1].context.list[0].value, "\xf0\x9f\x98\x80", 4);
    assert_value(&items[1].context.list[1].value, "", 0);
}

static void what_is_missing_has_no_data(void **state)
{
    AUTO(body) body;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, json_read(&body, &body_shape, text_bytes("{}"), &err), &err);
    assert_null(body.content.bytes.data);
    assert_null(body.items.items);
    assert_status(SE_OK, json_read(&body, &body_shape, text_bytes("{\"content\":\"\"}"), &err),
                  &err);
    assert_non_null(body.content.bytes.data);
    assert_int_equal(body.content.bytes.size, 0);
}

static void many_items_are_kept_in_order(void **state)
{
    AUTO(writer) w = { 0 };
    AUTO(body) body;
    char expected[16];
    se_error err = SE_ERROR_INIT;

    (void)state;
    writer_text(&w, "{\"items\":[{\"value\":\"0\"}");
    for (unsigned i = 1; i < JSON_ITEMS_MOST; i++)
        writer_format(&w, ",{\"value\":\"%u\",\"context\":{\"\\n\":\"\\t\"}}", i);
    writer_text(&w, "]}");
    assert_status(SE_OK, json_read(&body, &body_shape, buf_bytes(&w.buf), &err), &err);
    assert_int_equal(body.items.count, JSON_ITEMS_MOST);
    for (unsigned i = 0; i < JSON_ITEMS_MOST; i++) {
        (void)snprintf(expected, sizeof expected, "%u", i);
        assert_value(&((struct item *)body.items.items)[i].value, expected, strlen(expected));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_are_refused_with_their_place),
        cmocka_unit_test(depth_and_numbers_are_bounded),
        cmocka_unit_test(values_are_what_was_sent),
        cmocka_unit_test(what_is_missing_has_no_data),
        cmocka_unit_test(many_items_are_kept_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
