/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted values: one as octets, many in lists of JSON. */
#include <stdlib.h>

#include "base/json_write.h"
#include "base/reader.h"
#include "base/utf8.h"
#include "client/call.h"

/* What is asked for at once. */
enum { ITEMS_MOST = 1000, ITEMS_BYTES = 1 << 20 };

/* ---- contexts ---- */

/*
 * The parts that se_context() has put together (doc/formats.md), as an object of JSON, of `name`.
 * SE_ERR_USAGE: one is no text, which JSON does not have.
 */
static se_status write_context(struct writer *w, const char *name, se_bytes context, se_error *err)
{
    struct reader r = reader_of(context);

    json_write_begin(w, name, '{');
    while (r.left && !r.failed) {
        const se_bytes part = reader_take(&r, reader_number(&r, 4)),
                       value = reader_take(&r, reader_number(&r, 4));

        if (r.failed || !utf8_is(part) || !utf8_is(value))
            return error_set(err, SE_ERR_USAGE,
                             "the context is no UTF-8, and nothing else is served over a socket");
        json_write_pair(w, part, value);
    }
    json_write_end(w, '}');
    return w->failed ? error_memory(err) : SE_OK;
}

/* As a parameter of the query, for bodies of octets. */
se_status call_context(struct call *call, se_bytes context, se_error *err)
{
    AUTO(writer) text = { 0 };

    if (!context.size)
        return SE_OK;
    TRY(write_context(&text, NULL, context, err));
    call_text(call, "context", writer_string(&text));
    return SE_OK;
}

/* ---- one value ---- */

/* Plaintext is the member "content", in base64; what is encrypted is "value". */
struct field_job {
    const char *what;
    bool encrypts, decrypts; /* neither: it encrypts anew */
};
static const struct field_job encrypting = { .what = "encrypt", .encrypts = true },
                              decrypting = { .what = "decrypt", .decrypts = true },
                              rekeying = { .what = "rekey" };

struct field_call {
    struct client *client;
    const char *descriptor;
    const struct field_job *job;
    const se_field_params *params;
};

static se_status crypt_value(se_buf *out, const struct field_call *f, se_bytes in, se_error *err)
{
    AUTO(call) call = { .text = { in.size ? in.data : "", in.size },
                        .type = TYPE_OCTETS,
                        .accept = TYPE_OCTETS };
    AUTO(answer) answer = { .retry_after = -1 };

    *out = (se_buf)SE_BUF_INIT;
    call_descriptor(&call, f->client, f->descriptor, f->job->what, f->params->version);
    call_flag(&call, "binary", f->job->encrypts && f->params->binary);
    TRY(call_context(&call, f->params->context, err));
    TRY(call_run(&answer, f->client, &call, err));
    return writer_finish(out, &answer.body, err);
}

se_status client_encrypt(se_buf *out, struct client *client, const char *descriptor, se_bytes in,
                         const se_field_params *params, se_error *err)
{
    return crypt_value(out, &(struct field_call){ client, descriptor, &encrypting, params }, in,
                       err);
}

se_status client_decrypt(se_buf *out, struct client *client, const char *descriptor, se_bytes in,
                         const se_field_params *params, se_error *err)
{
    return crypt_value(out, &(struct field_call){ client, descriptor, &decrypting, params }, in,
                       err);
}

/* ---- many ---- */

static se_status write_item(struct writer *w, const struct field_job *job, const se_field *field,
                            se_error *err)
{
    json_write_begin(w, NULL, '{');
    if (job->encrypts)
        json_write_base64(w, "content", field->in);
    else
        json_write_bytes(w, "value", field->in);
    if (field->context.size)
        TRY(write_context(w, "context", field->context, err));
    json_write_end(w, '}');
    return SE_OK;
}

/* As many as go into one call; *taken: how many these are. */
static se_status write_items(struct writer *w, size_t *taken, const struct field_job *job,
                             const se_field *fields, size_t count, se_error *err)
{
    json_write_begin(w, NULL, '{');
    json_write_begin(w, "items", '[');
    for (*taken = 0; *taken < count && *taken < ITEMS_MOST && w->buf.size < ITEMS_BYTES; ++*taken)
        TRY(write_item(w, job, &fields[*taken], err));
    json_write_end(w, ']');
    json_write_end(w, '}');
    return w->failed ? error_memory(err) : SE_OK;
}

static se_status take_item(se_field *field, const struct field_job *job, const json_t *item,
                           se_error *err)
{
    if ((field->status = status_of_name(json_member_text(item, "status"))))
        return error_set(err, field->status, "%s", json_member_text(item, "message"));
    field->status = job->decrypts
                        ? json_member_bytes(&field->out, item, "content", err)
                        : buf_copy(&field->out, text_bytes(json_member_text(item, "value")), err);
    field->kept = json_is_true(json_object_get(item, "kept"));
    return field->status;
}

/* Of each its own status; the error is that of the first which failed. */
static se_status take_items(se_field *fields, size_t count, const struct field_job *job,
                            const json_t *answer, se_error *err)
{
    const json_t *items = json_object_get(answer, "items");
    se_status first = SE_OK;

    if (json_array_size(items) != count)
        return error_set(err, SE_ERR_STORE, "the answer has %zu items, %zu were asked for",
                         json_array_size(items), count);
    for (size_t i = 0; i < count; i++) {
        se_status st = take_item(&fields[i], job, json_array_get(items, i), first ? NULL : err);

        first = first ? first : st;
    }
    return first;
}

static se_status ask_items(json_t **answer, size_t *taken, const struct field_call *f,
                           const se_field *fields, size_t count, se_error *err)
{
    AUTO(call) call = { .type = TYPE_JSON, .accept = TYPE_JSON };
    AUTO(writer) text = { 0 };

    TRY(write_items(&text, taken, f->job, fields, count, err));
    call.text = buf_bytes(&text.buf);
    call_descriptor(&call, f->client, f->descriptor, f->job->what, f->params->version);
    return call_run_json(answer, f->client, &call, err);
}

/* A call that fails as a whole is a failure of all that are left. */
static se_status crypt_many(se_field *fields, size_t count, const struct field_call *f,
                            se_error *err)
{
    se_status first = SE_OK;

    for (size_t i = 0; i < count; i++) {
        fields[i].out = (se_buf)SE_BUF_INIT;
        fields[i].kept = false;
    }
    for (size_t at = 0, taken = 0; at < count; at += taken) {
        AUTO(json) answer = NULL;
        se_error why = SE_ERROR_INIT;
        se_status st = ask_items(&answer, &taken, f, fields + at, count - at, &why);

        if (st) {
            for (size_t i = at; i < count; i++)
                fields[i].status = st;
            return first ? first : error_copy(err, st, &why);
        }
        st = take_items(fields + at, taken, f->job, answer, &why);
        if (st && !first)
            first = error_copy(err, st, &why);
    }
    return first;
}

se_status client_encrypt_many(se_field *fields, size_t count, struct client *client,
                              const char *descriptor, const se_field_params *params, se_error *err)
{
    return crypt_many(fields, count,
                      &(struct field_call){ client, descriptor, &encrypting, params }, err);
}

se_status client_decrypt_many(se_field *fields, size_t count, struct client *client,
                              const char *descriptor, const se_field_params *params, se_error *err)
{
    return crypt_many(fields, count,
                      &(struct field_call){ client, descriptor, &decrypting, params }, err);
}

se_status client_rekey_many(se_field *fields, size_t count, struct client *client,
                            const char *descriptor, const se_field_params *params, se_error *err)
{
    return crypt_many(fields, count, &(struct field_call){ client, descriptor, &rekeying, params },
                      err);
}
