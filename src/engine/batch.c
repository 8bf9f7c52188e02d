/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that take many fields. */
#include "engine/batch.h"

#include "base/arguments.h"

/* ---- encrypting ---- */

struct sealing {
    const struct batch_of_fields *batch;
    struct encryption *encryption;
    bool again;   /* what is decrypted already: the plaintext is where its value is to be */
    bool shared;  /* by several threads: each has a copy of the data key */
    size_t begin; /* of the fields that the data key is for */
    struct first_failure first;
};

static se_bytes field_plain(const struct sealing *s, size_t i)
{
    const se_field *field = &s->batch->fields[i];

    return s->again ? buf_bytes(&field->out) : field->in;
}

/* What fails leaves nothing behind: no plaintext, if that is where the value was to be. */
static void set_outcome(struct sealing *s, size_t i, se_status st, const se_error *why)
{
    se_field *field = &s->batch->fields[i];

    field->status = st;
    if (st)
        se_buf_free(&field->out);
    first_failure_note(&s->first, i, why);
}

/* Those that could not be decrypted, or need not be encrypted again, stay as they are. */
static bool is_for_sealing(const struct sealing *s, size_t i)
{
    return !s->batch->fields[i].status && !s->batch->fields[i].kept;
}

static se_status seal_field(const struct sealing *s, size_t i, struct data_key *key, se_error *err)
{
    se_field *field = &s->batch->fields[i];
    AUTO(se_buf) before = buf_move(&field->out);
    const se_bytes plain = s->again ? buf_bytes(&before) : field->in;

    return encryption_seal(&field->out, s->encryption, key, plain, field->context, err);
}

static void seal_slice(void *arg, size_t from, size_t to)
{
    struct sealing *s = arg;
    AUTO(data_key) copy = { .secret = SE_BUF_INIT };
    struct data_key *key = s->shared ? &copy : &s->encryption->data_key;
    se_error failure = SE_ERROR_INIT;

    if (s->shared)
        (void)!data_key_copy(&copy, &s->encryption->data_key, &failure);
    for (size_t i = s->begin + from; i < s->begin + to; i++) {
        se_error why = failure;

        if (!is_for_sealing(s, i))
            continue;
        set_outcome(s, i, why.status ? why.status : seal_field(s, i, key, &why), &why);
    }
}

/* The fields that one data key is for, and the first of those that it isn't for. */
static size_t reserve_fields(struct sealing *s, uint64_t *bytes)
{
    size_t end = s->begin;

    *bytes = 0;
    do {
        const se_field *field = &s->batch->fields[end];
        se_error why = SE_ERROR_INIT;

        if (is_for_sealing(s, end))
            set_outcome(
                s, end,
                encryption_reserve(s->encryption, field_plain(s, end), field->context, &why), &why);
        *bytes += field->in.size;
        end++;
    } while (end < s->batch->count && encryption_has_room(s->encryption, field_plain(s, end)));
    return end;
}

/* Plaintext in `out`, if `again`, gives way to the value, or to nothing. */
static se_status seal_fields(const struct batch_of_fields *batch, struct encryption *encryption,
                             bool again, se_error *err)
{
    struct sealing s = { .batch = batch, .encryption = encryption, .again = again };
    se_status st;

    first_failure_init(&s.first);
    for (size_t end; s.begin < batch->count; s.begin = end) {
        struct parallel_job job;
        uint64_t bytes;

        end = reserve_fields(&s, &bytes);
        job = job_for_values(end - s.begin, bytes, batch->threads);
        s.shared = job.threads > 1;
        job.run = seal_slice;
        job.arg = &s;
        parallel_run(&job);
    }
    st = first_failure_report(&s.first, "field", err);
    first_failure_free(&s.first);
    return st;
}

/* ---- the calls ---- */

static void fields_clear(se_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fields[i].out = (se_buf)SE_BUF_INIT;
        fields[i].status = SE_OK;
        fields[i].kept = false;
    }
}

/* What hinders the call as a whole hinders every field. */
static se_status fields_fail(se_field *fields, size_t count, se_status st)
{
    for (size_t i = 0; i < count; i++) {
        se_buf_free(&fields[i].out);
        fields[i].status = st;
    }
    return st;
}

/* One call: the fields, and what it does with them. */
struct batch_call {
    se_field *fields;
    size_t count;
    se_engine *engine;
    const char *descriptor;
    const se_field_params *given;
    se_field_params params;
    struct api_call call;
};

static struct batch_of_fields batch_of(const struct batch_call *b)
{
    return (struct batch_of_fields){ b->fields, b->count, b->call.event.bytes, b->params.threads };
}

static se_status batch_encrypt(struct batch_call *b)
{
    const struct batch_of_fields batch = batch_of(b);
    AUTO(encryption) encryption = { .uses = 0 };
    const struct version_wish wish = field_version_wish(&b->params);
    se_status st = encryption_begin(&encryption, b->call.engine, &b->call, &wish);

    if (st)
        return fields_fail(b->fields, b->count, st);
    encryption.binary = b->params.binary;
    return error_blame_key(&b->call.error, seal_fields(&batch, &encryption, false, &b->call.error),
                           encryption.descriptor);
}

static se_status batch_decrypt(struct batch_call *b)
{
    const struct batch_of_fields batch = batch_of(b);
    AUTO(decryption) decryption = { .count = 0 };
    se_status st = decryption_begin(&decryption, b->call.engine, &b->call, b->params.version);

    if (st)
        return fields_fail(b->fields, b->count, st);
    return error_prefix(&b->call.error, decrypt_batch(&batch, &decryption, NULL, &b->call.error),
                        "descriptor '%s': ", decryption.name);
}

static se_status batch_rekey(struct batch_call *b)
{
    const struct batch_of_fields batch = batch_of(b);
    AUTO(encryption) encryption = { .uses = 0 };
    AUTO(decryption) decryption = { .count = 0 };
    const struct version_wish wish = field_version_wish(&b->params);
    se_status st = encryption_begin(&encryption, b->call.engine, &b->call, &wish), again;

    if (!st)
        st = decryption_begin(&decryption, b->call.engine, &b->call, 0);
    if (st)
        return fields_fail(b->fields, b->count, st);
    encryption.binary = b->params.binary;
    st = decrypt_batch(&batch, &decryption, &encryption, &b->call.error);
    again = seal_fields(&batch, &encryption, true, st ? NULL : &b->call.error);
    if (st || again)
        (void)error_prefix(&b->call.error, b->call.error.status,
                           "descriptor '%s': ", decryption.name);
    return st ? st : again;
}

static se_status batch_check(struct batch_call *b)
{
    se_error *err = &b->call.error;

    for (size_t i = 0; i < b->count; i++)
        if (!given_bytes(b->fields[i].in) || !given_bytes(b->fields[i].context))
            return error_set(err, SE_ERR_USAGE, "field %zu: its bytes are NULL", i + 1);
    TRY(arguments_options(&b->params, b->given, se_field_params, err));
    TRY(api_call_tag(&b->call, b->params.tag));
    if (b->params.context.size)
        return error_set(err, SE_ERR_USAGE,
                         "of many values, each has a context of its own: se_field.context");
    return SE_OK;
}

static se_status batch_run(struct batch_call *b, const char *operation,
                           se_status (*run)(struct batch_call *b), se_error *err)
{
    se_status st;

    fields_clear(b->fields, b->count);
    api_call_begin(&b->call, b->engine, operation, b->descriptor);
    b->call.event.items = b->count;
    for (size_t i = 0; i < b->count; i++)
        b->call.event.bytes += b->fields[i].in.size;
    st = batch_check(b);
    st = st ? fields_fail(b->fields, b->count, st) : run(b);
    for (size_t i = 0; i < b->count; i++)
        b->call.event.failed += b->fields[i].status != SE_OK;
    return api_call_end(&b->call, st, err);
}

static se_status batch_refuse(se_field *fields, size_t count, se_status st)
{
    if (fields)
        fields_clear(fields, count);
    return fields ? fields_fail(fields, count, st) : st;
}

se_status se_encrypt_many(se_field *fields, size_t count, se_engine *engine, const char *descriptor,
                          const se_field_params *params, se_error *error)
{
    struct batch_call b = { fields, count, engine, descriptor, .given = params };
    se_status st = arguments_check(error, given_array(fields, count), engine, descriptor);

    return st ? batch_refuse(fields, count, st)
              : batch_run(&b, "encrypt many", batch_encrypt, error);
}

se_status se_decrypt_many(se_field *fields, size_t count, se_engine *engine, const char *descriptor,
                          const se_field_params *params, se_error *error)
{
    struct batch_call b = { fields, count, engine, descriptor, .given = params };
    se_status st = arguments_check(error, given_array(fields, count), engine, descriptor);

    return st ? batch_refuse(fields, count, st)
              : batch_run(&b, "decrypt many", batch_decrypt, error);
}

se_status se_rekey_many(se_field *fields, size_t count, se_engine *engine, const char *descriptor,
                        const se_field_params *params, se_error *error)
{
    struct batch_call b = { fields, count, engine, descriptor, .given = params };
    se_status st = arguments_check(error, given_array(fields, count), engine, descriptor);

    return st ? batch_refuse(fields, count, st) : batch_run(&b, "rekey many", batch_rekey, error);
}
