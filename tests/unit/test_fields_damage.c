/* SPDX-License-Identifier: Apache-2.0 */
/* Every bit, every end, every exchange of parts of a value: refused, with one text but for what
 * stands there in clear. */
#include <stdio.h>

#include "base/reader.h"
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

#define DESCRIPTOR(name, cipher, result)                                                           \
    "<descriptor name='" name "'><type algorithm='" cipher "' key='one' result='" result           \
    "' asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'/></descriptor>"

static const char configuration[] =
    "<engineSignEncrypt><descriptors>" DESCRIPTOR("CBC", "AES/CBC/PKCS7Padding", "NX02")
        DESCRIPTOR("GCM", "AES/GCM/NoPadding", "NX02") DESCRIPTOR("CMS", "AES/GCM/NoPadding", "CMS")
            DESCRIPTOR("JWE CBC", "AES/CBC/PKCS7Padding", "JWE")
                DESCRIPTOR("JWE GCM", "AES/GCM/NoPadding",
                           "JWE") "</descriptors><keys>"
                                  "<key name='one'><type name='pem' "
                                  "locationValue='one.pem'/></key></keys></engineSignEncrypt>";

static const char *const descriptors[] = { "CBC", "GCM", "CMS", "JWE CBC", "JWE GCM" };
enum { DESCRIPTORS = sizeof descriptors / sizeof *descriptors };

static const se_bytes secret = { "seventeen letters", 17 };

static se_engine *opened(void)
{
    EVP_PKEY *key = make_key("RSA-2048");
    X509 *certificate = make_certificate(key, &(struct certificate_wish){ .subject = "one" });
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    make("engine.xml", configuration, 0600);
    make_bundle("one.pem", key, certificate);
    X509_free(certificate);
    EVP_PKEY_free(key);
    assert_status(SE_OK, se_open(&engine, "engine.xml", NULL, &err), &err);
    return engine;
}

static se_buf encrypted(se_engine *engine, const char *descriptor, bool binary)
{
    se_field_params params = SE_FIELD_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;
    se_buf value;

    params.binary = binary;
    assert_status(SE_OK, se_encrypt(&value, engine, descriptor, secret, &params, &err), &err);
    return value;
}

static bool is_jwe(const char *descriptor)
{
    return strncmp(descriptor, "JWE", 3) == 0;
}

static void assert_refused(se_engine *engine, const char *descriptor, se_bytes value,
                           const char *what, size_t at)
{
    char text[200];
    se_error err = SE_ERROR_INIT;
    se_buf plain = { (unsigned char *)1, 1 };
    se_status st = se_decrypt(&plain, engine, descriptor, value, NULL, &err);
    bool one_text;

    (void)snprintf(text, sizeof text,
                   "descriptor '%s': the value does not decrypt: it was changed, moved to another "
                   "context, or made for "
                   "another key",
                   descriptor);
    /* what stands in it in clear may be named: a version in NX02 or a JWE that is not configured,
     * algorithms in CMS, blanks in a JWE */
    one_text =
        strcmp(err.text, text) == 0 ||
        strstr(err.text, is_jwe(descriptor) ? "white space in a JWE" : " is what is decrypted");
    if (strcmp(descriptor, "CMS") != 0 && strstr(err.text, "which is not configured here"))
        one_text = st == SE_ERR_NO_DESCRIPTOR;
    else
        one_text &= st == SE_ERR_REJECTED;
    if (!one_text || plain.data)
        fail_msg("%s: %s %zu of %zu: %s: %s", descriptor, what, at, value.size, se_status_name(st),
                 err.text);
}

static void assert_good(se_engine *engine, const char *descriptor, se_bytes value)
{
    AUTO(se_buf) plain = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, se_decrypt(&plain, engine, descriptor, value, NULL, &err), &err);
    assert_int_equal(plain.size, secret.size);
    assert_memory_equal(plain.data, secret.data, secret.size);
}

static void every_bit_counts(void **state)
{
    se_engine *engine = opened();

    (void)state;
    for (size_t d = 0; d < DESCRIPTORS; d++)
        for (int binary = 0; binary <= 1; binary++) {
            AUTO(se_buf) value = encrypted(engine, descriptors[d], binary);

            for (size_t bit = 0; bit < 8 * value.size; bit++) {
                value.data[bit / 8] ^= (unsigned char)(1U << bit % 8);
                assert_refused(engine, descriptors[d], buf_bytes(&value), "bit", bit);
                value.data[bit / 8] ^= (unsigned char)(1U << bit % 8);
            }
            assert_good(engine, descriptors[d], buf_bytes(&value));
        }
    se_close(&engine);
}

/* Base64 may come with what an editor or MIME puts behind it, a JWE may not. */
static void assert_white_space(se_engine *engine, const char *descriptor, se_bytes value)
{
    AUTO(se_buf) plain = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    if (!is_jwe(descriptor)) {
        assert_good(engine, descriptor, value);
        return;
    }
    assert_status(SE_ERR_REJECTED, se_decrypt(&plain, engine, descriptor, value, NULL, &err), &err);
}

static void every_end_counts(void **state)
{
    se_engine *engine = opened();

    (void)state;
    for (size_t d = 0; d < DESCRIPTORS; d++)
        for (int binary = 0; binary <= 1; binary++) {
            AUTO(se_buf) value = encrypted(engine, descriptors[d], binary);
            AUTO(se_buf) longer = SE_BUF_INIT;

            for (size_t size = 1; size < value.size; size++)
                assert_refused(engine, descriptors[d], (se_bytes){ value.data, size }, "end", size);
            assert_int_equal(buf_new(&longer, value.size + 1, NULL), SE_OK);
            memcpy(longer.data, value.data, value.size);
            for (unsigned c = 0; c < 256; c++) {
                longer.data[value.size] = (unsigned char)c;
                if ((!binary || is_jwe(descriptors[d])) && c && strchr(" \t\r\n", (int)c)) {
                    assert_white_space(engine, descriptors[d], buf_bytes(&longer));
                    continue;
                }
                assert_refused(engine, descriptors[d], buf_bytes(&longer), "longer by", c);
            }
        }
    se_close(&engine);
}

/* ---- parts of one value in the place of another's, and of its own ---- */

enum { PARTS_MOST = 64 };
struct part {
    size_t at, size;
};

static size_t parts_of_nx02(struct part parts[PARTS_MOST], const char *descriptor, size_t size)
{
    /* magic edition cipher key-size oaep mgf1 version key-id n wrapped (commitment) IV text tag */
    const struct part head[] = { { 0, 4 }, { 4, 1 }, { 5, 1 },   { 6, 1 },  { 7, 1 },
                                 { 8, 1 }, { 9, 4 }, { 13, 16 }, { 29, 2 }, { 31, 256 } };
    const struct part cbc[] = { { 287, 16 }, { 303, size - 303 - 32 }, { size - 32, 32 } };
    const struct part gcm[] = {
        { 287, 32 }, { 319, 12 }, { 331, size - 331 - 16 }, { size - 16, 16 }
    };
    bool is_gcm = strcmp(descriptor, "GCM") == 0;
    size_t rest = is_gcm ? sizeof gcm / sizeof *gcm : sizeof cbc / sizeof *cbc;

    memcpy(parts, head, sizeof head);
    memcpy(parts + 10, is_gcm ? gcm : cbc, rest * sizeof *parts);
    return 10 + rest;
}

static size_t parts_of_jwe(struct part parts[PARTS_MOST], const se_buf *value)
{
    size_t count = 0, at = 0;

    for (size_t i = 0; i <= value->size; i++)
        if (i == value->size || value->data[i] == '.') {
            parts[count++] = (struct part){ at, i - at };
            at = i + 1;
        }
    return count;
}

/* Of a DER element at `p`: its size with tag and length, and of these two alone. */
static size_t element(size_t *header, const unsigned char *p)
{
    size_t size = p[1] & 0x7fU, bytes = p[1] & 0x80U ? size : 0;

    if (bytes)
        size = 0;
    for (size_t i = 0; i < bytes; i++)
        size = size << 8 | p[2 + i];
    *header = 2 + bytes;
    return *header + size;
}

enum { CONSTRUCTED = 0x20 };

/* Every element, each before those that are in it. */
static size_t elements_of(struct part parts[PARTS_MOST], size_t count, const unsigned char *p,
                          size_t at, size_t end)
{
    while (at < end) {
        size_t header, size = element(&header, p + at);

        assert_true(count < PARTS_MOST && at + size <= end);
        parts[count++] = (struct part){ at, size };
        if (p[at] & CONSTRUCTED)
            count = elements_of(parts, count, p, at + header, at + size);
        at += size;
    }
    return count;
}

static void put_length(struct writer *w, size_t size)
{
    if (size >= 0x80)
        writer_number(w, size < 0x100 ? 0x81 : 0x82, 1);
    writer_number(w, size, size < 0x100 ? 1 : 2);
}

/* The elements between `at` and `end`, of which two have changed places; what they are in has its
 * length anew. */
static void put_exchanged(struct writer *w, const unsigned char *p, struct part within,
                          const struct part exchanged[2])
{
    size_t header, size;

    for (size_t at = within.at; at < within.at + within.size; at += size) {
        AUTO(writer) inner = { 0 };

        size = element(&header, p + at);
        for (int i = 0; i < 2; i++)
            if (!inner.buf.size && at == exchanged[i].at && size == exchanged[i].size)
                writer_put(&inner, p + exchanged[1 - i].at, exchanged[1 - i].size);
        if (!inner.buf.size && p[at] & CONSTRUCTED) {
            AUTO(writer) content = { 0 };

            put_exchanged(&content, p, (struct part){ at + header, size - header }, exchanged);
            writer_put(&inner, p + at, 1);
            put_length(&inner, content.buf.size);
            writer_put(&inner, content.buf.data, content.buf.size);
        } else if (!inner.buf.size)
            writer_put(&inner, p + at, size);
        writer_put(w, inner.buf.data, inner.buf.size);
    }
}

/* A new value in which the parts have changed places. */
static se_buf exchanged(const se_buf *value, struct part a, struct part b)
{
    AUTO(writer) w = { 0 };
    const unsigned char *p = value->data;
    se_buf out;

    writer_put(&w, p, a.at);
    writer_put(&w, p + b.at, b.size);
    writer_put(&w, p + a.at + a.size, b.at - a.at - a.size);
    writer_put(&w, p + a.at, a.size);
    writer_put(&w, p + b.at + b.size, value->size - b.at - b.size);
    assert_int_equal(writer_finish(&out, &w, NULL), SE_OK);
    return out;
}

static se_buf exchanged_elements(const se_buf *value, struct part a, struct part b)
{
    AUTO(writer) w = { 0 };
    se_buf out;

    put_exchanged(&w, value->data, (struct part){ 0, value->size }, (const struct part[]){ a, b });
    assert_int_equal(writer_finish(&out, &w, NULL), SE_OK);
    return out;
}

static bool same_bytes(const se_buf *a, const se_buf *b)
{
    return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

static bool is_cms(const char *descriptor)
{
    return strcmp(descriptor, "CMS") == 0;
}

static size_t parts_of(struct part parts[PARTS_MOST], const char *descriptor, const se_buf *value)
{
    if (is_cms(descriptor))
        return elements_of(parts, 0, value->data, 0, value->size);
    return is_jwe(descriptor) ? parts_of_jwe(parts, value)
                              : parts_of_nx02(parts, descriptor, value->size);
}

/* Without its magic it is no value, or by chance like one of another format. */
static void assert_refused_or_none(se_engine *engine, const char *descriptor, se_bytes value)
{
    se_buf plain;
    se_status st = se_decrypt(&plain, engine, descriptor, value, NULL, NULL);

    assert_true(st == SE_ERR_FORMAT || st == SE_ERR_REJECTED);
    assert_null(plain.data);
}

static void exchange_every_pair(se_engine *engine, const char *descriptor, const se_buf *value)
{
    struct part parts[PARTS_MOST];
    size_t count = parts_of(parts, descriptor, value), tried = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++) {
            AUTO(se_buf) other = SE_BUF_INIT;

            if (parts[j].at < parts[i].at + parts[i].size) /* one is in the other */
                continue;
            other =
                (is_cms(descriptor) ? exchanged_elements : exchanged)(value, parts[i], parts[j]);
            if (same_bytes(value, &other))
                continue;
            tried++;
            if (i == 0 && !is_cms(descriptor) && !is_jwe(descriptor))
                assert_refused_or_none(engine, descriptor, buf_bytes(&other));
            else
                assert_refused(engine, descriptor, buf_bytes(&other), "parts", i * 100 + j);
        }
    assert_true(tried >= (is_cms(descriptor) ? 200 : 10));
}

/* What is refused below is refused for what it says, and not for how it is encoded. */
static void an_element_in_its_own_place_changes_nothing(void **state)
{
    se_engine *engine = opened();
    AUTO(se_buf) value = encrypted(engine, "CMS", true);
    struct part parts[PARTS_MOST];
    size_t count = parts_of(parts, "CMS", &value);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        AUTO(se_buf) same = exchanged_elements(&value, parts[i], parts[i]);

        assert_true(same_bytes(&same, &value));
    }
    se_close(&engine);
}

static void parts_do_not_change_places(void **state)
{
    se_engine *engine = opened();

    (void)state;
    for (size_t d = 0; d < DESCRIPTORS; d++) {
        AUTO(se_buf) value = encrypted(engine, descriptors[d], !is_jwe(descriptors[d]));

        exchange_every_pair(engine, descriptors[d], &value);
    }
    se_close(&engine);
}

static void parts_of_another_value_do_not_fit(void **state)
{
    se_engine *engine = opened();

    (void)state;
    for (size_t d = 0; d < DESCRIPTORS; d++) {
        /* of one call, so that even the data key is the same */
        se_field pair[2] = { { .in = secret }, { .in = secret } };
        se_field_params params = SE_FIELD_PARAMS_INIT;
        struct part parts[PARTS_MOST];
        size_t count, tried = 0;

        params.binary = !is_jwe(descriptors[d]);
        assert_int_equal(se_encrypt_many(pair, 2, engine, descriptors[d], &params, NULL), SE_OK);
        assert_int_equal(pair[0].out.size, pair[1].out.size);
        count = parts_of(parts, descriptors[d], &pair[0].out);
        for (size_t i = 0; i < count; i++) {
            AUTO(se_buf) mixed = SE_BUF_INIT;

            assert_int_equal(buf_copy(&mixed, buf_bytes(&pair[0].out), NULL), SE_OK);
            memcpy(mixed.data + parts[i].at, pair[1].out.data + parts[i].at, parts[i].size);
            if (same_bytes(&mixed, &pair[0].out) || same_bytes(&mixed, &pair[1].out))
                continue;
            tried++;
            assert_refused(engine, descriptors[d], buf_bytes(&mixed), "part", i);
        }
        assert_true(tried >= 3);
        se_buf_free(&pair[0].out);
        se_buf_free(&pair[1].out);
    }
    se_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(every_bit_counts),
        IN_FOLDER(every_end_counts),
        IN_FOLDER(an_element_in_its_own_place_changes_nothing),
        IN_FOLDER(parts_do_not_change_places),
        IN_FOLDER(parts_of_another_value_do_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
