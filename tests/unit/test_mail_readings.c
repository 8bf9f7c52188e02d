/* SPDX-License-Identifier: Apache-2.0 */
/* What readers of mail read in different ways is told from what all of them read alike. */
#include "mail/address.h"
#include "mail/boundary.h"
#include "mail/header_protection.h"
#include "mail/media_type.h"
#include "mail/readings.h"

#include "tests/unit/unit.h"

static void content_types_are_of_the_grammar(void **state)
{
    static const struct {
        const char *value, *boundary; /* NULL: refused */
    } rows[] = {
        { "multipart/signed; boundary=b", "b" },
        { "multipart/signed;boundary=\"a b\";x=y", "a b" },
        { " MULTIPART/Signed;\r\n\tBOUNDARY=\"=_1\" ; ", "=_1" },
        { "text/plain", "" },
        { "text/plain; name=\"a\\\"b\"; name*=utf-8''a", "" },
        { "multipart/signed; x=\"; boundary=Z; y\"; boundary=b", "b" },
        { "", NULL },
        { "multipart", NULL },
        { "multipart/", NULL },
        { "multipart/signed boundary=b", NULL },
        { "multipart/signed; boundary=b; Boundary=b", NULL },
        { "multipart/signed; boundary*=us-ascii''b", NULL },
        { "multipart/signed; boundary*0=b", NULL },
        { "multipart/signed (x); boundary=b", NULL },
        { "multipart/signed; boundary=b (x)", NULL },
        { "multipart/signed; boundary = b", NULL },
        { "multipart/signed; boundary=b=c", NULL },
        { "multipart/signed; boundary=\"b\\c\"", NULL },
        { "multipart/signed; boundary=\"b", NULL },
        { "multipart/signed; boundary=\"b\r\n c\"", NULL },
        { "multipart/signed; boundary=\"b \"", NULL },
        { "multipart/signed; boundary=\"\"", NULL },
        { "multipart/signed; boundary=\"b;c\"", NULL },
        { "multipart/signed; boundary=\"=?us-ascii?q?Z?=\"", NULL },
        { "multipart/signed; boundary=\"\xc3\xa4\"", NULL },
        { "multipart/signed; "
          "boundary=0123456789012345678901234567890123456789012345678901234567890123456789x",
          NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct content_type type;
        const char *fault = content_type_read(&type, text_bytes(rows[i].value));

        if (!fault != !!rows[i].boundary)
            fail_msg("%s: %s", rows[i].value, fault ? fault : "read");
        if (fault)
            continue;
        assert_int_equal(type.boundary.size, strlen(rows[i].boundary));
        if (type.boundary.size)
            assert_memory_equal(type.boundary.data, rows[i].boundary, type.boundary.size);
    }
}

static void senders_are_of_the_grammar(void **state)
{
    static const struct {
        const char *value, *strict, *obsolete; /* NULL: refused */
    } rows[] = {
        { "a@x.test", "a@x.test", "a@x.test" },
        { "<a@x.test>", "a@x.test", "a@x.test" },
        { " A. B. C <a.b@x.test> (c)", "a.b@x.test", "a.b@x.test" },
        { "\"b@y.test\" <a@x.test>", "a@x.test", "a@x.test" },
        { "\"A \\\"B\\\"\" C <a@x.test>", "a@x.test", "a@x.test" },
        { "a@x.test (A (B))", "a@x.test", "a@x.test" },
        { "\"a..b\"@x.test", "\"a..b\"@x.test", "\"a..b\"@x.test" },
        { "a@[192.0.2.1]", "a@[192.0.2.1]", "a@[192.0.2.1]" },
        { "\xc3\x84 <a@b\xc3\xbc.test>", "a@b\xc3\xbc.test", "a@b\xc3\xbc.test" },
        { "(b) a @ x . test", NULL, "a@x.test" },
        { "g: A <a@x.test>;", NULL, "a@x.test" },
        { "[x] <a@x.test>", NULL, "a@x.test" },
        { "g: a@x.test, b@y.test;", NULL, NULL },
        { "g:;", NULL, NULL },
        { "a@x.test, b@y.test", NULL, NULL },
        { "b@y.test, A <a@x.test>", NULL, NULL },
        { "A, B <a@x.test>", NULL, NULL },
        { "<b@y.test> <a@x.test>", NULL, NULL },
        { "b@y.test <a@x.test>", NULL, NULL },
        { "b @ y <a@x.test>", NULL, NULL },
        { "<a@x.test> b@y.test", NULL, NULL },
        { "<a@x.test> b", NULL, NULL },
        { "<@y.test:a@x.test>", NULL, NULL },
        { "\"b@y.test \"@x.test", NULL, NULL },
        { "\"<b@y.test>\" <a@x.test>", NULL, NULL },
        { "\"b <a@x.test>", NULL, NULL },
        { "(b@y.test) a@x.test", NULL, NULL },
        { "a@x.test (b", NULL, NULL },
        { "a@x.test.", NULL, NULL },
        { ".a@x.test", NULL, NULL },
        { "a@x@y.test", NULL, NULL },
        { "a\\@b@x.test", NULL, NULL },
        { "A <>", NULL, NULL },
        { "A", NULL, NULL },
        { "", NULL, NULL },
        { "<<a@x.test>>", NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < 2 * (sizeof rows / sizeof *rows); i++) {
        const char *value = rows[i / 2].value,
                   *wanted = i % 2 ? rows[i / 2].obsolete : rows[i / 2].strict;
        char address[MAILBOX_ROOM];
        const char *fault = mailbox_read(address, value, i % 2 ? MAILBOX_OBSOLETE : MAILBOX_STRICT);

        if (!fault != !!wanted || (wanted && strcmp(address, wanted) != 0))
            fail_msg("%s: %s", value, fault ? fault : address);
    }
}

static void addresses_have_a_limit(void **state)
{
    char longer[400];

    (void)state;
    for (size_t size = 318; size < 322; size++) {
        char address[MAILBOX_ROOM];

        memset(longer, 'a', sizeof longer);
        longer[1] = '@';
        longer[size] = '\0';
        assert_int_equal(!mailbox_read(address, longer, MAILBOX_STRICT), size < 320);
    }
}

static void encoded_words_hide_no_address(void **state)
{
    (void)state;
    assert_true(mailbox_hides_another("=?utf-8?q?b=40y?= <a@x>", "b@y <a@x>", "a@x"));
    assert_true(mailbox_hides_another("\"b@y\" =?utf-8?q?=40?= <a@x>", "\"b@y\" @ <a@x>", "a@x"));
    assert_false(mailbox_hides_another("=?utf-8?q?A=40x?= <a@x>", "A@x <a@x>", "a@x"));
    assert_false(mailbox_hides_another("\"b@y\" <a@x>", "\"b@y\" <a@x>", "a@x"));
}

static struct line line_of(se_bytes text)
{
    return (struct line){ text, true, true, EOL_CRLF };
}

static void boundaries_are_seen(void **state)
{
    static const struct {
        const char *text;
        enum boundary_kind kind;
    } rows[] = { { "--b", BOUNDARY_NEXT },   { "--b \t", BOUNDARY_NEXT },
                 { "--b--", BOUNDARY_LAST }, { "--b-- ", BOUNDARY_LAST },
                 { "--bc", BOUNDARY_LIKE },  { "--b--c", BOUNDARY_LIKE },
                 { "--b c", BOUNDARY_LIKE }, { "--B", BOUNDARY_NONE },
                 { " --b", BOUNDARY_NONE },  { "--", BOUNDARY_NONE },
                 { "", BOUNDARY_NONE },      { "-b", BOUNDARY_NONE } };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct line line = line_of(text_bytes(rows[i].text));

        if (boundary_kind("b", &line) != rows[i].kind)
            fail_msg("%s: %d", rows[i].text, (int)boundary_kind("b", &line));
    }
}

/* However a long line is cut. */
static void boundaries_behind_cr_are_seen(void **state)
{
    static const char text[] = "x\r-\r--xy\r--boundary";
    struct boundary b = { .text = "boundary" };

    (void)state;
    for (size_t cut = 0; cut < sizeof text; cut++) {
        struct line first = { { text, cut }, true, false, EOL_NONE },
                    rest = { { text + cut, sizeof text - 1 - cut }, false, true, EOL_LF };
        bool seen = boundary_follows_cr(&b, &first);

        assert_true(seen || boundary_follows_cr(&b, &rest));
        rest.begins = true;
        if (cut > 10 && cut < sizeof text - 1) {
            assert_false(boundary_follows_cr(&b, &first));
            assert_false(boundary_follows_cr(&b, &rest));
        }
    }
}

static void margins_are_plain(void **state)
{
    static const struct {
        const char *text;
        bool plain;
    } rows[] = { { "This is a signed message.", true },
                 { "", true },
                 { "\t -", true },
                 { "\xc3\x84", true },
                 { "--b", false },
                 { " --b", false },
                 { "\xef\xbb\xbf--b", false },
                 { "x\ry", false },
                 { "From x", false },
                 { "a\x0b", false } };
    char longer[1000];
    struct line line = line_of((se_bytes){ longer, 998 });

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct line one = line_of(text_bytes(rows[i].text));

        if (!readings_margin_fault(&one) != rows[i].plain)
            fail_msg("%s", rows[i].text);
    }
    memset(longer, 'x', sizeof longer);
    assert_null(readings_margin_fault(&line));
    line.text.size++;
    assert_non_null(readings_margin_fault(&line));
}

static void read_header(struct header *h, const char *text)
{
    se_bytes bytes = text_bytes(text);
    const se_source source = source_memory(&bytes);
    struct stream stream = { .source = &source };
    AUTO(line_reader) lines = { .room = NULL };

    header_clear(h);
    assert_int_equal(line_reader_open(&lines, &stream, NULL), SE_OK);
    assert_int_equal(header_read(h, &lines, NULL), SE_OK);
}

static void headers_are_compared(void **state)
{
    static const struct {
        const char *inside, *outside, *changed; /* NULL: refused */
        enum protection_rule rule;
    } rows[] = {
        { "From: a\nSubject: x  y\nX-A: 1\n",
          "subject: x\n y\nFROM: a\nX-A: 1\nReceived: r\nX-B: 2\n", "", PROTECT_ALL },
        { "From: a\n", "From: b\n", NULL, PROTECT_ALL },
        { "From: a\n", "From: b\n", NULL, PROTECT_SOME },
        { "From: a\nSubject: x\n", "From: b\nSubject: y\nX: 1\n", "From, Subject",
          PROTECT_FORWARD },
        { "Subject: x\n", "Subject: x\nSubject: y\n", NULL, PROTECT_ALL },
        { "Subject: x\n", "Subject: y\nSubject: x\n", NULL, PROTECT_ALL },
        { "Subject: x\n", "Subject: xy\n", NULL, PROTECT_ALL },
        { "Subject: x\n", "From: a\n", NULL, PROTECT_ALL },
        { "From: a\n", "From: a\nReply-To: b\n", NULL, PROTECT_ALL },
        { "From: a\n", "From: a\nReply-To: b\n", "", PROTECT_SOME },
        { "From: a\n", "From: a\nDate: d\nTo: t\n", "Date, To", PROTECT_ALL },
        { "Date: a\n", "Date: b\n", NULL, PROTECT_ALL },
        { "Message-ID: a\nx-a: 1\nX-A: 2\n", "Message-ID: b\nX-A: 1\n", "Message-ID, x-a",
          PROTECT_ALL },
        { "Bcc: a\nContent-Type: x\nMIME-Version: 1\n", "Bcc: b\nContent-Type: y\n", "",
          PROTECT_ALL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(header) inside = { .strict = true };
        AUTO(header) outside = { .strict = true };
        char changed[SE_MAIL_CHANGED] = "";
        se_error err = SE_ERROR_INIT;
        se_status st;

        read_header(&inside, rows[i].inside);
        read_header(&outside, rows[i].outside);
        st = header_protection_compare(changed, &inside, &outside, rows[i].rule, &err);
        if (st != (rows[i].changed ? SE_OK : SE_ERR_REJECTED) ||
            (rows[i].changed && strcmp(changed, rows[i].changed) != 0))
            fail_msg("%zu: %d, %s, %s", i, (int)st, changed, err.text);
    }
}

/* More than there is room for. */
static void names_of_changed_fields_are_cut(void **state)
{
    AUTO(header) inside = { .strict = true };
    AUTO(header) outside = { .strict = true };
    AUTO(writer) text = { 0 };
    char changed[SE_MAIL_CHANGED] = "";

    (void)state;
    for (int i = 0; i < 100; i++)
        writer_format(&text, "X-Field-%d: x\n", i);
    read_header(&inside, writer_string(&text));
    read_header(&outside, "From: a\n");
    assert_int_equal(header_protection_compare(changed, &inside, &outside, PROTECT_ALL, NULL),
                     SE_OK);
    assert_true(strlen(changed) < sizeof changed);
    assert_string_equal(changed + strlen(changed) - 5, ", ...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_types_are_of_the_grammar),
        cmocka_unit_test(senders_are_of_the_grammar),
        cmocka_unit_test(addresses_have_a_limit),
        cmocka_unit_test(encoded_words_hide_no_address),
        cmocka_unit_test(boundaries_are_seen),
        cmocka_unit_test(boundaries_behind_cr_are_seen),
        cmocka_unit_test(margins_are_plain),
        cmocka_unit_test(headers_are_compared),
        cmocka_unit_test(names_of_changed_fields_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
