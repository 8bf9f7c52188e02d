/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"
#include "mail/part_body.h"
#include "tests/unit/unit.h"

static se_bytes text(const char *s)
{
    return text_bytes(s);
}

/* ---- base64 ---- */

static void base64_of_pieces_is_base64_of_the_whole(void **state)
{
    unsigned char bytes[200];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 7);
    for (size_t piece = 1; piece <= sizeof bytes; piece += 13) {
        AUTO(writer) once = { 0 };
        AUTO(writer) often = { 0 };
        struct base64_lines a = { .out = &once, .eol = "\r\n" },
                            b = { .out = &often, .eol = "\r\n" };

        base64_lines_encode(&a, (se_bytes){ bytes, sizeof bytes });
        base64_lines_end(&a);
        for (size_t at = 0; at < sizeof bytes; at += piece)
            base64_lines_encode(
                &b,
                (se_bytes){ bytes + at, sizeof bytes - at < piece ? sizeof bytes - at : piece });
        base64_lines_end(&b);
        assert_string_equal(writer_string(&often), writer_string(&once));
        assert_int_equal(strcspn(writer_string(&once), "\r"), BASE64_LINE);
    }
}

static void read_all(const char *in, const char *expected)
{
    for (size_t piece = 1; piece <= strlen(in); piece++) {
        struct base64_reader reader = { 0 };
        unsigned char out[100];
        size_t size = 0;

        for (size_t at = 0; at < strlen(in); at += piece)
            size += base64_read(
                out + size, &reader,
                (se_bytes){ in + at, strlen(in + at) < piece ? strlen(in + at) : piece });
        size += base64_read_end(out + size, &reader);
        assert_int_equal(size, strlen(expected));
        assert_memory_equal(out, expected, size);
    }
}

/* RFC 4648, 10, and what mail programs make of it */
static void base64_is_read_however_it_is_cut_and_wrapped(void **state)
{
    (void)state;
    read_all("Zm9vYmFy", "foobar");
    read_all("Zm9vYmE=", "fooba");
    read_all("Zm9vYg==", "foob");
    read_all("Zm9vYg", "foob");
    read_all("Zm9\r\nvY mFy\t\r\n", "foobar");
    read_all("Zm8=Zm8=YmFy", "fofobar");
    read_all("!Zm9v*YmFy!", "foobar");
}

static void letters_end_before_what_is_none(void **state)
{
    char line[BASE64_LINE + 1] = "";

    (void)state;
    memset(line, 'A', BASE64_LINE);
    assert_int_equal(base64_span(text(line)), BASE64_LINE);
    for (size_t i = 0; i < BASE64_LINE; i++) {
        for (const char *c = "= \r-_\x80"; *c; c++) {
            line[i] = *c;
            assert_int_equal(base64_span(text(line)), i);
        }
        line[i] = '/';
    }
    assert_int_equal(base64_span(text(line)), BASE64_LINE);
    line[BASE64_LINE - 1] = '\0';
    assert_int_equal(base64_span((se_bytes){ line, BASE64_LINE }), BASE64_LINE - 1);
}

static void wrap_all(const char *in, const char *expected)
{
    for (size_t piece = 1; piece <= strlen(in); piece++) {
        AUTO(writer) out = { 0 };
        struct base64_lines w = { .out = &out, .eol = "\n" };

        for (const char *line = in, *next; *line; line = next) {
            size_t left = strcspn(line, "\n");

            next = line[left] ? line + left + 1 : line + left;
            for (size_t at = 0, n; at < left; at += n) {
                n = left - at < piece ? left - at : piece;
                assert_int_equal(base64_lines_wrap(&w, (se_bytes){ line + at, n }, !at), n);
            }
        }
        base64_lines_end(&w);
        assert_string_equal(writer_string(&out), expected);
    }
}

/* Its letters stay: those of an end without padding, and bits that nothing is made of, too. */
static void base64_is_wrapped_and_no_more(void **state)
{
    static const char *const whole[] = { "", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYh==" };
    static const char *const open[] = { "Z", "Zm", "Zm9vYg", "Zm9vYg=" };
    char wide[230], wrapped[230];

    (void)state;
    wrap_all("Zm9v  \t\nYmFy\r\n\nYh==\n \n", "Zm9vYmFyYh==");
    wrap_all("Zm9v\nYm", "Zm9vYm");
    memset(wide, 'A', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    memcpy(wrapped, wide, sizeof wide);
    wrapped[76] = wrapped[153] = '\n';
    memmove(wide + 150, wide + 152, sizeof wide - 152);
    wrap_all(wide, wrapped);
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        struct base64_form form = { 0 };

        assert_int_equal(base64_form_take(&form, text(whole[i]), true), strlen(whole[i]));
        assert_true(base64_form_is_whole(&form));
    }
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        struct base64_form form = { 0 };

        assert_int_equal(base64_form_take(&form, text(open[i]), true), strlen(open[i]));
        assert_false(base64_form_is_whole(&form));
    }
}

/* The first that is none of it, or behind the padding; blanks in front of it belong to it. */
static void what_is_no_base64_is_left(void **state)
{
    static const struct {
        const char *text;
        size_t taken;
    } rows[] = { { "The meeting", 3 }, { " Zm9v", 0 }, { "Zm9v-", 4 },  { "Zm9v \t-", 4 },
                 { "Zm9v=", 4 },       { "=Zm9v", 0 }, { "Zm9vY=", 5 }, { "Zg==x", 4 },
                 { "Zg===", 4 },       { "Zg= =", 3 } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct base64_form form = { 0 };

        assert_int_equal(base64_form_take(&form, text(rows[i].text), true), rows[i].taken);
    }
}

/* ---- quoted-printable ---- */

static int digit(char c)
{
    return c >= 'A' ? c - 'A' + 10 : c - '0';
}

/* Strict (RFC 2045, 6.7): what it would not understand fails the test. */
static size_t decode(char *out, const char *in)
{
    size_t size = 0, column = 0;

    for (; *in; in++, column++) {
        assert_true(column <= 76);
        if (in[0] == '=' && in[1] == '\r') {
            in += 2;
            column = (size_t)-1;
        } else if (*in == '=') {
            assert_non_null(strchr("0123456789ABCDEF", in[1]));
            assert_non_null(strchr("0123456789ABCDEF", in[2]));
            out[size++] = (char)(digit(in[1]) << 4 | digit(in[2]));
            in += 2;
            column += 2;
        } else if (*in == '\r') {
            assert_int_equal(in[1], '\n');
            assert_true(!size || !strchr(" \t", in[-1]));
            out[size++] = '\n';
            in++;
            column = (size_t)-1;
        } else
            out[size++] = *in;
    }
    return size;
}

static void is_safe(const char *written)
{
    for (const char *line = written, *end; *line; line = *end ? end + 2 : end) {
        end = strstr(line, "\r\n");
        end = end ? end : line + strlen(line);
        assert_true(line_is_safe((se_bytes){ line, (size_t)(end - line) }));
        assert_false(end - line == 1 && *line == '.');
    }
}

/* Lines of `in`, fed in pieces. */
static void qp_survives(const char *in)
{
    for (size_t piece = 1; piece < 90; piece += 4) {
        AUTO(writer) w = { 0 };
        struct qp_lines q = { .out = &w, .eol = "\r\n" };
        char back[2000];
        size_t size;

        for (const char *line = in, *next; line; line = next) {
            size_t left = strcspn(line, "\n"), at = 0;

            next = line[left] ? line + left + 1 : NULL;
            do {
                size_t n = left - at < piece ? left - at : piece;

                qp_put(&q, (se_bytes){ line + at, n }, !at, at + n == left);
                at += n;
            } while (at < left);
        }
        is_safe(writer_string(&w));
        size = decode(back, writer_string(&w));
        assert_int_equal(size, strlen(in));
        assert_memory_equal(back, in, size);
    }
}

static void quoted_printable_comes_back_as_it_was(void **state)
{
    char line[300];

    (void)state;
    qp_survives("");
    qp_survives("Hello\nFrom me\n \n\t\nend  \n.\n..\n=\n=41\n");
    qp_survives("Gr\xc3\xbc\xc3\x9f"
                "e \nno end");
    qp_survives("\x01\x7f\x80\xff\r\n\r");
    for (size_t n = 60; n < 160; n++) {
        memset(line, 'x', n);
        memcpy(line + n, " From me .", 11);
        qp_survives(line);
        memset(line, ' ', n);
        qp_survives(line);
        memset(line, '\t', n - 1);
        qp_survives(line);
        for (size_t i = 0; i < n; i++)
            line[i] = i % 7 ? 'a' : ' ';
        qp_survives(line);
    }
}

static void encoded(const char *in, const char *expected)
{
    AUTO(writer) w = { 0 };
    struct qp_lines q = { .out = &w, .eol = "\r\n" };

    for (const char *line = in, *next; line; line = next) {
        size_t size = strcspn(line, "\n");

        next = line[size] ? line + size + 1 : NULL;
        qp_put_encoded(&q, (se_bytes){ line, size }, true, true);
    }
    qp_end_encoded(&q);
    assert_string_equal(writer_string(&w), expected);
}

static void sloppy_quoted_printable_is_put_right(void **state)
{
    (void)state;
    encoded("gr=c3=bc=C3=9Fe", "gr=C3=BC=C3=9Fe");
    encoded("soft =\nbreak", "soft =\r\nbreak");
    encoded("added later   \nnext", "added later\r\nnext");
    encoded("=zz =4", "=3Dzz =3D4");
    encoded("From me", "=46rom me");
    encoded("end=20", "end=20");
    encoded("soft end=", "soft end=");
    encoded("soft end =", "soft end =");
    encoded("soft\n=\n=", "soft\r\n=");
    encoded("=", "=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_of_pieces_is_base64_of_the_whole),
        cmocka_unit_test(base64_is_read_however_it_is_cut_and_wrapped),
        cmocka_unit_test(letters_end_before_what_is_none),
        cmocka_unit_test(base64_is_wrapped_and_no_more),
        cmocka_unit_test(what_is_no_base64_is_left),
        cmocka_unit_test(quoted_printable_comes_back_as_it_was),
        cmocka_unit_test(sloppy_quoted_printable_is_put_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
