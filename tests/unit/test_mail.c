/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "mail/media_type.h"
#include "mail/message.h"
#include "signengine-mail.h"
#include "tests/unit/unit.h"

/* ---- lines ---- */

static void lines_come_whole_or_in_pieces(void **state)
{
    static char in[3 * LINE_READER_ROOM];
    se_bytes bytes = { in, sizeof in };
    const se_source source = source_memory(&bytes);
    struct stream stream = { .source = &source };
    AUTO(line_reader) lines = { .room = NULL };
    se_error err = SE_ERROR_INIT;
    struct line line;
    size_t size = 0, pieces = 0;
    bool more;

    (void)state;
    memset(in, 'x', sizeof in);
    memcpy(in, "one\r\n\ntwo\r\r\n", 12);
    assert_status(SE_OK, line_reader_open(&lines, &stream, &err), &err);
    for (size_t i = 0; i < 3; i++) {
        static const size_t sizes[] = { 3, 0, 4 };

        assert_status(SE_OK, line_reader_next(&line, &more, &lines, &err), &err);
        assert_true(more && line.begins && line.ends);
        assert_int_equal(line.text.size, sizes[i]);
        assert_int_equal(line.eol, i == 1 ? EOL_LF : EOL_CRLF);
        assert_memory_equal(line_reader_ready(&lines).data,
                            i == 0   ? "\ntwo"
                            : i == 1 ? "two"
                                     : "xxx",
                            3);
    }
    for (;; pieces++) {
        assert_status(SE_OK, line_reader_next(&line, &more, &lines, &err), &err);
        if (!more)
            break;
        assert_int_equal(line.begins, !pieces);
        assert_int_equal(line_reader_ready(&lines).size, 0);
        size += line.text.size;
    }
    assert_true(pieces > 2);
    assert_int_equal(size, sizeof in - 12);
    assert_int_equal(line.eol, EOL_NONE);
}

/* ---- headers ---- */

static se_status read_header(struct header *h, const char *text, se_error *err)
{
    se_bytes bytes = text_bytes(text);
    const se_source source = source_memory(&bytes);
    struct stream stream = { .source = &source };
    AUTO(line_reader) lines = { .room = NULL };
    se_status st = line_reader_open(&lines, &stream, err);

    return st ? st : header_read(h, &lines, err);
}

static void header_fields_are_found_and_kept(void **state)
{
    static const char text[] = "From: a\r\nX-Long: one\r\n\ttwo  \r\n three\r\nx-long :  again "
                               "\r\nEmpty:\r\n\r\nBody: no\r\n";
    AUTO(header) h = { .strict = true };
    AUTO(se_buf) value = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, read_header(&h, text, &err), &err);
    assert_true(h.complete && header_is_crlf(&h));
    assert_int_equal(h.count, 4);
    assert_int_equal(header_count(&h, "X-LONG"), 2);
    assert_null(header_find(&h, "Body"));
    assert_null(header_find(&h, "X-Lon"));
    assert_int_equal(field_bytes(&h, &h.fields[1]).size,
                     strlen("X-Long: one\r\n\ttwo  \r\n three\r\n"));
    assert_status(SE_OK, field_value(&value, &h, header_find(&h, "x-long"), &err), &err);
    assert_string_equal(value.data, "one\ttwo   three");
    se_buf_free(&value);
    assert_status(SE_OK, field_value(&value, &h, NULL, &err), &err);
    assert_string_equal(value.data, "");
    se_buf_free(&value);
    /* nobody after us stops at a NUL */
    ((char *)h.text.buf.data)[h.fields[0].value + 1] = '\0';
    assert_status(SE_OK, field_value(&value, &h, &h.fields[0], &err), &err);
    assert_string_equal(value.data, "?");
}

static void headers_that_are_none_are_refused(void **state)
{
    static const char *const texts[] = { "no colon\n\n", "From: x\nno colon\n\n",
                                         " blank first: x\n\n", ": no name\n\n", "\x80: x\n\n" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        AUTO(header) h = { .strict = true };
        se_error err = SE_ERROR_INIT;

        assert_status(SE_ERR_FORMAT, read_header(&h, texts[i], &err), &err);
        assert_non_null(strstr(err.text, i == 1 ? "line 2" : "line 1"));
    }
}

/* What people can't see in an editor, and the line that they find there. */
static void headers_that_are_none_are_told_as_what_they_are(void **state)
{
    static const struct {
        const char *text, *told;
    } rows[] = { { "\xef\xbb\xbf"
                   "From: a\n\n",
                   "byte order mark of UTF-8" },
                 { "\xff\xfe"
                   "F",
                   "byte order mark of UTF-16" },
                 { "From: a\rTo: b\r\rHello\r", "lines end with CR, not" },
                 { "From: a\r\rHello\rWorld\n", "lines end with CR, not" },
                 { "From: a\r\r\nTo: b\r\r\n\r\r\n", "CR CR LF" },
                 { "Received: a\n b\n\tc\nFrom: a\nno field\n\n", "line 5, in its header" },
                 { "From a\r\nReceived: a\r\n b\r\nno field\r\n", "line 4, in its header" } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(header) h = { .strict = true };
        se_error err = SE_ERROR_INIT;

        assert_status(SE_ERR_FORMAT, read_header(&h, rows[i].text, &err), &err);
        assert_non_null(strstr(err.text, rows[i].told));
    }
}

/* ---- what fields mean ---- */

static void content_types_are_read(void **state)
{
    struct media m;
    char longer[600];

    (void)state;
    media_read(
        &m,
        "Multipart/MIXED; Boundary=\"a b;c\" (comment); protocol=\"Application/PKCS7-Signature\"");
    assert_string_equal(m.type, "multipart/mixed");
    assert_string_equal(m.boundary, "a b;c");
    assert_string_equal(m.protocol, "application/pkcs7-signature");
    assert_true(media_is(&m, "multipart") && !media_is(&m, "multi"));
    media_read(&m, "");
    assert_string_equal(m.type, "text/plain");
    assert_string_equal(m.boundary, "");
    /* a boundary that does not fit is none: cut, it would be another one */
    memset(longer, 'x', sizeof longer);
    memcpy(longer, "multipart/mixed; boundary=", 26);
    longer[sizeof longer - 1] = '\0';
    media_read(&m, longer);
    assert_string_equal(m.boundary, "");
}

static void addresses_are_read(void **state)
{
    static const struct {
        const char *value, *first;
        size_t count;
    } rows[] = {
        { "a@x.test", "a@x.test", 1 },
        { "\"b@y.test\" <a@x.test>", "a@x.test", 1 },
        { "Doe, Alice <a@x.test>, b@x.test", "a@x.test", 2 },
        { "list: a@x.test, b@x.test;", "a@x.test", 2 },
        { "a@x.test (b@y.test)", "a@x.test", 1 },
        /* one domain, as people write it and as the DNS and certificates have it */
        { "a@b\xc3\xbc"
          "cher.test",
          "a@xn--bcher-kva.test", 1 },
        { "A <a@xn--bcher-kva.test>", "a@xn--bcher-kva.test", 1 },
        { "", NULL, 0 },
        { "undisclosed:;", NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(addresses) list = { .count = 0 };
        se_error err = SE_ERROR_INIT;

        assert_status(SE_OK, addresses_read(&list, rows[i].value, &err), &err);
        if (rows[i].count > 0 && strncmp(rows[i].value, "Doe", 3) != 0)
            assert_int_equal(list.count, rows[i].count);
        if (!rows[i].count)
            assert_int_equal(list.count, 0);
        else
            assert_string_equal(list.list[list.count - rows[i].count], rows[i].first);
    }
}

static void *ask(void *arg)
{
    pthread_barrier_t *together = arg;
    AUTO(se_buf) out = SE_BUF_INIT;

    (void)pthread_barrier_wait(together);
    return se_mail_address(&out, "Alice <alice@example.org>", NULL) ? arg : NULL;
}

/* Before all other tests: one of the threads loads GMime. */
static void threads_may_be_the_first_together(void **state)
{
    enum { THREADS = 8 };
    pthread_barrier_t together;
    pthread_t threads[THREADS];
    void *failed;

    (void)state;
    assert_int_equal(pthread_barrier_init(&together, NULL, THREADS), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &together), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    pthread_barrier_destroy(&together);
}

static void one_sender_is_one_address(void **state)
{
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, se_mail_address(&out, "Alice <alice@example.org>", &err), &err);
    assert_string_equal(out.data, "alice@example.org");
    se_buf_free(&out);
    assert_status(SE_ERR_FORMAT, se_mail_address(&out, "a@x.test, b@x.test", &err), &err);
    assert_null(out.data);
    err = (se_error)SE_ERROR_INIT;
    assert_status(SE_ERR_FORMAT, se_mail_address(&out, "undisclosed:;", &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_may_be_the_first_together),
        cmocka_unit_test(lines_come_whole_or_in_pieces),
        cmocka_unit_test(header_fields_are_found_and_kept),
        cmocka_unit_test(headers_that_are_none_are_refused),
        cmocka_unit_test(headers_that_are_none_are_told_as_what_they_are),
        cmocka_unit_test(content_types_are_read),
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(one_sender_is_one_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
