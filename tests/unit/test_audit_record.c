/* SPDX-License-Identifier: Apache-2.0 */
/* An audit record as a line: members, escapes, bounds. And sinks as settings name them. */
#include <jansson.h>
#include <string.h>

#include "audit/audit.h"
#include "tests/unit/unit.h"

enum { LINE_MOST = 4096 };

static const char *const names[] = {
    "time",           "host",    "program",      "pid",         "n",
    "requestId",      "caller",  "listener",     "row",         "operation",
    "descriptor",     "version", "key",          "replica",     "history",
    "first",          "items",   "failed",       "bytes",       "digest",
    "result",         "text",    "milliseconds", "requestSent", "requestAnswered",
    "idempotencyKey", "tag",     "config",       "queueId",     "client",
    "sender",
};

AUTO_KIND(json, json_t *, json_decref(*p))

/* One line, valid, and within its bound. */
static json_t *line_of(const struct audit_record *record)
{
    AUTO(writer) w = { 0 };
    json_error_t error;
    json_t *json;

    audit_format(&w, record, "test", 7);
    assert_false(w.failed);
    assert_true(w.buf.size <= LINE_MOST);
    assert_ptr_equal(memchr(w.buf.data, '\n', w.buf.size), w.buf.data + w.buf.size - 1);
    json = json_loads(writer_string(&w), JSON_REJECT_DUPLICATES, &error);
    if (!json)
        fail_msg("%s: %s", error.text, writer_string(&w));
    return json;
}

static const char *text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    assert_non_null(text);
    return text;
}

static void assert_members(json_t *json)
{
    size_t i = 0;

    for (void *at = json_object_iter(json); at; at = json_object_iter_next(json, at))
        assert_string_equal(json_object_iter_key(at), names[i++]);
    assert_int_equal(i, sizeof names / sizeof *names);
}

static void members_are_always_there(void **state)
{
    AUTO(json) empty = line_of(&(struct audit_record){ .time_us = 1 });
    AUTO(json) some = line_of(&(struct audit_record){
        .has_uid = true, .operation = "sign", .replica = 2, .duration_us = 3214, .bytes = 4711 });

    (void)state;
    assert_members(empty);
    assert_members(some);
    assert_true(json_is_null(json_object_get(empty, "caller")));
    assert_string_equal(text_of(empty, "time"), "1970-01-01T00:00:00.000001Z");
    assert_string_equal(text_of(empty, "operation"), "");
    assert_int_equal(json_integer_value(json_object_get(empty, "n")), 7);
    assert_string_equal(text_of(some, "operation"), "sign");
    assert_int_equal(json_integer_value(json_object_get(some, "replica")), 2);
    assert_int_equal(json_integer_value(json_object_get(some, "bytes")), 4711);
    assert_true(json_real_value(json_object_get(some, "milliseconds")) == 3.214);
    assert_true(text_of(some, "time")[0] == '2');
}

static void callers_are_processes_or_certificates(void **state)
{
    AUTO(json) process = line_of(
        &(struct audit_record){ .has_uid = true, .uid = UINT32_MAX, .user = "x", .pid = 77 });
    AUTO(json) certificate = line_of(&(struct audit_record){
        .subject = "CN=x", .issuer = "CN=ca", .serial = "01", .sha256 = "ab" });
    const json_t *who = json_object_get(process, "caller");

    (void)state;
    assert_int_equal(json_object_size(who), 3);
    assert_int_equal(json_integer_value(json_object_get(who, "uid")), UINT32_MAX);
    assert_string_equal(text_of(who, "user"), "x");
    assert_int_equal(json_integer_value(json_object_get(who, "pid")), 77);
    who = json_object_get(certificate, "caller");
    assert_int_equal(json_object_size(who), 4);
    assert_string_equal(text_of(who, "issuer"), "CN=ca");
    assert_string_equal(text_of(who, "sha256"), "ab");
}

static void odd_characters_are_escaped(void **state)
{
    AUTO(json) json = line_of(&(struct audit_record){ .text = "a\"b\\c\nd\r\te\x01\x7f",
                                                      .key = "x\xff\xc3\xa4\xe2\x82y",
                                                      .descriptor = "\xc2\x85" });

    (void)state;
    assert_string_equal(text_of(json, "text"), "a\"b\\c\nd\r\te\x01\x7f");
    assert_string_equal(text_of(json, "key"), "x\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbdy");
    assert_string_equal(text_of(json, "descriptor"), "\xc2\x85");
}

/* A text of as many bytes, of one character again and again. */
static const char *long_text(const char *character, size_t size)
{
    static char text[5000];
    size_t used = 0;

    assert_true(size < sizeof text);
    while (used + strlen(character) <= size) {
        memcpy(text + used, character, strlen(character));
        used += strlen(character);
    }
    text[used] = '\0';
    return text;
}

static void long_texts_are_cut_between_characters(void **state)
{
    AUTO(json) fits = line_of(&(struct audit_record){ .tag = long_text("x", 64) });
    AUTO(json) longer = line_of(&(struct audit_record){ .tag = long_text("x", 65) });
    AUTO(json) wide = line_of(&(struct audit_record){ .tag = long_text("\xf0\x9f\x94\x91", 100) });
    AUTO(json) escaped = line_of(&(struct audit_record){ .tag = long_text("\x01", 100) });
    const char *cut = text_of(longer, "tag");

    (void)state;
    assert_string_equal(text_of(fits, "tag"), long_text("x", 64));
    assert_int_equal(strlen(cut), 64);
    assert_string_equal(cut + 61, "\xe2\x80\xa6");
    assert_int_equal(strlen(text_of(wide, "tag")), 15 * 4 + 3);
    assert_int_equal(strlen(text_of(escaped, "tag")), 10 + 3);
}

static struct audit_record longest_record(const char *text, uint64_t count)
{
    return (struct audit_record){
        .request_id = text,
        .subject = text,
        .issuer = text,
        .serial = text,
        .sha256 = text,
        .listener = text,
        .row = text,
        .operation = text,
        .descriptor = text,
        .version = UINT32_MAX,
        .key = text,
        .replica = UINT32_MAX,
        .history = text,
        .first = count,
        .items = count,
        .failed = count,
        .bytes = count,
        .digest = text,
        .result = text,
        .text = text,
        .duration_us = INT64_MAX,
        .request_sent = text,
        .request_answered = text,
        .idempotency_key = text,
        .tag = text,
        .config = text,
        .queue_id = text,
        .client = text,
        .sender = text,
    };
}

static void the_longest_record_is_whole(void **state)
{
    static const char *const characters[] = { "x",        "\"",           "\\",
                                              "\n",       "\x7f",         "\xff",
                                              "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x94\x91" };

    (void)state;
    for (size_t i = 0; i < sizeof characters / sizeof *characters; i++) {
        /* jansson's numbers are signed */
        const struct audit_record record =
                                      longest_record(long_text(characters[i], 4000), INT64_MAX),
                                  longer = longest_record(record.text, UINT64_MAX);
        AUTO(json) json = line_of(&record);
        AUTO(writer) w = { 0 };

        audit_format(&w, &longer, "a program of some longer name", UINT64_MAX);
        assert_true(w.buf.size <= LINE_MOST);
        assert_members(json);
        assert_true(strlen(text_of(json, "text")) > 100);
    }
}

/* ---- sinks as text ---- */

static void sinks_are_read(void **state)
{
    struct audit_sinks sinks = { .count = 0 };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, audit_sinks_add(&sinks, "file:/var/log/a.log required", &err), &err);
    assert_status(SE_OK, audit_sinks_add(&sinks, "journal", &err), &err);
    assert_status(SE_OK, audit_sinks_add(&sinks, " syslog:/run/log \t required", &err), &err);
    assert_status(SE_OK, audit_sinks_add(&sinks, "stdout", &err), &err);
    assert_status(SE_OK,
                  audit_sinks_add(&sinks,
                                  "history:postgresql://u@h/db?x=1:2 config=/e.xml "
                                  "descriptor=D required chain=c",
                                  &err),
                  &err);
    assert_int_equal(sinks.count, 5);
    assert_int_equal(sinks.list[0].kind, AUDIT_FILE);
    assert_string_equal(sinks.list[0].place, "/var/log/a.log");
    assert_true(sinks.list[0].required && !sinks.list[1].required && sinks.list[2].required);
    assert_int_equal(sinks.list[1].kind, AUDIT_JOURNAL);
    assert_null(sinks.list[1].place);
    assert_string_equal(sinks.list[2].place, "/run/log");
    assert_int_equal(sinks.list[3].kind, AUDIT_STDOUT);
    assert_string_equal(sinks.list[4].place, "postgresql://u@h/db?x=1:2");
    assert_string_equal(sinks.list[4].config, "/e.xml");
    assert_string_equal(sinks.list[4].chain, "c");
    assert_string_equal(sinks.list[4].descriptor, "D");
    assert_true(sinks.list[4].required);
    audit_sinks_free(&sinks);
    assert_int_equal(sinks.count, 0);
}

static void what_is_no_sink_is_told(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "", "the audit sink is empty" },
        { "  ", "the audit sink is empty" },
        { "/var/log/a", "'/var/log/a' is no audit sink: file:PATH, journal, syslog, stdout or "
                        "history:STORE; a file is file:PATH" },
        { "files:a", "'files' is no audit sink" },
        { "fil", "'fil' is no audit sink" },
        { "file", "'file' says where: file:PATH" },
        { "file:", "'file:' says where: file:PATH" },
        { "journal:", "'journal:': nothing may follow journal" },
        { "stdout:x", "'stdout:x': nothing may follow stdout" },
        { "file:a need", "an audit sink is followed by 'required', not by 'need'" },
        { "file:a config=x", "an audit sink is followed by 'required', not by 'config=x'" },
        { "history:sqlite:a", "the audit sink 'history' needs config=FILE" },
        { "history:sqlite:a config=", "not by 'config='" },
        { "history:sqlite:a config=b store=x", "not by 'store=x'" },
    };
    struct audit_sinks sinks = { .count = 0 };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        se_error err = SE_ERROR_INIT;

        assert_status(SE_ERR_CONFIG, audit_sinks_add(&sinks, rows[i].text, &err), &err);
        if (!strstr(err.text, rows[i].why))
            fail_msg("'%s': %s", rows[i].text, err.text);
        assert_int_equal(sinks.count, 0);
    }
    audit_sinks_free(&sinks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_always_there),
        cmocka_unit_test(callers_are_processes_or_certificates),
        cmocka_unit_test(odd_characters_are_escaped),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(the_longest_record_is_whole),
        cmocka_unit_test(sinks_are_read),
        cmocka_unit_test(what_is_no_sink_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
