/* SPDX-License-Identifier: Apache-2.0 */
/* Attached CMS taken apart: every way in which BER may cut it, and every way in which it may be
 * broken. */
#include "cms/cms_split.h"

#include "tests/unit/unit.h"

/* What the taker saw. */
struct seen {
    unsigned begun;
    se_bytes expected_algorithms;
    struct writer content;
};

static se_status begin(void *arg, se_bytes algorithms, se_error *err)
{
    struct seen *seen = arg;

    (void)err;
    assert_int_equal(seen->content.buf.size, 0);
    assert_int_equal(algorithms.size, seen->expected_algorithms.size);
    assert_memory_equal(algorithms.data, seen->expected_algorithms.data, algorithms.size);
    seen->begun++;
    return SE_OK;
}

static se_status take(void *arg, se_bytes piece, se_error *err)
{
    (void)err;
    writer_put(&((struct seen *)arg)->content, piece.data, piece.size);
    return SE_OK;
}

static const unsigned char algorithms[] = { 0x31, 0x0d, 0x30, 0x0b, 6, 9, 0x60, 0x86,
                                            0x48, 1,    0x65, 3,    4, 2, 1 };

static se_status split(se_buf *out, struct writer *content, se_bytes in, se_error *err)
{
    struct seen seen = { .expected_algorithms = { algorithms, sizeof algorithms } };
    const struct cms_content_taker taker = { begin, take, &seen };
    se_source source = source_memory(&in);
    struct stream stream = { .source = &source };
    AUTO(pem_decoder) decoder = { .in = NULL };
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    st = pem_decoder_begin(&decoder, &stream, err);
    if (!st)
        st = cms_split(out, &decoder, &taker, err);
    assert_true(st || seen.begun == 1);
    *content = seen.content;
    return st;
}

/* ---- building BER ---- */

static se_buf tlv(unsigned char tag, se_bytes inside, bool indefinite)
{
    AUTO(writer) w = { 0 };
    se_error err = SE_ERROR_INIT;
    se_buf out;

    writer_put(&w, &tag, 1);
    if (indefinite)
        writer_put(&w, "\x80", 1);
    else if (inside.size < 0x80)
        writer_put(&w, (unsigned char[]){ (unsigned char)inside.size }, 1);
    else
        writer_put(&w,
                   (unsigned char[]){ 0x83, (unsigned char)(inside.size >> 16),
                                      (unsigned char)(inside.size >> 8),
                                      (unsigned char)inside.size },
                   4);
    writer_put(&w, inside.data, inside.size);
    if (indefinite)
        writer_put(&w, "\0", 2);
    assert_status(SE_OK, writer_finish(&out, &w, &err), &err);
    return out;
}

/* Wraps *inside, and releases it. */
static void wrap(unsigned char tag, se_buf *inside, bool indefinite)
{
    se_buf out = tlv(tag, buf_bytes(inside), indefinite);

    se_buf_free(inside);
    *inside = out;
}

static void prepend(se_buf *inside, const void *data, size_t size)
{
    AUTO(writer) w = { 0 };
    se_error err = SE_ERROR_INIT;

    writer_put(&w, data, size);
    writer_put(&w, inside->data, inside->size);
    se_buf_free(inside);
    assert_status(SE_OK, writer_finish(inside, &w, &err), &err);
}

static void append(se_buf *inside, const void *data, size_t size)
{
    AUTO(writer) w = { 0 };
    se_error err = SE_ERROR_INIT;

    writer_put(&w, inside->data, inside->size);
    writer_put(&w, data, size);
    se_buf_free(inside);
    assert_status(SE_OK, writer_finish(inside, &w, &err), &err);
}

static const unsigned char id_data[] = { 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1 };
static const unsigned char id_signed_data[] = { 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2 };
static const unsigned char version[] = { 2, 1, 1 };
static const unsigned char certificates[] = {
    0xa0, 0x80, 0x30, 3, 1, 1, 0, 0, 0
}; /* of indefinite length inside */
static const unsigned char signers[] = { 0x31, 0 };

/* The whole structure around an element that is the content. */
static void enclose(se_buf *content, bool indefinite)
{
    wrap(0xa0, content, indefinite);
    prepend(content, id_data, sizeof id_data);
    wrap(0x30, content, indefinite);
    prepend(content, algorithms, sizeof algorithms);
    prepend(content, version, sizeof version);
    append(content, certificates, sizeof certificates);
    append(content, signers, sizeof signers);
    wrap(0x30, content, indefinite);
    wrap(0xa0, content, indefinite);
    prepend(content, id_signed_data, sizeof id_signed_data);
    wrap(0x30, content, indefinite);
}

static const unsigned char expected_rest[] = {
    0x30, 0x80, 6,    9,    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1,    7, 2, /* id-signedData */
    0xa0, 0x80, 0x30, 0x80, 2,    1,    1,                                  /* version */
    0x31, 0x0d, 0x30, 0x0b, 6,    9,    0x60, 0x86, 0x48, 1,    0x65, 3, 4, 2, 1, /* digests */
    0x30, 0x0b, 6,    9,    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1,    7, 1,       /* no eContent */
    0xa0, 0x80, 0x30, 3,    1,    1,    0,    0,    0,    0x31, 0,    0, 0, 0, 0, 0, 0,
};

static void assert_splits(const se_buf *ber, se_bytes content)
{
    AUTO(writer) seen = { 0 };
    se_error err = SE_ERROR_INIT;
    se_buf rest;

    assert_status(SE_OK, split(&rest, &seen, buf_bytes(ber), &err), &err);
    assert_int_equal(seen.buf.size, content.size);
    if (content.size)
        assert_memory_equal(seen.buf.data, content.data, content.size);
    assert_int_equal(rest.size, sizeof expected_rest);
    assert_memory_equal(rest.data, expected_rest, sizeof expected_rest);
    se_buf_free(&rest);
}

static void definite_and_indefinite_lengths_are_read(void **state)
{
    static unsigned char data[200000];
    static const size_t sizes[] = { 0, 1, 127, 128, 65535, 65536, 200000 };

    (void)state;
    memset(data, 'x', sizeof data);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int indefinite = 0; indefinite < 2; indefinite++) {
            AUTO(se_buf) ber = tlv(4, (se_bytes){ data, sizes[i] }, false);

            enclose(&ber, indefinite);
            assert_splits(&ber, (se_bytes){ data, sizes[i] });
        }
}

static void content_in_pieces_is_put_together(void **state)
{
    static const unsigned char pieces[] = { 4, 2, 'a', 'b', 0x24, 0x80, 4, 1, 'c',
                                            4, 0, 0,   0,   0x24, 3,    4, 1, 'd' };

    (void)state;
    for (int indefinite = 0; indefinite < 4; indefinite++) {
        AUTO(se_buf) ber = tlv(0x24, (se_bytes){ pieces, sizeof pieces }, indefinite & 1);

        enclose(&ber, indefinite & 2);
        assert_splits(&ber, text_bytes("abcd"));
    }
}

static void assert_refused(const se_buf *ber, size_t size, const char *reason)
{
    AUTO(writer) seen = { 0 };
    se_error err = SE_ERROR_INIT;
    se_buf rest;

    assert_status(SE_ERR_FORMAT, split(&rest, &seen, (se_bytes){ ber->data, size }, &err), &err);
    assert_null(rest.data);
    if (!strstr(err.text, reason))
        fail_msg("'%s' does not say '%s'", err.text, reason);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    for (int indefinite = 0; indefinite < 2; indefinite++) {
        AUTO(se_buf) ber = tlv(4, text_bytes("content"), false);

        enclose(&ber, indefinite);
        for (size_t size = 0; size < ber.size; size++)
            assert_refused(&ber, size, "not a CMS signature");
        append(&ber, "", 1);
        assert_refused(&ber, ber.size, "bytes follow the signature");
    }
}

/* Exchanges one byte at an offset from the start of the DER form. */
static void assert_byte_matters(size_t at, unsigned char value, const char *reason)
{
    AUTO(se_buf) ber = tlv(4, text_bytes("content"), false);

    enclose(&ber, false);
    assert_true(at < ber.size);
    ber.data[at] = value;
    assert_refused(&ber, ber.size, reason);
}

static void what_is_something_else_is_refused(void **state)
{
    (void)state;
    assert_byte_matters(0, 0x31, "no ContentInfo");
    assert_byte_matters(12, 3, "no SignedData");    /* id-envelopedData */
    assert_byte_matters(13, 0xa1, "no SignedData"); /* [1] */
    assert_byte_matters(15, 0x31, "no SignedData");
    assert_byte_matters(35, 0x31, "no content"); /* encapContentInfo */
    assert_byte_matters(37, 5, "no content type");
    assert_byte_matters(48, 0xa1, "no content");
    assert_byte_matters(50, 0x0c, "no OCTET STRING");
    assert_byte_matters(51, 0x08, "contradict"); /* longer than what holds it */
    assert_byte_matters(51, 0x03, "unexpected"); /* shorter */
    assert_byte_matters(51, 0x89, "impossible length");
    assert_byte_matters(0, 0x1f, "unexpected tag");
}

static void detached_signatures_are_told_apart(void **state)
{
    AUTO(se_buf) ber = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, buf_copy(&ber, (se_bytes){ expected_rest, sizeof expected_rest }, &err),
                  &err);
    assert_refused(&ber, ber.size, "detached");
}

static void nesting_has_an_end(void **state)
{
    AUTO(se_buf) octets = tlv(4, text_bytes("x"), false);
    AUTO(se_buf) deep = SE_BUF_INIT;

    (void)state;
    for (int i = 0; i < 40; i++)
        wrap(0x24, &octets, true);
    enclose(&octets, false);
    assert_refused(&octets, octets.size, "no OCTET STRING");

    deep = tlv(4, text_bytes("x"), false);
    for (int i = 0; i < 40; i++)
        wrap(0x30, &deep, true);
    prepend(&deep, id_signed_data, 2); /* not the object identifier that it says to be */
    wrap(0x30, &deep, false);
    assert_refused(&deep, deep.size, "not a CMS signature");
}

static void lengths_near_2_to_the_64_are_refused(void **state)
{
    static const unsigned char huge[] = { 0x30, 0x88, 0xff, 0xff, 0xff, 0xff,
                                          0xff, 0xff, 0xff, 0xff, 6,    9 };
    const se_buf ber = { (unsigned char *)huge, sizeof huge };

    (void)state;
    assert_refused(&ber, ber.size, "impossible length");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definite_and_indefinite_lengths_are_read),
        cmocka_unit_test(content_in_pieces_is_put_together),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(what_is_something_else_is_refused),
        cmocka_unit_test(detached_signatures_are_told_apart),
        cmocka_unit_test(nesting_has_an_end),
        cmocka_unit_test(lengths_near_2_to_the_64_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
