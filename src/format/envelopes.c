#include "format/envelope.h"

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

se_status envelope_refused(se_error *err)
{
    return error_set(err, SE_ERR_REJECTED, "the value does not decrypt: it was changed, moved to another context, or made for another key");
}

static const struct envelope_format *sense(se_bytes value)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (formats[i]->resembles(value))
            return formats[i];
    return NULL;
}

se_status envelope_read(struct envelope *out, struct kit *kit, se_bytes value, const struct envelope_format *format, se_error *err)
{
    se_status st;

    *out = (struct envelope){ .format = format ? format : sense(value) };
    if (!value.size || !out->format || !out->format->resembles(value)) {
        out->format = NULL;
        return error_set(err, SE_ERR_FORMAT, value.size ? "this is no encrypted value" : "an empty value");
    }
    if ((st = out->format->read(out, kit, value, err)))
        envelope_free(out);
    return st;
}

bool envelope_marked(se_bytes value, const char *mark)
{
    const char *p = value.data;
    size_t size = strlen(mark), seen = value.size < size ? value.size : size, wrong = 0;

    for (size_t i = 0; i < seen; i++)
        wrong += p[i] != mark[i];
    return seen && wrong <= (seen == size);
}

void envelope_free(struct envelope *envelope)
{
    se_buf_free(&envelope->bytes);
    se_buf_free(&envelope->decoded);
    se_buf_free(&envelope->details);
    *envelope = (struct envelope){ .format = NULL };
}

void data_key_free(struct data_key *key)
{
    se_buf_free(&key->secret);
    se_buf_free(&key->wrapped);
    se_buf_free(&key->head);
    se_buf_free(&key->derived);
}
