/* SPDX-License-Identifier: Apache-2.0 */
/* What no relay changes, a line at a time or many. */
#include <stdlib.h>

#include "mail/mime_canon.h"
#include "mail/mime_writer.h"
#include "tests/unit/unit.h"

/* ---- lines ---- */

static void lines_that_relays_change_are_not_safe(void **state)
{
    char line[1001];

    (void)state;
    assert_true(line_is_safe(text_bytes("")));
    assert_true(line_is_safe(text_bytes("Fromage and a little more")));
    assert_true(line_is_safe(text_bytes(" From here")));
    assert_true(line_is_safe(text_bytes("From")));
    assert_true(line_is_safe(text_bytes("a\tb\x7f\x1b c")));
    assert_false(line_is_safe(text_bytes("From me")));
    assert_false(line_is_safe(text_bytes("From ")));
    assert_false(line_is_safe(text_bytes("blank ")));
    assert_false(line_is_safe(text_bytes("tab\t")));
    for (size_t size = 1; size <= 998; size += 9) {
        static const char bad[] = { '\0', '\r', (char)0x80, (char)0xc3, (char)0xff };

        memset(line, 'x', size);
        assert_true(line_is_safe((se_bytes){ line, size }));
        line[size * 5 / 7] = bad[size % sizeof bad];
        assert_false(line_is_safe((se_bytes){ line, size }));
    }
    memset(line, 'x', sizeof line);
    assert_true(line_is_safe((se_bytes){ line, 998 }));
    assert_false(line_is_safe((se_bytes){ line, 999 }));
}

/* ---- stretches ---- */

static void stretches_end_before_what_has_to_be_looked_at(void **state)
{
    static const struct {
        const char *text;
        size_t size;
        const char *written;
    } cases[] = {
        { "", 0, "" },
        { "no end", 0, "" },
        { "\n", 1, "" },
        { "\r\n\r\n", 4, "\r\n" },
        { "one\ntwo\n\nthree", 9, "one\r\ntwo\r\n" },
        { "one\r\ntwo\r\nthree\r", 10, "one\r\ntwo" },
        { "one\r\ntwo\n", 5, "one" },
        { "one\ntwo\r\n", 4, "one" },
        { "a\tb\x01\n\x7f\n", 7, "a\tb\x01\r\n\x7f" },
        { "one\nblank \n", 4, "one" },
        { "one\ntab\t\r\n", 4, "one" },
        { "one\r\n \r\n", 5, "one" },
        { "one\nFrom \n", 4, "one" },
        { "one\nFrom\nFROM me\n-\n", 19, "one\r\nFrom\r\nFROM me\r\n-" },
        { "one\n--\n", 4, "one" },
        { "one\n--b\n", 4, "one" },
        { "--b\none\n", 0, "" },
        { "one\na\rb\n", 4, "one" },
        { "one\nlonger than eight \x80\n", 4, "one" },
        { "one\n\xc3\xa4\n", 4, "one" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stretch found = stretch_find(text_bytes(cases[i].text));
        AUTO(writer) out = { 0 };

        assert_ptr_equal(found.lines.data, cases[i].text);
        assert_int_equal(found.lines.size, cases[i].size);
        if (found.lines.size)
            stretch_put(&out, &found);
        assert_string_equal(writer_string(&out), cases[i].written);
    }
}

static void no_stretch_goes_over_a_line_that_is_not_safe(void **state)
{
    (void)state;
    for (size_t size = 990; size < 1005; size++)
        for (size_t bad = 0; bad < 256; bad++) {
            char text[1100];
            struct stretch found;

            memset(text, 'x', sizeof text);
            memcpy(text, "one\n", 4);
            text[4 + (size + bad) % (size - 1)] = (char)bad;
            text[4 + size] = '\n';
            found = stretch_find((se_bytes){ text, 4 + size + 1 });
            if (bad != '\n')
                assert_int_equal(found.lines.size,
                                 line_is_safe((se_bytes){ text + 4, size }) ? 4 + size + 1 : 4);
        }
}

/* ---- entities, in crumbs and in one piece ---- */

struct crumbs {
    se_bytes left;
    size_t most;
};

static ptrdiff_t read_crumb(void *arg, void *data, size_t size)
{
    struct crumbs *c = arg;
    se_bytes crumb = { c->left.data, c->left.size < c->most ? c->left.size : c->most };
    const se_source source = source_memory(&crumb);
    ptrdiff_t n = source.read(&crumb, data, size);

    c->left = (se_bytes){ (const char *)c->left.data + n, c->left.size - (size_t)n };
    return n;
}

static void rewrite(struct writer *out, se_bytes in, size_t most)
{
    struct crumbs crumbs = { in, most };
    const se_source source = { read_crumb, &crumbs, 0 };
    struct stream stream = { .source = &source };
    AUTO(line_reader) lines = { .room = NULL };
    AUTO(mime_canon) e = { .parameter = "" };
    se_error err = SE_ERROR_INIT;
    char room[3000];
    size_t got = 0;

    assert_status(SE_OK, line_reader_open(&lines, &stream, &err), &err);
    assert_status(SE_OK, header_read(&e.header, &lines, &err), &err);
    assert_status(SE_OK, mime_canon_begin(&e, &lines, &err), &err);
    do {
        assert_status(SE_OK, mime_canon_read(&got, &e, room, sizeof room, &err), &err);
        writer_put(out, room, got);
    } while (got);
}

static const char *const heads[] = {
    "\n",
    "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n",
    "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n",
    "Content-Type: multipart/signed; boundary=b\n\n--b\n\n",
    "Content-Type: application/octet-stream\nContent-Transfer-Encoding: x-unknown\n\n",
};

static const char *const ends[] = { "\n", "\r\n" };

/* Mostly lines that stay, and seldom one that does not. */
static void write_text(struct writer *w, unsigned seed, size_t size)
{
    static const char *const good[] = {
        "",     "a", "one\ttwo", "Line that somebody has written, and not a short one",
        "From", "-", " indented"
    };
    static const char *const bad[] = { "blank ", "\t",   "From me",
                                       "--",     "--b",  "--b--",
                                       "--x",    "a\rb", "gr\xc3\xbc\xc3\x9f",
                                       "\xff",   "\r" };
    unsigned often = 2 + seed % 60, mixed = seed % 7;

    srand(seed);
    writer_text(w, heads[seed % 5]);
    while (w->buf.size < size) {
        writer_text(w, rand() % often ? good[rand() % 7] : bad[rand() % 11]);
        writer_text(w, ends[(mixed ? mixed : (unsigned)rand()) % 2]);
    }
    if (seed % 3 == 0)
        writer_text(w, "the end");
}

static void same_in_crumbs(unsigned seed, size_t size)
{
    AUTO(writer) in = { 0 };
    AUTO(writer) whole = { 0 };
    static const size_t sizes[] = { 1, 70, 5000 };

    write_text(&in, seed, size);
    rewrite(&whole, buf_bytes(&in.buf), SIZE_MAX);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        AUTO(writer) out = { 0 };

        rewrite(&out, buf_bytes(&in.buf), sizes[i]);
        assert_int_equal(out.buf.size, whole.buf.size);
        assert_memory_equal(out.buf.data, whole.buf.data, out.buf.size);
    }
}

static void an_entity_is_the_same_however_it_is_read(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 1000; seed++)
        same_in_crumbs(seed, 40 + seed % 1500);
    for (unsigned seed = 0; seed < 10; seed++) {
        same_in_crumbs(59 + seed * 60, 100000);
        same_in_crumbs(seed * 17, DETECT_LIMIT + 2 * LINE_READER_ROOM);
    }
}

/* Only at its end would it be known that it can stay as it is. */
static void text_beyond_the_limit_is_encoded(void **state)
{
    AUTO(writer) in = { 0 };
    AUTO(writer) out = { 0 };

    (void)state;
    writer_text(&in, "Content-Type: text/plain\n\n");
    while (in.buf.size < DETECT_LIMIT - 1000)
        writer_text(&in, "a line\r\n");
    rewrite(&out, buf_bytes(&in.buf), SIZE_MAX);
    assert_null(strstr(writer_string(&out), "Content-Transfer-Encoding"));
    while (in.buf.size < DETECT_LIMIT + 1000)
        writer_text(&in, "a line\r\n");
    out.buf.size = 0;
    rewrite(&out, buf_bytes(&in.buf), SIZE_MAX);
    assert_non_null(strstr(writer_string(&out), "Content-Transfer-Encoding: quoted-printable"));
}

/* A line that is longer than the intake's room, up to its last byte, comes in pieces. */
static void long_lines_stay_whole(void **state)
{
    (void)state;
    for (size_t size = 2 * LINE_READER_ROOM - 4; size < 2 * LINE_READER_ROOM + 4; size++) {
        AUTO(writer) in = { 0 };
        AUTO(writer) out = { 0 };

        writer_text(&in, "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n");
        memset(writer_room(&in, size), 'x', size);
        writer_filled(&in, size);
        writer_text(&in, "\r\nnext\r\n--b--\r\n");
        rewrite(&out, buf_bytes(&in.buf), SIZE_MAX);
        assert_int_equal(out.buf.size, in.buf.size);
        assert_memory_equal(out.buf.data, in.buf.data, in.buf.size);
    }
}

/* ---- the writer ---- */

static void puts_as_lf(const char *text, const char *expected)
{
    for (size_t most = 1; most < 9; most++) {
        AUTO(writer) out = { 0 };
        AUTO(mime_writer) o = { .to = NULL };
        const se_sink sink = sink_writer(&out);
        se_error err = SE_ERROR_INIT;

        mime_writer_open(&o, &sink, false);
        for (se_bytes left = text_bytes(text); left.size;) {
            size_t n = left.size < most ? left.size : most;

            mime_writer_put(&o, (se_bytes){ left.data, n });
            mime_writer_put(&o, (se_bytes){ left.data, 0 });
            left = (se_bytes){ (const char *)left.data + n, left.size - n };
        }
        assert_status(SE_OK, mime_writer_flush(&o, &err), &err);
        assert_string_equal(writer_string(&out), expected);
    }
}

static void the_writer_takes_crs_of_line_ends_only(void **state)
{
    (void)state;
    puts_as_lf("one\r\ntwo\r\n\r\nthree", "one\ntwo\n\nthree");
    puts_as_lf("\r\n", "\n");
    puts_as_lf("a\rb\r\r\nc\n\rd\r", "a\rb\r\nc\n\rd\r");
    puts_as_lf("\r\r", "\r\r");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_relays_change_are_not_safe),
        cmocka_unit_test(stretches_end_before_what_has_to_be_looked_at),
        cmocka_unit_test(no_stretch_goes_over_a_line_that_is_not_safe),
        cmocka_unit_test(an_entity_is_the_same_however_it_is_read),
        cmocka_unit_test(text_beyond_the_limit_is_encoded),
        cmocka_unit_test(long_lines_stay_whole),
        cmocka_unit_test(the_writer_takes_crs_of_line_ends_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
