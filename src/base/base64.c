#include "base/base64.h"

#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_group(unsigned char *out, const unsigned char *in, size_t size)
{
    uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)(size > 1 ? in[1] : 0) << 8 | (size > 2 ? in[2] : 0);

    for (size_t i = 0; i < 4; i++)
        out[i] = i <= size ? (unsigned char)digits[bits >> (18 - 6 * i) & 63] : '=';
}

se_status base64_encode(se_buf *out, se_bytes in, se_error *err)
{
    const unsigned char *p = in.data;
    se_status st = buf_new(out, (in.size + 2) / 3 * 4, err);

    if (st)
        return st;
    for (size_t i = 0; i < in.size; i += 3)
        encode_group(out->data + i / 3 * 4, p + i, in.size - i);
    return SE_OK;
}

static bool digit_value(uint32_t *out, unsigned char c)
{
    const char *at = c ? strchr(digits, c) : NULL;

    if (at)
        *out = (uint32_t)(at - digits);
    return at != NULL;
}

/* Four characters, of which the last `padding` are '='. */
static bool decode_group(unsigned char *out, const unsigned char *in, size_t padding)
{
    uint32_t bits = 0, digit;

    for (size_t i = 0; i < 4 - padding; i++) {
        if (!digit_value(&digit, in[i]))
            return false;
        bits |= digit << (18 - 6 * i);
    }
    for (size_t i = 0; i < 3 - padding; i++)
        out[i] = (unsigned char)(bits >> (16 - 8 * i));
    return !(bits & ((1U << 8 * padding) - 1));
}

static size_t padding_of(const unsigned char *in, size_t size)
{
    if (!size || in[size - 1] != '=')
        return 0;
    return in[size - 2] == '=' ? 2 : 1;
}

se_status base64_decode(se_buf *out, se_bytes in, se_error *err)
{
    const unsigned char *p = in.data;
    size_t padding;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if (in.size % 4)
        return error_set(err, SE_ERR_FORMAT, "not base64: %zu characters are no multiple of 4", in.size);
    padding = padding_of(p, in.size);
    if ((st = buf_new(out, in.size / 4 * 3 - padding, err)))
        return st;
    for (size_t i = 0; i < in.size; i += 4)
        if (!decode_group(out->data + i / 4 * 3, p + i, i + 4 == in.size ? padding : 0)) {
            se_buf_free(out);
            return error_set(err, SE_ERR_FORMAT, "not base64 at character %zu", i + 1);
        }
    return SE_OK;
}
