/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/buf.h"
#include "tests/unit/unit.h"

static void a_new_buffer_is_zeroed_and_terminated(void **state)
{
    AUTO(se_buf) buf = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, buf_new(&buf, 5, &err), &err);
    assert_int_equal(buf.size, 5);
    assert_memory_equal(buf.data, "\0\0\0\0\0", 6);
}

static void an_empty_buffer_is_still_a_string(void **state)
{
    AUTO(se_buf) buf = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, buf_copy(&buf, (se_bytes){ NULL, 0 }, &err), &err);
    assert_int_equal(buf.size, 0);
    assert_string_equal((char *)buf.data, "");
}

static void too_large_a_buffer_is_refused_and_left_empty(void **state)
{
    se_buf buf = { (unsigned char *)"garbage", 7 };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_MEMORY, buf_new(&buf, SIZE_MAX, &err), &err);
    assert_null(buf.data);
    assert_int_equal(buf.size, 0);
    assert_string_equal(err.text, "out of memory");
}

static void a_copy_is_separate(void **state)
{
    AUTO(se_buf) buf = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    char text[] = "a\0b";

    (void)state;
    assert_status(SE_OK, buf_copy(&buf, (se_bytes){ text, 3 }, &err), &err);
    text[0] = 'x';
    assert_int_equal(buf.size, 3);
    assert_memory_equal(buf.data, "a\0b", 4);
}

static void bytes_are_borrowed(void **state)
{
    se_buf buf = { (unsigned char *)"abc", 3 };

    (void)state;
    assert_ptr_equal(buf_bytes(&buf).data, buf.data);
    assert_int_equal(buf_bytes(&buf).size, 3);
    assert_int_equal(text_bytes("four").size, 4);
    assert_int_equal(text_bytes("").size, 0);
}

static void moving_leaves_nothing_behind(void **state)
{
    AUTO(se_buf) from = SE_BUF_INIT;
    AUTO(se_buf) to = SE_BUF_INIT;
    unsigned char *data;

    (void)state;
    assert_int_equal(buf_copy(&from, text_bytes("secret"), NULL), SE_OK);
    data = from.data;
    to = buf_move(&from);
    assert_ptr_equal(to.data, data);
    assert_int_equal(to.size, 6);
    assert_null(from.data);
    assert_int_equal(from.size, 0);
}

static void freeing_accepts_empty_and_leaves_empty(void **state)
{
    se_buf buf = SE_BUF_INIT;

    (void)state;
    se_buf_free(NULL);
    se_buf_free(&buf);
    assert_int_equal(buf_copy(&buf, text_bytes("secret"), NULL), SE_OK);
    se_buf_free(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.size, 0);
    se_buf_free(&buf);
}

static void a_writer_grows_and_stays_a_string(void **state)
{
    AUTO(writer) w = { 0 };
    char expected[3001] = "";

    (void)state;
    assert_string_equal(writer_string(&w), "");
    for (int i = 0; i < 1000; i++) {
        writer_text(&w, "abc");
        memcpy(expected + 3 * i, "abc", 4);
        assert_string_equal(writer_string(&w), expected);
    }
    assert_int_equal(w.buf.size, 3000);
    assert_false(w.failed);
}

static void room_is_filled_as_far_as_it_is_said(void **state)
{
    AUTO(writer) w = { 0 };
    unsigned char *room;

    (void)state;
    assert_null(writer_room(&w, 0));
    writer_text(&w, "abc");
    for (int i = 0; i < 100; i++) {
        assert_non_null(room = writer_room(&w, 100));
        memset(room, 'x', 100);
        writer_filled(&w, 3);
        assert_int_equal(strlen(writer_string(&w)), 3 + 3 * (size_t)(i + 1));
    }
    assert_int_equal(w.buf.size, 303);
    assert_null(writer_room(&w, SIZE_MAX - 3));
    assert_true(w.failed);
    assert_null(writer_room(&w, 1));
}

static void expected_room_is_an_empty_string(void **state)
{
    AUTO(writer) w = { 0 };

    (void)state;
    writer_expect(&w, 5000);
    assert_string_equal(writer_string(&w), "");
    writer_text(&w, "abc");
    w.buf.size = 0;
    writer_text(&w, "x");
    assert_string_equal(writer_string(&w), "x");
}

/* what is written lands on every offset of the room, its last byte too */
static void a_writer_formats_into_any_room(void **state)
{
    (void)state;
    for (int i = 0; i < 140; i++) {
        AUTO(writer) w = { 0 };
        char expected[200];

        writer_format(&w, "%*d", i, 7);
        writer_format(&w, "[%s]", "two");
        (void)snprintf(expected, sizeof expected, "%*d[two]", i, 7);
        assert_string_equal(writer_string(&w), expected);
        assert_int_equal(w.buf.size, strlen(expected));
    }
}

static void a_writer_formats_nothing_into_nothing(void **state)
{
    AUTO(writer) w = { 0 };

    (void)state;
    writer_format(&w, "%s%s", "", "");
    assert_false(w.failed);
    assert_string_equal(writer_string(&w), "");
}

static void a_writer_that_failed_stays_failed(void **state)
{
    se_buf buf = { (unsigned char *)"garbage", 7 };
    se_error err = SE_ERROR_INIT;
    struct writer w = { 0 };

    (void)state;
    writer_text(&w, "secret");
    writer_put(&w, "x", SIZE_MAX - 3);
    assert_true(w.failed);
    writer_text(&w, "more");
    writer_format(&w, "%d", 1);
    assert_string_equal(writer_string(&w), "secret");
    assert_status(SE_ERR_MEMORY, writer_finish(&buf, &w, &err), &err);
    assert_null(buf.data);
    assert_int_equal(buf.size, 0);
    assert_null(w.buf.data);
    assert_false(w.failed);
}

static void finishing_hands_the_bytes_over(void **state)
{
    AUTO(se_buf) buf = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    struct writer w = { 0 };

    (void)state;
    writer_put(&w, "a\0b", 3);
    writer_put(&w, NULL, 0);
    assert_status(SE_OK, writer_finish(&buf, &w, &err), &err);
    assert_int_equal(buf.size, 3);
    assert_memory_equal(buf.data, "a\0b", 4);
    assert_null(w.buf.data);
    assert_int_equal(w.room, 0);
}

static void finishing_nothing_is_an_empty_string(void **state)
{
    AUTO(se_buf) buf = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    struct writer w = { 0 };

    (void)state;
    assert_status(SE_OK, writer_finish(&buf, &w, &err), &err);
    assert_int_equal(buf.size, 0);
    assert_string_equal((char *)buf.data, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_buffer_is_zeroed_and_terminated),
        cmocka_unit_test(an_empty_buffer_is_still_a_string),
        cmocka_unit_test(too_large_a_buffer_is_refused_and_left_empty),
        cmocka_unit_test(a_copy_is_separate),
        cmocka_unit_test(bytes_are_borrowed),
        cmocka_unit_test(moving_leaves_nothing_behind),
        cmocka_unit_test(freeing_accepts_empty_and_leaves_empty),
        cmocka_unit_test(a_writer_grows_and_stays_a_string),
        cmocka_unit_test(room_is_filled_as_far_as_it_is_said),
        cmocka_unit_test(expected_room_is_an_empty_string),
        cmocka_unit_test(a_writer_formats_into_any_room),
        cmocka_unit_test(a_writer_formats_nothing_into_nothing),
        cmocka_unit_test(a_writer_that_failed_stays_failed),
        cmocka_unit_test(finishing_hands_the_bytes_over),
        cmocka_unit_test(finishing_nothing_is_an_empty_string),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
