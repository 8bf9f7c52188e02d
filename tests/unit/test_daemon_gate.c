/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "daemon/gate.h"
#include "tests/unit/unit.h"

/* A head as the library gives it, with the size that it has when written plainly. */
struct written {
    struct head head;
    struct head_field fields[HEAD_FIELDS];
};

static struct head *write_head(struct written *w, const char *const *lines)
{
    w->head = (struct head){ .method = "POST", .target = "/v1/check", .version = "HTTP/1.1" };
    w->head.fields = w->fields;
    w->head.size = strlen("POST /v1/check HTTP/1.1\r\n\r\n");
    for (; *lines; lines++) {
        const char *colon = strchr(*lines, ':');

        w->fields[w->head.field_count++] = (struct head_field){
            .name = { *lines, (size_t)(colon - *lines) },
            .value = { colon + 1, strlen(colon + 1) },
        };
        w->head.size += strlen(*lines) + strlen(" \r\n");
    }
    return &w->head;
}

#define LINES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static se_status check_lines(struct head_framing *framing, const char *const *lines, se_error *err)
{
    struct written w;

    *err = (se_error)SE_ERROR_INIT;
    return gate_check(framing, write_head(&w, lines), err);
}

static void framing_is_what_the_head_says(void **state)
{
    struct head_framing f;
    se_error err;

    (void)state;
    assert_status(SE_OK, check_lines(&f, LINES("Host:x"), &err), &err);
    assert_true(!f.chunked && !f.has_length && f.expectation == EXPECT_NOTHING);
    assert_status(
        SE_OK, check_lines(&f, LINES("Host:x", "content-length:0042", "expect:100-Continue"), &err),
        &err);
    assert_true(!f.chunked && f.has_length && f.length == 42 && f.expectation == EXPECT_CONTINUE);
    assert_status(
        SE_OK, check_lines(&f, LINES("Host:x", "Transfer-Encoding:CHUNKED", "Expect:more"), &err),
        &err);
    assert_true(f.chunked && !f.has_length && f.expectation == EXPECT_ANYTHING_ELSE);
    assert_status(SE_OK, check_lines(&f, LINES("Host:", "Content-Length:999999999999999999"), &err),
                  &err);
    assert_int_equal(f.length, 999999999999999999);
}

static void refused_heads_say_why(void **state)
{
    static const struct {
        const char *line, *text;
    } cases[] = {
        { "Host:y", "Host comes twice" },
        { "Content-Length:", "no number" },
        { "Content-Length:1234567890123456789", "no number" },
        { "Content-Length:5,5", "no number" },
        { "Content-Length:+5", "no number" },
        { "Transfer-Encoding:gzip", "not 'chunked'" },
        { "Transfer-Encoding:chunked, chunked", "not 'chunked'" },
        { ":x", "name of field 2" },
        { "a b:x", "name of field 2" },
        { "a\xc3\xa4:x", "name of field 2" },
        { "a:\x01", "value of field 2" },
        { "a:\x7f", "value of field 2" },
        { "a:\xc3\xa4", "value of field 2" },
    };
    struct head_framing f;
    se_error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_status(SE_ERR_FORMAT, check_lines(&f, LINES("Host:x", cases[i].line), &err), &err);
        assert_non_null(strstr(err.text, cases[i].text));
        assert_true(!f.chunked && !f.has_length && !f.length);
    }
    assert_status(SE_ERR_FORMAT, check_lines(&f, LINES("A:b"), &err), &err);
    assert_string_equal(err.text, "Host is missing");
    assert_status(SE_ERR_FORMAT, check_lines(&f, LINES("Host:a/b"), &err), &err);
    assert_status(
        SE_ERR_FORMAT,
        check_lines(&f, LINES("Host:x", "Content-Length:5", "Transfer-Encoding:chunked"), &err),
        &err);
    assert_non_null(strstr(err.text, "both"));
}

/* What the library corrects can only be seen by what it counted. */
static void the_size_gives_corrections_away(void **state)
{
    struct head_framing f;
    struct written w;
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (int off = -3; off <= 3; off++) {
        struct head *head = write_head(&w, LINES("Host:x", "A:b"));

        head->size += (size_t)off;
        assert_status(off ? SE_ERR_FORMAT : SE_OK, gate_check(&f, head, &err), &err);
    }
}

static void check_first_line(const char *method, const char *target, const char *version, bool good)
{
    struct head_framing f;
    struct written w;
    se_error err = SE_ERROR_INIT;
    struct head *head = write_head(&w, LINES("Host:x"));

    head->method = method;
    head->target = target;
    head->version = version;
    head->size =
        strlen(method) + strlen(target) + strlen(version) + strlen("  \r\nHost: x\r\n\r\n");
    assert_status(good ? SE_OK : SE_ERR_FORMAT, gate_check(&f, head, &err), &err);
}

static void first_lines_are_checked(void **state)
{
    (void)state;
    check_first_line("GET", "/", "HTTP/1.1", true);
    check_first_line("DELETE", "/a?b=c", "HTTP/1.0", true);
    check_first_line("get", "/", "HTTP/1.1", false);
    check_first_line("", "/", "HTTP/1.1", false);
    check_first_line("ABCDEFGHIJKLMNOPQ", "/", "HTTP/1.1", false);
    check_first_line("GET", "", "HTTP/1.1", false);
    check_first_line("GET", "a", "HTTP/1.1", false);
    check_first_line("GET", "*", "HTTP/1.1", false);
    check_first_line("GET", "/\x7f", "HTTP/1.1", false);
    check_first_line("GET", "/ ", "HTTP/1.1", false);
    check_first_line("GET", "/\xc3\xa4", "HTTP/1.1", false);
    check_first_line("GET", "/", "HTTP/1.2", false);
    check_first_line("GET", "/", "HTTP/2.0", false);
    check_first_line("GET", "/", "", false);
}

static void the_first_version_has_no_chunks(void **state)
{
    struct head_framing f;
    struct written w;
    se_error err = SE_ERROR_INIT;
    struct head *head = write_head(&w, LINES("Transfer-Encoding:chunked"));

    (void)state;
    head->version = "HTTP/1.0";
    assert_status(SE_ERR_FORMAT, gate_check(&f, head, &err), &err);
    head = write_head(&w, LINES("Content-Length:3"));
    head->version = "HTTP/1.0";
    assert_status(SE_OK, gate_check(&f, head, &err), &err);
    assert_int_equal(f.length, 3);
}

static void values_are_found_by_their_names(void **state)
{
    struct written w;
    struct head *head = write_head(&w, LINES("Host:x", "Accept:a/b", "X-Empty:"));

    (void)state;
    assert_int_equal(head_value(head, "ACCEPT").size, 3);
    assert_null(head_value(head, "Accep").data);
    assert_null(head_value(head, "Accepts").data);
    assert_non_null(head_value(head, "x-empty").data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(framing_is_what_the_head_says),
        cmocka_unit_test(refused_heads_say_why),
        cmocka_unit_test(the_size_gives_corrections_away),
        cmocka_unit_test(first_lines_are_checked),
        cmocka_unit_test(the_first_version_has_no_chunks),
        cmocka_unit_test(values_are_found_by_their_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
