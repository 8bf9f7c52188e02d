/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/mime_canon.h"
#include "tests/unit/unit.h"

static se_status rewrite(struct writer *out, const char *in, size_t piece, se_error *err)
{
    se_bytes bytes = text_bytes(in);
    const se_source source = source_memory(&bytes);
    struct stream stream = { .source = &source };
    AUTO(line_reader) lines = { .room = NULL };
    AUTO(mime_canon) e = { .parameter = "" };
    char room[200];
    size_t got = 1;
    se_status st;

    if ((st = line_reader_open(&lines, &stream, err)) ||
        (st = header_read(&e.header, &lines, err)) || (st = mime_canon_begin(&e, &lines, err)))
        return st;
    while (got && !(st = mime_canon_read(&got, &e, room, piece, err)))
        writer_put(out, room, got);
    return st;
}

static void becomes(const char *in, const char *expected)
{
    for (size_t piece = 1; piece < 200; piece += 50) {
        AUTO(writer) out = { 0 };
        se_error err = SE_ERROR_INIT;

        assert_status(SE_OK, rewrite(&out, in, piece, &err), &err);
        assert_string_equal(writer_string(&out), expected);
    }
}

static void stays(const char *in)
{
    becomes(in, in);
}

static void is_refused(const char *in, const char *told, const char *line)
{
    AUTO(writer) out = { 0 };
    se_error err = SE_ERROR_INIT;

    assert_status(SE_ERR_FORMAT, rewrite(&out, in, 200, &err), &err);
    assert_non_null(strstr(err.text, told));
    assert_non_null(strstr(err.text, line));
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

static void entities_become_what_relays_leave_alone(void **state)
{
    (void)state;
    becomes("Content-Type: text/plain\n\nHello\n", "Content-Type: text/plain\r\n\r\nHello\r\n");
    becomes(
        "Content-Type: text/plain  \n\nHello ",
        "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nHello=20");
    becomes("Content-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\nHello\n",
            "Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n\r\nHello\r\n");
    becomes("Content-Type: image/png\nContent-Transfer-Encoding: binary\n\n\x80\n",
            "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\ngAo=");
    becomes("Content-Type: image/png\nContent-Transfer-Encoding: base64\n\nZm\n9v\n",
            "Content-Type: image/png\r\nContent-Transfer-Encoding: "
            "base64\r\n\r\nZm9v");
}

static void parts_are_rewritten_each_by_itself(void **state)
{
    (void)state;
    becomes("Content-Type: multipart/mixed; boundary=b\n\nFrom lost\n--b\n\nFrom "
            "me\n--b\nContent-Type: text/html\n\nok\n--b-- \nFrom lost "
            "too\n",
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: "
            "quoted-printable\r\n\r\n=46rom me\r\n--b\r\n"
            "Content-Type: text/html\r\n\r\nok\r\n--b--\r\n");
    /* what is signed inside stays */
    becomes("Content-Type: multipart/signed; boundary=b\n\n--b\n\nblank \n--b--\n",
            "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nblank \r\n--b--\r\n");
    /* also behind a part whose blanks mean nothing */
    stays(MIXED "--b\r\nContent-Type: message/delivery-status\r\n\r\nStatus: 5.1.1\r\n--b\r\n"
                "Content-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\n-- "
                "\r\nMe\r\n--c--\r\n--b--\r\n");
}

#define BASE64 "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"

/* Decoders end at the padding, go on behind it, or give up: each finds what it found before. */
static void only_base64_is_wrapped(void **state)
{
    (void)state;
    becomes(BASE64 "Zm9v\nYmFy \nZg==\n\n", BASE64 "Zm9vYmFyZg==");
    stays(BASE64 "Zm9v\r\nZg==\r\n\r\n____\r\nsent by  \r\nme\r\n");
    stays(BASE64 "Zg==\r\nZg==\r\n");
    stays(BASE64 "Zm9vYg\r\n");
    stays(BASE64 "Hello\r\n\r\nThe meeting is at ten.  \r\nGr\xc3\xbc\xc3\x9f"
                 "e\r\nFrom me\r\n");
    stays(BASE64 "Regards\r\nBob\r\n");
}

/* More than is held back. */
static void long_base64_is_wrapped_as_far_as_it_is_base64(void **state)
{
    AUTO(writer) in = { 0 };
    AUTO(writer) out = { 0 };
    se_error err = SE_ERROR_INIT;
    const char *end;

    (void)state;
    writer_text(&in, BASE64);
    for (size_t i = 0; i < 1000; i++)
        writer_text(&in, "Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFy\n");
    writer_text(&in, "Zg== and more\n Gr\xfc\xdf"
                     "e \n");
    assert_status(SE_OK, rewrite(&out, writer_string(&in), 200, &err), &err);
    end = strstr(writer_string(&out), "Zg==");
    assert_non_null(end);
    assert_string_equal(end, "Zg== and more\r\n Gr\xfc\xdf"
                             "e \r\n");
    assert_int_equal((end - writer_string(&out) - (ptrdiff_t)strlen(BASE64)) % 78, 56000 % 76);
}

/* RFC 2045, 6.4; 3464, 2.1 */
static void messages_are_not_encoded(void **state)
{
    (void)state;
    becomes("Content-Type: message/delivery-status\nContent-Transfer-Encoding: 8bit\n\nStatus: "
            "5.1.1  \n\nAction: failed\t\n",
            "Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: "
            "7bit\r\n\r\nStatus: 5.1.1\r\n\r\nAction: failed\r\n");
    stays("Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: "
          "8bit\r\n\r\nDiagnostic-Code: smtp; gr\xc3\xbc\xc3\x9f"
          "e\r\n");
    becomes("Content-Type: message/delivery-status\n\nDiagnostic-Code: smtp;\n too big\n \nStatus: "
            "5.3.4\n",
            "Content-Type: message/delivery-status\r\n\r\nDiagnostic-Code: smtp;\r\n too "
            "big\r\nStatus: 5.3.4\r\n");
    stays("Content-Type: message/partial; id=x; number=2\r\n\r\nFrom me to you \r\n");
    becomes("Content-Type: message/feedback-report\n\nVersion: 1 \nFrom x\n",
            "Content-Type: message/feedback-report\r\n\r\nVersion: 1\r\nFrom x\r\n");
}

/* Without parts, what is in front of them is what is read; it can't be encoded. */
static void no_line_of_a_multipart_without_parts_is_lost(void **state)
{
    (void)state;
    stays(MIXED "Hello\r\n\r\nWorld\r\n");
    stays("Content-Type: multipart/mixed\r\n\r\nHello\r\n----\r\n");
    stays(MIXED "--B\r\n\r\nHello\r\n--B--\r\n");
    is_refused(MIXED "Hello\r\nGr\xc3\xbc\xc3\x9f"
                     "e\r\n",
               "boundary \"b\" begins no part", "line 4 ");
    is_refused("Content-Type: multipart/mixed\n\nFrom me\n", "names no boundary", "line 3 ");
    is_refused(MIXED "flowed \r\ntext\r\n", "boundary \"b\"", "line 3 ");
    is_refused(MIXED "Hello\r\n--b--\r\nFrom me\r\n", "boundary \"b\"", "line 5 ");
    is_refused(MIXED "--b\r\nContent-Type: multipart/alternative; "
                     "boundary=c\r\n\r\n--C\r\n\r\n\xfc\r\n--b--\r\n",
               "boundary \"c\"", "line 8 ");
}

static void odd_boundaries_are_found(void **state)
{
    (void)state;
    /* blanks at its end, which RFC 2046 does not allow */
    becomes("Content-Type: multipart/mixed; boundary=\"b \"\n\n--b \n\n\xfc\n--b--\n",
            "Content-Type: multipart/mixed; boundary=\"b "
            "\"\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n/A==\r\n--b--\r\n");
    /* a part behind the last one, which some readers show */
    becomes(MIXED "--b\n\none\n--b--\n--b\n\nFrom two\n--b--\n",
            MIXED "--b\r\n\r\none\r\n--b--\r\n--b\r\nContent-Transfer-Encoding: "
                  "quoted-printable\r\n\r\n=46rom two\r\n--b--\r\n");
    /* no empty line behind a multipart's header */
    becomes(MIXED
            "--b\nContent-Type: multipart/alternative; boundary=c\n--c\n\nFrom me\n--c--\n--b--\n",
            MIXED "--b\r\nContent-Type: multipart/alternative; "
                  "boundary=c\r\n--c\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
                  "=46rom me\r\n--c--\r\n--b--\r\n");
    /* a part without a header, which begins as mailbox files do */
    becomes(MIXED "--b\nFrom here on\nit is text\n--b--\n",
            MIXED "--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=46rom here on\r\nit "
                  "is text\r\n--b--\r\n");
    becomes(MIXED "--b\nFrom here on\n\nit is text\n--b--\n",
            MIXED "--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=46rom here "
                  "on\r\n\r\nit is text\r\n--b--\r\n");
}

/* For some readers the header ends at the odd line, others pass over it: neither finds anything
 * else than before. */
static void headers_with_an_odd_line_stay(void **state)
{
    (void)state;
    stays(MIXED "--b\r\nContent-Transfer-Encoding: base64\r\nContent-Type: "
                "application/zip;\r\nname=\"a.zip\"\r\n"
                "Content-Disposition: attachment\r\n\r\nZm9v\r\nZg==\r\n--b--\r\n");
    stays(MIXED "--b\r\nContent-Type: text/plain\r\nfrom k\xf6ln \r\n\r\nGr\xfc\xdf"
                "e\r\n--b--\r\n");
    stays(MIXED
          "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\nremoved here\r\n--b--\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entities_become_what_relays_leave_alone),
        cmocka_unit_test(parts_are_rewritten_each_by_itself),
        cmocka_unit_test(only_base64_is_wrapped),
        cmocka_unit_test(long_base64_is_wrapped_as_far_as_it_is_base64),
        cmocka_unit_test(messages_are_not_encoded),
        cmocka_unit_test(no_line_of_a_multipart_without_parts_is_lost),
        cmocka_unit_test(odd_boundaries_are_found),
        cmocka_unit_test(headers_with_an_odd_line_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
