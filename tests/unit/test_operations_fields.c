/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted values, as the daemon answers them: one, many in a list, or one a line. */
#include "tests/unit/operations.h"

/* ---- values ---- */

static void values_come_back(void **state)
{
    static const char context[] = "?context=%7B%22row%22%3A%227%22%7D";
    struct trial t;
    AUTO(writer) body = { 0 };

    (void)state;
    trial_open_keys(&t);
    for (int binary = 0; binary < 2; binary++) {
        AUTO(se_buf) value = SE_BUF_INIT;
        char path[120];

        (void)snprintf(path, sizeof path, D "Fields/encrypt%s%s", context,
                       binary ? "&binary=true" : "");
        assert_asked(SE_OK, &t, ask(&t, path, MEDIA_OCTETS, text_bytes("secret")));
        value = buf_move(&t.body);
        assert_memory_equal(value.data, binary ? "NX02\1" : "NX02:", 5);
        (void)snprintf(path, sizeof path, D "Fields/decrypt%s", context);
        assert_asked(SE_OK, &t, ask(&t, path, MEDIA_OCTETS, buf_bytes(&value)));
        assert_text(&t, "secret");
        assert_asked(SE_ERR_REJECTED, &t,
                     ask(&t, D "Fields/decrypt", MEDIA_OCTETS, buf_bytes(&value)));
        assert_string_equal(t.err.text, "it does not decrypt: it was changed, moved to another "
                                        "context, or made for another key");
    }
    assert_asked(
        SE_OK, &t,
        ask_json(&t, D "Fields/encrypt", "{\"content\":\"QUJD\",\"context\":{\"row\":\"7\"}}"));
    {
        AUTO(json) json = answered(&t);

        assert_string_equal(text_of(json, "status"), "ok");
        writer_format(&body, "{\"context\":{\"row\":\"7\"},\"value\":\"%s\"}",
                      text_of(json, "value"));
    }
    assert_asked(SE_OK, &t, ask_json(&t, D "Fields/decrypt", writer_string(&body)));
    {
        AUTO(json) json = answered(&t);

        assert_string_equal(text_of(json, "content"), "QUJD");
    }
    trial_close(&t);
}

static void each_of_many_has_a_status(void **state)
{
    struct trial t;
    AUTO(writer) body = { 0 };

    (void)state;
    trial_open_keys(&t);
    assert_asked(SE_OK, &t,
                 ask_json(&t, D "Fields/encrypt?version=1",
                          "{\"items\":[{\"content\":\"QUJD\"},{\"content\":\"\",\"context\":"
                          "{\"a\":\"b\"}},{\"content\":\"\",\"context\":{\"\":\"b\"}}]}"));
    assert_int_equal(t.answer.items, 3);
    assert_int_equal(t.answer.failed, 1);
    {
        AUTO(json) json = answered(&t);

        assert_string_equal(text_of(item_of(json, 2), "status"), "usage");
        writer_format(&body,
                      "{\"items\":[{\"value\":\"%s\"},{\"value\":\"%s\"},{\"value\":\"no\"},"
                      "{\"value\":\"%s\",\"context\":{\"a\":\"b\"}}]}",
                      text_of(item_of(json, 0), "value"), text_of(item_of(json, 1), "value"),
                      text_of(item_of(json, 1), "value"));
    }
    assert_asked(SE_OK, &t, ask_json(&t, D "Fields/decrypt", writer_string(&body)));
    assert_int_equal(t.answer.items, 4);
    assert_int_equal(t.answer.failed, 2);
    {
        AUTO(json) json = answered(&t);

        assert_string_equal(text_of(item_of(json, 0), "content"), "QUJD");
        assert_string_equal(text_of(item_of(json, 1), "status"), "rejected");
        assert_null(json_object_get(item_of(json, 1), "content"));
        assert_string_equal(text_of(item_of(json, 1), "message"),
                            "it does not decrypt: it was changed, moved to another context, or "
                            "made for another key");
        assert_string_equal(text_of(item_of(json, 2), "status"), "format");
        assert_string_equal(text_of(item_of(json, 3), "content"), "");
    }
    assert_asked(SE_OK, &t, ask_json(&t, D "Fields/rekey", writer_string(&body)));
    {
        AUTO(json) json = answered(&t);

        assert_string_equal(text_of(item_of(json, 0), "status"), "ok");
        assert_false(json_is_true(json_object_get(item_of(json, 0), "kept")));
        assert_null(json_object_get(item_of(json, 0), "content"));
        assert_string_equal(text_of(item_of(json, 1), "status"), "rejected");
    }
    trial_close(&t);
}

/* A line each, and one at the end; more than go to the library at once. */
static void lines_are_answered_in_order(void **state)
{
    enum { LINES = 1500 };
    struct trial t;
    AUTO(writer) body = { 0 };
    char *line, *rest;

    (void)state;
    trial_open_keys(&t);
    for (unsigned i = 1; i <= LINES; i++)
        writer_text(&body, i == 3      ? "{\"content\":3}\n"
                           : i == 1200 ? "\n{\"content\":\"QUI=\"}\r\n"
                                       : "{\"content\":\"QUJD\",\"context\":{\"a\":\"b\"}}\n");
    assert_asked(SE_OK, &t, ask(&t, D "Fields/encrypt", MEDIA_NDJSON, buf_bytes(&body.buf)));
    assert_int_equal(t.answer.media, MEDIA_NDJSON);
    assert_int_equal(t.answer.items, LINES);
    assert_int_equal(t.answer.failed, 1);
    rest = (char *)t.body.data;
    for (unsigned i = 1; i <= LINES; i++) {
        AUTO(json) json = read_json(line = strsep(&rest, "\n"));

        assert_int_equal(json_integer_value(json_object_get(json, "n")), i);
        assert_string_equal(text_of(json, "status"), i == 3 ? "format" : "ok");
        if (i == 3)
            assert_string_equal(text_of(json, "message"), "content: not a string of base64");
    }
    assert_string_equal(line = strsep(&rest, "\n"),
                        "{\"end\":true,\"count\":1500,\"failed\":1,\"requestId\":\"r-1\"}");
    assert_string_equal(rest, "");
    assert_asked(SE_ERR_NO_DESCRIPTOR, &t,
                 ask(&t, D "Nobody/encrypt", MEDIA_NDJSON, buf_bytes(&body.buf)));
    assert_asked(SE_OK, &t, ask(&t, D "Fields/encrypt", MEDIA_NDJSON, text_bytes("")));
    assert_text(&t, "{\"end\":true,\"count\":0,\"failed\":0,\"requestId\":\"r-1\"}\n");
    trial_close(&t);
}

static void a_line_has_a_bound(void **state)
{
    struct trial t;
    AUTO(writer) body = { 0 };

    (void)state;
    trial_open_keys(&t);
    writer_text(&body, "{\"content\":\"");
    for (unsigned i = 0; i < (1 << 20) / 8; i++)
        writer_text(&body, "QUJDQUJD");
    writer_text(&body, "\"}\n{\"content\":\"\"}");
    assert_asked(SE_OK, &t, ask(&t, D "Fields/encrypt", MEDIA_NDJSON, buf_bytes(&body.buf)));
    assert_int_equal(t.answer.items, 2);
    assert_int_equal(t.answer.failed, 1);
    assert_non_null(
        strstr(answer_text(&t), "\"status\":\"format\",\"message\":\"a line of more than 1 MiB\""));
    trial_close(&t);
}

/* ---- limits ---- */

static se_status admit_few(void *arg, uint64_t items, se_error *err)
{
    *(uint64_t *)arg = items;
    return items > 2 ? error_set(err, SE_ERR_POLICY, "too many") : SE_OK;
}

/* As a whole, before anything is done. */
static void a_batch_is_admitted_first(void **state)
{
    struct trial t;
    uint64_t items = 0;

    (void)state;
    trial_open_keys(&t);
    t.request.admit = admit_few;
    t.request.admit_arg = &items;
    assert_asked(
        SE_OK, &t,
        ask_json(&t, D "Fields/encrypt", "{\"items\":[{\"content\":\"\"},{\"content\":\"\"}]}"));
    assert_int_equal(items, 2);
    assert_asked(
        SE_ERR_POLICY, &t,
        ask_json(&t, D "Fields/encrypt",
                 "{\"items\":[{\"content\":\"\"},{\"content\":\"\"},{\"content\":\"\"}]}"));
    assert_int_equal(items, 3);
    assert_int_equal(t.answer.items, 0);
    assert_asked(SE_ERR_POLICY, &t,
                 ask(&t, D "Fields/encrypt", MEDIA_NDJSON, text_bytes("a\n\n\r\nb\nc\nd")));
    assert_int_equal(items, 4);
    trial_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(values_come_back),
        IN_FOLDER(each_of_many_has_a_status),
        IN_FOLDER(lines_are_answered_in_order),
        IN_FOLDER(a_line_has_a_bound),
        IN_FOLDER(a_batch_is_admitted_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
