/* SPDX-License-Identifier: Apache-2.0 */
#include "fields/envelope.h"

/* The only place that knows all formats of encrypted values. */
static const struct envelope_format *const formats[] = {
    [RESULT_NX02] = &nx02_format,
    [RESULT_CMS] = &cms_envelope_format,
    [RESULT_JWE] = &jwe_format,
};
enum { FORMATS = sizeof formats / sizeof *formats };

const struct envelope_format *envelope_format(const struct algorithm *algorithm)
{
    return algorithm->kind == ALGORITHM_WRAP ? &blob_format : formats[algorithm->result];
}

static const struct envelope_format *format_sense(se_bytes value)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (formats[i]->resembles(value))
            return formats[i];
    return NULL;
}

static bool is_blank(char c)
{
    return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

/* The text of a value that was wrapped on its way, as PostgreSQL's encode() and MIME do it; empty:
 * there is nothing to unwrap. */
static se_status unwrap_text(se_buf *out, se_bytes value, se_error *err)
{
    const char *p = value.data;

    TRY(buf_new(out, value.size, err));
    out->size = 0;
    for (size_t i = 0; i < value.size; i++) {
        if ((unsigned char)p[i] >= 0x80 || (p[i] < ' ' && !is_blank(p[i]))) {
            out->size = 0;
            return SE_OK;
        }
        if (!is_blank(p[i]))
            out->data[out->size++] = (unsigned char)p[i];
    }
    if (out->size == value.size)
        out->size = 0;
    return SE_OK;
}

static se_status read_as(struct envelope *out, se_bytes value, const struct envelope_format *format,
                         se_error *err)
{
    se_status st;

    *out = (struct envelope){ .format = format };
    if ((st = format->read(out, value, err)))
        envelope_free(out);
    return st;
}

/* Values are one line; those that are not are looked at once more. */
static se_status read_text(struct envelope *out, se_bytes value, se_error *err)
{
    const struct envelope_format *format = out->format;
    AUTO(se_buf) text = SE_BUF_INIT;
    se_error why = SE_ERROR_INIT;
    se_status st = read_as(out, value, format, &why);

    if (!st)
        return SE_OK;
    if (st == SE_ERR_REJECTED && unwrap_text(&text, value, err))
        return SE_ERR_MEMORY;
    if (text.size && format == &jwe_format)
        return error_set(err, SE_ERR_REJECTED,
                         "white space in a JWE, which is one line (RFC 7515, 2)");
    if (text.size)
        return read_as(out, buf_bytes(&text), format, err);
    return error_set_at(err, st, why.file, why.line, "%s", why.text);
}

se_status envelope_read(struct envelope *out, se_bytes value, const struct envelope_format *format,
                        se_error *err)
{
    *out = (struct envelope){ .format = format ? format : format_sense(value) };
    if (!value.size || !out->format || !out->format->resembles(value)) {
        out->format = NULL;
        return error_set(err, SE_ERR_FORMAT,
                         value.size ? "this is no encrypted value" : "an empty value");
    }
    return read_text(out, value, err);
}
