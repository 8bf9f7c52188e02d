/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies in memory and in the spool, what a sealed file gives away, and lines of both. */
#include "daemon/line_source.h"
#include "tests/unit/folder.h"

static struct spool make_spool(void)
{
    return (struct spool){ .folder = ".",
                           .memory_each = 100000,
                           .memory_all = 250000,
                           .memory_begin = 1000,
                           .disk_each = 1000000,
                           .disk_all = 1500000 };
}

static unsigned char byte_at(uint64_t at)
{
    return (unsigned char)(at * 7 + at / 251 + at / 65536);
}

static bool put_bytes(struct body *b, size_t count)
{
    unsigned char piece[13000];

    for (size_t left = count, size; left; left -= size) {
        size = left < sizeof piece ? left : sizeof piece;
        for (size_t i = 0; i < size; i++)
            piece[i] = byte_at(b->size + i);
        if (!body_put(b, (se_bytes){ piece, size }))
            return false;
    }
    return true;
}

static void assert_bytes(const struct body *b, uint64_t from, size_t step)
{
    AUTO(body_reader) reader = { .body = b, .at = from };
    unsigned char piece[70000];
    uint64_t at = from;
    ptrdiff_t n;

    while ((n = body_read(&reader, piece, step)) > 0)
        for (ptrdiff_t i = 0; i < n; i++, at++)
            if (piece[i] != byte_at(at))
                fail_msg("another byte at %ju", (uintmax_t)at);
    assert_int_equal(n, 0);
    assert_int_equal(at, b->size);
}

static const enum body_kind kinds[] = { BODY_WHOLE, BODY_SEALED, BODY_FILE };

static void what_comes_in_is_read(void **state)
{
    static const size_t sizes[] = { 0, 1, 1000, 1001, 65535, 65536, 65537, 99999, 200000 };
    struct spool spool = make_spool();

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            AUTO(body) b = { .spool = &spool, .kind = kinds[k] };
            const bool whole = kinds[k] == BODY_WHOLE;

            if (!body_expect(&b, i % 2 ? sizes[i] : 0) || !put_bytes(&b, sizes[i]))
                fail_msg("%s", b.failure.error.text);
            assert_int_equal(body_is_in_memory(&b), whole || sizes[i] <= 1000);
            assert_bytes(&b, 0, 70000);
            assert_bytes(&b, sizes[i] / 2, 777);
            assert_int_equal(whole || sizes[i] <= 1000 ? spool.memory : spool.disk, sizes[i]);
        }
    assert_int_equal(spool.memory + spool.disk, 0);
    assert_int_equal(names_here(true), 0);
}

static void sizes_have_limits(void **state)
{
    struct spool spool = make_spool();
    AUTO(body) one = { .spool = &spool, .kind = BODY_SEALED, .most = spool.disk_each };
    AUTO(body) other = one;
    AUTO(body) first = { .spool = &spool };
    AUTO(body) second = { .spool = &spool };

    (void)state;
    assert_false(body_expect(&one, 1000001));
    assert_int_equal(one.failure.kind, FAILURE_TOO_LARGE);
    body_free(&one);
    one = other;
    assert_true(put_bytes(&one, 1000000));
    assert_false(put_bytes(&one, 1));
    assert_int_equal(one.failure.kind, FAILURE_TOO_LARGE);
    assert_true(body_expect(&other, 500000));
    assert_int_equal(spool.disk, 1500000);
    assert_true(put_bytes(&other, 500000));
    assert_int_equal(spool.disk, 1500000);
    assert_false(put_bytes(&other, 1));
    assert_int_equal(other.failure.kind, FAILURE_NO_SPACE);
    assert_true(put_bytes(&first, 200000));
    assert_false(put_bytes(&second, 50001));
    assert_int_equal(second.failure.kind, FAILURE_BUSY);
}

/* Where there is no memory left, the spool takes what it can. */
static void memory_of_all_is_full(void **state)
{
    struct spool spool = make_spool();
    AUTO(body) all = { .spool = &spool };
    AUTO(body) one = { .spool = &spool, .kind = BODY_SEALED };

    (void)state;
    assert_true(put_bytes(&all, 250000));
    assert_true(put_bytes(&one, 10));
    assert_false(body_is_in_memory(&one));
    assert_bytes(&one, 0, 3);
}

static size_t count_text(int fd, const char *text)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;
    size_t count = 0;
    const unsigned char *at;

    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(file_read_open(&bytes, fd, "spool", 1 << 20, NULL), SE_OK);
    assert_true(bytes.size > 0);
    for (at = bytes.data;
         (at = memmem(at, (size_t)(bytes.data + bytes.size - at), text, strlen(text))); at++)
        count++;
    return count;
}

static void the_disk_tells_nothing_and_can_change_nothing(void **state)
{
    struct spool spool = make_spool();
    AUTO(body) sealed = { .spool = &spool, .kind = BODY_SEALED };
    AUTO(body) plain = { .spool = &spool, .kind = BODY_FILE };
    AUTO(body_reader) reader = { .body = &sealed, .at = 70000 };
    char piece[100];

    (void)state;
    for (unsigned i = 0; i < 20000; i++)
        assert_true(body_put(&sealed, text_bytes("plaintext")) &&
                    body_put(&plain, text_bytes("plaintext")));
    assert_int_equal(count_text(plain.plain, "plaintext"), 20000);
    assert_int_equal(count_text(sealed.sealed.fd, "plaintext"), 0);
    assert_int_equal(body_read(&reader, piece, sizeof piece), sizeof piece);
    body_reader_end(&reader);
    reader.at = 70000;
    assert_int_equal(pwrite(sealed.sealed.fd, "x", 1, 66000), 1);
    assert_int_equal(body_read(&reader, piece, sizeof piece), -1);
    reader.at = 0;
    assert_int_equal(body_read(&reader, piece, sizeof piece), sizeof piece);
    assert_int_equal(ftruncate(sealed.sealed.fd, 100000), 0);
    reader.at = 140000;
    assert_int_equal(body_read(&reader, piece, sizeof piece), sizeof piece); /* not there yet */
    reader.at = 100000;
    assert_int_equal(body_read(&reader, piece, sizeof piece), -1);
}

static void files_have_a_path(void **state)
{
    static const size_t sizes[] = { 0, 500, 50000 };
    char path[BODY_PATH];
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct spool spool = make_spool();
        AUTO(body) b = { .spool = &spool, .kind = BODY_FILE };
        AUTO(body) copy = { .spool = &spool };
        AUTO(se_buf) bytes = SE_BUF_INIT;
        AUTO(output) to = OUTPUT_INIT;

        assert_true(put_bytes(&b, sizes[i]));
        assert_status(SE_OK, body_path(path, &b, &err), &err);
        assert_status(SE_OK, file_read(&bytes, path, 1 << 20, &err), &err);
        assert_int_equal(bytes.size, sizes[i]);
        assert_true(body_begin_file(&copy, sizes[i]));
        assert_status(SE_OK, body_path(path, &copy, &err), &err);
        assert_status(SE_OK, output_open(&to, path, 0644, &err), &err);
        assert_status(SE_OK, output_write(&to, buf_bytes(&bytes), &err), &err);
        assert_status(SE_OK, output_commit(&to, &err), &err);
        assert_true(body_end_file(&copy));
        assert_int_equal(copy.size, sizes[i]);
        assert_bytes(&copy, 0, 1000);
    }
    assert_int_equal(names_here(true), 0);
}

/* ---- lines ---- */

static void put_text(struct body *b, char c, size_t count, const char *end)
{
    AUTO(writer) w = { 0 };

    for (size_t i = 0; i < count; i++)
        writer_put(&w, &c, 1);
    writer_text(&w, end);
    assert_true(body_put(b, buf_bytes(&w.buf)));
}

static void assert_lines(const struct body *b, const char *expected)
{
    AUTO(line_source) source = { .ended = false };
    AUTO(writer) seen = { 0 };
    struct body_line line;

    assert_int_equal(line_source_open(&source, b, NULL), SE_OK);
    while (!line_source_is_done(&source)) {
        assert_int_equal(line_source_fill(&source, NULL), SE_OK);
        while (line_source_take(&line, &source))
            writer_format(&seen, line.too_long ? "long," : "%zu,", line.text.size);
    }
    assert_string_equal(writer_string(&seen), expected);
}

static void lines_are_taken_one_by_one(void **state)
{
    static const struct {
        size_t size;
        const char *end, *expected; /* of a line between two short ones */
    } cases[] = {
        { 0, "\n", "2,1," },
        { 0, "\r\n", "2,1," },
        { 7, "\r\n", "2,7,1," },
        { LINE_MOST, "\n", "2,1048576,1," },
        { LINE_MOST, "\r\n", "2,1048576,1," },
        { LINE_MOST + 1, "\n", "2,long,1," },
        { LINE_MOST + 2, "\n", "2,long,1," },
        { 3 * LINE_MOST, "\n\n", "2,long,1," },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(body) b = { NULL };

        put_text(&b, 'a', 2, "\n");
        put_text(&b, 'b', cases[i].size, cases[i].end);
        put_text(&b, 'c', 1, "");
        assert_lines(&b, cases[i].expected);
    }
}

/* Without an end, it ends with the body. */
static void the_last_line_needs_no_end(void **state)
{
    static const size_t sizes[] = { 0, 1, LINE_MOST, LINE_MOST + 1, LINE_MOST + 2, LINE_MOST + 3 };
    static const char *const expected[] = { "", "1,", "1048576,", "long,", "long,", "long," };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        AUTO(body) b = { NULL };

        put_text(&b, 'a', sizes[i], "");
        assert_lines(&b, expected[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_comes_in_is_read),
        IN_FOLDER(sizes_have_limits),
        IN_FOLDER(memory_of_all_is_full),
        IN_FOLDER(the_disk_tells_nothing_and_can_change_nothing),
        IN_FOLDER(files_have_a_path),
        cmocka_unit_test(lines_are_taken_one_by_one),
        cmocka_unit_test(the_last_line_needs_no_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
