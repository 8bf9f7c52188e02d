/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pem.h"

#include <stdio.h>

#include "tests/unit/unit.h"

/* A source that gives its bytes one to three at a time: nothing may depend on how they are cut. */
struct drip {
    se_bytes left;
    unsigned turn;
};

static ptrdiff_t drip_read(void *arg, void *data, size_t size)
{
    struct drip *drip = arg;
    size_t n = 1 + drip->turn++ % 3;

    n = n < size ? n : size;
    n = n < drip->left.size ? n : drip->left.size;
    memcpy(data, drip->left.data, n);
    drip->left.data = (const char *)drip->left.data + n;
    drip->left.size -= n;
    return (ptrdiff_t)n;
}

static se_status pem_decoder_open(se_buf *out, se_bytes in, bool slowly, se_error *err)
{
    struct drip drip = { in, 0 };
    se_source source = slowly ? (se_source){ drip_read, &drip, 0 } : source_memory(&in);
    struct stream stream = { .source = &source };
    AUTO(pem_decoder) decoder = { .in = NULL };
    AUTO(writer) w = { 0 };
    unsigned char piece[100];
    size_t got = 1;
    se_status st = pem_decoder_begin(&decoder, &stream, err);

    *out = (se_buf)SE_BUF_INIT;
    while (!st && got && !(st = pem_decoder_read(&got, &decoder, piece, sizeof piece, err)))
        writer_put(&w, piece, got);
    return st ? st : writer_finish(out, &w, err);
}

static se_buf in_pem(se_bytes in, size_t step)
{
    AUTO(writer) w = { 0 };
    AUTO(pem_encoder) armor = { .out = NULL };
    const se_sink out = sink_writer(&w);
    se_error err = SE_ERROR_INIT;
    se_buf text;
    se_sink sink;

    assert_status(SE_OK, pem_encoder_begin(&armor, &out, "CMS", &err), &err);
    sink = pem_encoder_sink(&armor);
    for (size_t at = 0; at < in.size; at += step)
        assert_int_equal(sink.write(sink.arg, (const char *)in.data + at,
                                    at + step < in.size ? step : in.size - at),
                         0);
    assert_status(SE_OK, pem_encoder_end(&armor, &err), &err);
    assert_status(SE_OK, writer_finish(&text, &w, &err), &err);
    return text;
}

static void every_length_comes_back(void **state)
{
    static unsigned char data[100000];
    static const size_t sizes[] = { 1,  2,     3,     47,    48,    49,    63,    64,
                                    65, 24575, 24576, 24577, 65535, 65536, 100000 };

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 7 + i / 251);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t step = 1; step <= sizes[i]; step = step * 97 + 1) {
            AUTO(se_buf) text = in_pem((se_bytes){ data, sizes[i] }, step);
            se_error err = SE_ERROR_INIT;
            se_buf back;

            assert_status(SE_OK, pem_decoder_open(&back, buf_bytes(&text), step == 1, &err), &err);
            assert_int_equal(back.size, sizes[i]);
            assert_memory_equal(back.data, data, sizes[i]);
            se_buf_free(&back);
        }
}

static void lines_are_those_of_rfc_7468(void **state)
{
    AUTO(se_buf) text =
        in_pem((se_bytes){ "0123456789012345678901234567890123456789012345678", 49 }, 10);

    (void)state;
    assert_string_equal((char *)text.data,
                        "-----BEGIN CMS-----\n"
                        "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3\n"
                        "OA==\n"
                        "-----END CMS-----\n");
}

static void what_is_not_armored_passes(void **state)
{
    static const char *const texts[] = { "", "x", "-----BEGIN",
                                         "plain text, longer than a boundary is" };
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int slowly = 0; slowly < 2; slowly++) {
            se_buf back;

            assert_status(SE_OK, pem_decoder_open(&back, text_bytes(texts[i]), slowly, &err), &err);
            assert_int_equal(back.size, strlen(texts[i]));
            assert_memory_equal(back.data, texts[i], back.size);
            se_buf_free(&back);
        }
}

static void other_labels_and_line_ends_are_read(void **state)
{
    se_error err = SE_ERROR_INIT;
    se_buf back;

    (void)state;
    assert_status(
        SE_OK,
        pem_decoder_open(
            &back,
            text_bytes("-----BEGIN PKCS7-----\r\naGVs\r\nbG8=\r\n-----END PKCS7-----\r\nrest"),
            true, &err),
        &err);
    assert_string_equal((char *)back.data, "hello");
    se_buf_free(&back);
}

static void broken_armor_is_refused(void **state)
{
    static const char *const texts[] = {
        "-----BEGIN CMS-----",
        "-----BEGIN CMS-----\n",
        "-----BEGIN CMS-----\naGVs",
        "-----BEGIN CMS-----\naGVsb\n-----END CMS-----\n",
        "-----BEGIN CMS-----\naGV*\n-----END CMS-----\n",
        "-----BEGIN CMS-----\naGVs\n=\n-----END CMS-----\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int slowly = 0; slowly < 2; slowly++) {
            se_error err = SE_ERROR_INIT;
            se_buf back;

            assert_status(SE_ERR_FORMAT,
                          pem_decoder_open(&back, text_bytes(texts[i]), slowly, &err), &err);
            assert_null(back.data);
            assert_non_null(strstr(err.text, "broken PEM"));
        }
}

static int refuse(void *arg, const void *data, size_t size)
{
    (void)arg;
    (void)data;
    (void)size;
    return -1;
}

static void a_full_sink_is_an_error(void **state)
{
    AUTO(pem_encoder) armor = { .out = NULL };
    const se_sink out = { refuse, NULL };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_IO, pem_encoder_begin(&armor, &out, "CMS", &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_comes_back),
        cmocka_unit_test(lines_are_those_of_rfc_7468),
        cmocka_unit_test(what_is_not_armored_passes),
        cmocka_unit_test(other_labels_and_line_ends_are_read),
        cmocka_unit_test(broken_armor_is_refused),
        cmocka_unit_test(a_full_sink_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
