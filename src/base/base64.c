/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <endian.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Digits and their values; what is no digit has the value NOT. */
struct alphabet {
    char digits[65];
    bool padded;
};

enum { NOT = 0xFF };

static const struct alphabet standard = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true
};
static const struct alphabet url_safe = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false
};

static unsigned char base64_value(const struct alphabet *a, unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned char)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned char)(c - 'a' + 26);
    if (c >= '0' && c <= '9')
        return (unsigned char)(c - '0' + 52);
    if (c == (unsigned char)a->digits[62])
        return 62;
    return c == (unsigned char)a->digits[63] ? 63 : NOT;
}

/* The last group, of 1 or 2 bytes. */
static void write_rest(unsigned char *out, const struct alphabet *a, const unsigned char *in,
                       size_t size)
{
    uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)(size > 1 ? in[1] : 0) << 8;
    size_t used = size + 1;

    for (size_t i = 0; i < used; i++)
        out[i] = (unsigned char)a->digits[bits >> (18 - 6 * i) & 63];
    while (a->padded && used < 4)
        out[used++] = '=';
}

static size_t encoded_size(const struct alphabet *a, size_t bytes)
{
    size_t rest = bytes % 3;

    return bytes / 3 * 4 + (!rest ? 0 : a->padded ? 4 : rest + 1);
}

/* Of the highest 24 bits. */
static void write_group(unsigned char *out, const char *digits, uint64_t bits)
{
    out[0] = (unsigned char)digits[bits >> 58];
    out[1] = (unsigned char)digits[bits >> 52 & 63];
    out[2] = (unsigned char)digits[bits >> 46 & 63];
    out[3] = (unsigned char)digits[bits >> 40 & 63];
}

static void write_text(unsigned char *out, const struct alphabet *a, se_bytes in)
{
    const unsigned char *p = in.data;
    size_t left = in.size;
    uint64_t bits;

    for (; left >= sizeof bits; left -= 6, p += 6, out += 8) {
        memcpy(&bits, p, sizeof bits);
        bits = be64toh(bits);
        write_group(out, a->digits, bits);
        write_group(out + 4, a->digits, bits << 24);
    }
    for (; left >= 3; left -= 3, p += 3, out += 4)
        write_group(out, a->digits,
                    (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40);
    if (left)
        write_rest(out, a, p, left);
}

static se_status encode_text(se_buf *out, const struct alphabet *a, se_bytes in, se_error *err)
{
    se_status st = buf_new(out, encoded_size(a, in.size), err);

    if (!st)
        write_text(out->data, a, in);
    return st;
}

/* Up to four digits to up to three bytes; false: one is no digit, or bits are left over. */
static bool decode_rest(unsigned char *out, const struct alphabet *a, const unsigned char *in,
                        size_t digits)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < digits; i++) {
        unsigned char value = base64_value(a, in[i]);

        if (value == NOT)
            return false;
        bits |= (uint32_t)value << (18 - 6 * i);
    }
    for (size_t i = 0; i + 1 < digits; i++)
        out[i] = (unsigned char)(bits >> (16 - 8 * i));
    return digits != 1 && !(bits & ((1U << 8 * (4 - digits)) - 1));
}

static size_t padding_size(const unsigned char *in, size_t size)
{
    if (!size || in[size - 1] != '=')
        return 0;
    return in[size - 2] == '=' ? 2 : 1;
}

/* What a character means in each place of a group: three bytes in their order, and a fourth that
 * says that it is no digit. */
static uint32_t standard_places[4][256], url_safe_places[4][256];

static void fill_places(uint32_t out[4][256], const struct alphabet *a)
{
    for (unsigned place = 0; place < 4; place++)
        for (unsigned c = 0; c < 256; c++) {
            uint32_t value = base64_value(a, (unsigned char)c), bits = value << (18 - 6 * place);
            unsigned char bytes[4] = { (unsigned char)(bits >> 16), (unsigned char)(bits >> 8),
                                       (unsigned char)bits, value == NOT };

            memcpy(&out[place][c], bytes, sizeof bytes);
        }
}

static void fill_tables(void)
{
    fill_places(standard_places, &standard);
    fill_places(url_safe_places, &url_safe);
}

static void fill_tables_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, fill_tables);
}

/* Whole groups; returns where the first one that is bad begins, or `size`. */
static size_t decode_groups(unsigned char *out, const struct alphabet *a, const unsigned char *in,
                            size_t size)
{
    const uint32_t(*at)[256] = a == &standard ? standard_places : url_safe_places;

    fill_tables_once();
    for (size_t i = 0; i < size; i += 4, out += 3) {
        uint32_t group = at[0][in[i]] | at[1][in[i + 1]] | at[2][in[i + 2]] | at[3][in[i + 3]];
        unsigned char bytes[4];

        memcpy(bytes, &group, sizeof bytes);
        if (bytes[3])
            return i;
        memcpy(out, bytes, 3);
    }
    return size;
}

static se_status decode_text(se_buf *out, const struct alphabet *a, se_bytes in, se_error *err)
{
    const unsigned char *p = in.data;
    size_t digits = in.size - (a->padded ? padding_size(p, in.size) : 0), rest = digits % 4,
           whole = digits - rest;
    size_t bytes = whole / 4 * 3 + (rest ? rest - 1 : 0), bad;

    TRY(buf_new(out, bytes, err));
    bad = decode_groups(out->data, a, p, whole);
    if (bad == whole && (!rest || decode_rest(out->data + whole / 4 * 3, a, p + whole, rest)))
        return SE_OK;
    se_buf_free(out);
    return error_set(err, SE_ERR_FORMAT, "not base64 at character %zu", bad + 1);
}

/* The value of a letter, or NOT: from the table, once it is filled. */
static unsigned char letter_value(unsigned char c)
{
    unsigned char bytes[4];

    memcpy(bytes, &standard_places[3][c], sizeof bytes);
    return bytes[3] ? NOT : bytes[2];
}

size_t base64_span(se_bytes text)
{
    const unsigned char *in = text.data;
    size_t span = 0;

    fill_tables_once();
    while (span < text.size && letter_value(in[span]) != NOT)
        span++;
    return span;
}

size_t base64_read_end(unsigned char *out, struct base64_reader *r)
{
    size_t size = r->letters > 1 ? r->letters - 1 : 0;
    unsigned value = r->value << 6 * (4 - r->letters);

    for (size_t i = 0; i < size; i++)
        out[i] = (unsigned char)(value >> (16 - 8 * i));
    *r = (struct base64_reader){ 0 };
    return size;
}

size_t base64_read(unsigned char *out, struct base64_reader *r, se_bytes text)
{
    const unsigned char *in = text.data;
    size_t size = 0;

    fill_tables_once();
    for (size_t i = 0; i < text.size; i++) {
        unsigned char value = letter_value(in[i]);

        if (in[i] == '=')
            size += base64_read_end(out + size, r);
        if (value == NOT)
            continue;
        r->value = r->value << 6 | value;
        if (++r->letters < 4)
            continue;
        for (size_t k = 0; k < 3; k++)
            out[size++] = (unsigned char)(r->value >> (16 - 8 * k));
        *r = (struct base64_reader){ 0 };
    }
    return size;
}

size_t base64_size(size_t bytes)
{
    return encoded_size(&standard, bytes);
}

void base64_write(unsigned char *out, se_bytes in)
{
    write_text(out, &standard, in);
}

se_status base64_encode(se_buf *out, se_bytes in, se_error *err)
{
    return encode_text(out, &standard, in, err);
}

void writer_base64(struct writer *w, se_bytes in)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    if (base64_encode(&text, in, NULL))
        w->failed = true;
    else
        writer_put(w, text.data, text.size);
}

void writer_pem(struct writer *w, const char *label, se_bytes der)
{
    enum { LINE = 64 };
    AUTO(writer) text = { 0 };

    writer_base64(&text, der);
    w->failed |= text.failed;
    writer_format(w, "-----BEGIN %s-----\n", label);
    for (size_t at = 0; at < text.buf.size; at += LINE) {
        writer_put(w, text.buf.data + at, text.buf.size - at < LINE ? text.buf.size - at : LINE);
        writer_text(w, "\n");
    }
    writer_format(w, "-----END %s-----\n", label);
}

se_status base64_decode(se_buf *out, se_bytes in, se_error *err)
{
    *out = (se_buf)SE_BUF_INIT;
    if (in.size % 4)
        return error_set(err, SE_ERR_FORMAT, "not base64: %zu characters are no multiple of 4",
                         in.size);
    return decode_text(out, &standard, in, err);
}

se_status base64url_encode(se_buf *out, se_bytes in, se_error *err)
{
    return encode_text(out, &url_safe, in, err);
}

void writer_base64url(struct writer *w, se_bytes in)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    if (base64url_encode(&text, in, NULL))
        w->failed = true;
    else
        writer_put(w, text.data, text.size);
}

se_status base64url_decode(se_buf *out, se_bytes in, se_error *err)
{
    *out = (se_buf)SE_BUF_INIT;
    return decode_text(out, &url_safe, in, err);
}
