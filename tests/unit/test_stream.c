/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/stream.h"
#include "tests/unit/unit.h"

static ptrdiff_t reads_with_error(void *arg, void *data, size_t size)
{
    (void)data;
    (void)size;
    errno = *(int *)arg;
    return -1;
}

static ptrdiff_t reads_too_much(void *arg, void *data, size_t size)
{
    (void)arg;
    (void)data;
    return (ptrdiff_t)size + 1;
}

static int writes_with_error(void *arg, const void *data, size_t size)
{
    (void)data;
    (void)size;
    errno = *(int *)arg;
    return -1;
}

static se_status append(void *arg, se_bytes piece, se_error *err)
{
    (void)err;
    writer_put(arg, piece.data, piece.size);
    return SE_OK;
}

static se_status refuse(void *arg, se_bytes piece, se_error *err)
{
    (void)piece;
    ++*(int *)arg;
    return error_set(err, SE_ERR_REJECTED, "not these bytes");
}

/* Stops when so many bytes are done; remembers what it was told last. */
struct watcher {
    uint64_t limit, done, total;
};

static bool watch(void *arg, uint64_t done, uint64_t total)
{
    struct watcher *w = arg;

    w->done = done;
    w->total = total;
    return done < w->limit;
}

static void reading_hands_out_pieces_and_then_nothing(void **state)
{
    se_bytes bytes = text_bytes("abcde");
    se_source source = source_memory(&bytes);
    struct stream stream = { .source = &source };
    se_error err = SE_ERROR_INIT;
    char piece[3];
    size_t got;

    (void)state;
    assert_int_equal(source.total, 5);
    assert_status(SE_OK, stream_read(&got, &stream, piece, sizeof piece, &err), &err);
    assert_int_equal(got, 3);
    assert_memory_equal(piece, "abc", 3);
    assert_status(SE_OK, stream_read(&got, &stream, piece, sizeof piece, &err), &err);
    assert_int_equal(got, 2);
    assert_memory_equal(piece, "de", 2);
    assert_status(SE_OK, stream_read(&got, &stream, piece, sizeof piece, &err), &err);
    assert_int_equal(got, 0);
    assert_int_equal(stream.done, 5);
}

static void a_failing_source_is_told_with_its_reason(void **state)
{
    int reason = EISDIR;
    se_source source = { reads_with_error, &reason, 0 };
    struct stream stream = { .source = &source };
    se_error err = SE_ERROR_INIT;
    char piece[3];
    size_t got = 7;

    (void)state;
    assert_status(SE_ERR_IO, stream_read(&got, &stream, piece, sizeof piece, &err), &err);
    assert_int_equal(got, 0);
    assert_non_null(strstr(err.text, strerror(EISDIR)));
}

static void a_source_that_lies_is_not_believed(void **state)
{
    se_source source = { reads_too_much, NULL, 0 };
    struct stream stream = { .source = &source };
    se_error err = SE_ERROR_INIT;
    char piece[3];
    size_t got = 7;

    (void)state;
    assert_status(SE_ERR_IO, stream_read(&got, &stream, piece, sizeof piece, &err), &err);
    assert_int_equal(got, 0);
    assert_int_equal(stream.done, 0);
}

static void draining_takes_everything(void **state)
{
    AUTO(se_buf) in = SE_BUF_INIT;
    AUTO(writer) out = { 0 };
    struct watcher watcher = { .limit = UINT64_MAX };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, buf_new(&in, 2 * STREAM_PIECE + 1, &err), &err);
    memset(in.data, 'x', in.size);
    in.data[in.size - 1] = 'y';
    se_bytes bytes = buf_bytes(&in);
    se_source source = source_memory(&bytes);
    struct stream stream = { &source, watch, &watcher, 0 };
    assert_status(SE_OK, stream_drain(&stream, append, &out, &err), &err);
    assert_int_equal(out.buf.size, in.size);
    assert_memory_equal(out.buf.data, in.data, in.size);
    assert_int_equal(watcher.done, in.size);
    assert_int_equal(watcher.total, in.size);
}

static void draining_stops_when_nobody_takes(void **state)
{
    se_bytes bytes = text_bytes("abc");
    se_source source = source_memory(&bytes);
    struct stream stream = { .source = &source };
    se_error err = SE_ERROR_INIT;
    int calls = 0;

    (void)state;
    assert_status(SE_ERR_REJECTED, stream_drain(&stream, refuse, &calls, &err), &err);
    assert_int_equal(calls, 1);
}

static void progress_can_cancel(void **state)
{
    se_bytes bytes = text_bytes("abcdef");
    se_source source = source_memory(&bytes);
    struct watcher watcher = { .limit = 4 };
    struct stream stream = { &source, watch, &watcher, 0 };
    se_error err = SE_ERROR_INIT;
    char piece[2];
    size_t got;

    (void)state;
    assert_status(SE_OK, stream_read(&got, &stream, piece, sizeof piece, &err), &err);
    assert_status(SE_ERR_CANCELLED, stream_read(&got, &stream, piece, sizeof piece, &err), &err);
    assert_int_equal(watcher.done, 4);
}

static void sinks_collect_in_memory(void **state)
{
    AUTO(writer) w = { 0 };
    se_sink sink = sink_writer(&w);
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, sink_write(&sink, text_bytes("one "), &err), &err);
    assert_status(SE_OK, sink_write(&sink, text_bytes(""), &err), &err);
    assert_status(SE_OK, sink_write(&sink, text_bytes("two"), &err), &err);
    assert_string_equal(writer_string(&w), "one two");
    assert_status(SE_ERR_IO, sink_write(&sink, (se_bytes){ "", SIZE_MAX - 3 }, &err), &err);
    assert_non_null(strstr(err.text, strerror(ENOMEM)));
}

static void a_failing_sink_is_told_with_its_reason(void **state)
{
    int reason = EPIPE;
    se_sink sink = { writes_with_error, &reason };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, sink_write(&sink, text_bytes(""), &err), &err);
    assert_status(SE_ERR_IO, sink_write(&sink, text_bytes("x"), &err), &err);
    assert_non_null(strstr(err.text, strerror(EPIPE)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_hands_out_pieces_and_then_nothing),
        cmocka_unit_test(a_failing_source_is_told_with_its_reason),
        cmocka_unit_test(a_source_that_lies_is_not_believed),
        cmocka_unit_test(draining_takes_everything),
        cmocka_unit_test(draining_stops_when_nobody_takes),
        cmocka_unit_test(progress_can_cancel),
        cmocka_unit_test(sinks_collect_in_memory),
        cmocka_unit_test(a_failing_sink_is_told_with_its_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
