/* SPDX-License-Identifier: Apache-2.0 */
/* Bare RSA-OAEP: the data key is the value.  It says nothing about itself, so it is never sensed,
 * and how it is wrapped is not known. */
#include "base/base64.h"
#include "fields/envelope.h"

enum { MODULUS_LEAST = 128 };

static bool blob_resembles(se_bytes value)
{
    return value.size >= MODULUS_LEAST;
}

static size_t blob_secret_size(const struct algorithm *algorithm)
{
    (void)algorithm;
    return 0;
}

/* In blob_prepare_seal() and blob_seal(), the secret is the plaintext. */
static se_status blob_prepare_seal(const struct seal_job *job, se_error *err)
{
    return buf_copy(&job->key->head, buf_bytes(&job->key->wrapped), err);
}

static se_status blob_seal(se_buf *out, const struct seal_job *job, se_error *err)
{
    const se_bytes blob = buf_bytes(&job->key->head);

    return job->binary ? buf_copy(out, blob, err) : base64_encode(out, blob, err);
}

static bool is_text(se_bytes value)
{
    const unsigned char *p = value.data;

    for (size_t i = 0; i < value.size; i++)
        if (p[i] >= 0x7f || (p[i] < ' ' && !strchr("\t\n\r", p[i])))
            return false;
    return true;
}

/* Random bytes that are base64, or text of any kind, by chance are rarer than anything. */
static se_status blob_read(struct envelope *out, se_bytes value, se_error *err)
{
    se_status st = base64_decode(&out->bytes, value, NULL);

    if (st == SE_ERR_MEMORY)
        return error_memory(err);
    if (st && is_text(value))
        return envelope_refused(err);
    if (st && (st = buf_copy(&out->bytes, value, err)))
        return st;
    if (out->bytes.size < MODULUS_LEAST)
        return error_set(err, SE_ERR_FORMAT, "%zu bytes are not encrypted by RSA-OAEP",
                         out->bytes.size);
    out->wrapped = out->origin = buf_bytes(&out->bytes);
    out->anybody = true;
    return SE_OK;
}

static bool blob_is_for(const struct envelope *envelope, const struct recipient *recipient)
{
    (void)envelope;
    (void)recipient;
    return false;
}

static se_status blob_prepare_open(struct data_key *key, const struct envelope *envelope,
                                   se_error *err)
{
    (void)key;
    (void)envelope;
    (void)err;
    return SE_OK;
}

static se_status blob_open(se_buf *out, const struct open_job *job, se_error *err)
{
    *out = (se_buf)SE_BUF_INIT;
    return job->context.size ? envelope_refused(err)
                             : buf_copy(out, buf_bytes(&job->key->secret), err);
}

const struct envelope_format blob_format = {
    .name = "bare RSA-OAEP",
    .resembles = blob_resembles,
    .secret_size = blob_secret_size,
    .prepare_seal = blob_prepare_seal,
    .seal = blob_seal,
    .read = blob_read,
    .is_for = blob_is_for,
    .prepare_open = blob_prepare_open,
    .open = blob_open,
};
