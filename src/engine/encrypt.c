#include "base/arguments.h"
#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"
#include "engine/fields.h"
#include "engine/sharing.h"

se_status field_params_read(se_field_params *out, const se_field_params *params, se_error *err)
{
    return arguments_options(out, params, se_field_params, err);
}

static se_status prepare(struct sealing *s, se_error *err)
{
    const struct algorithm *a = &s->descriptor->algorithm;

    if (a->kind != ALGORITHM_CIPHER && a->kind != ALGORITHM_WRAP)
        return error_set(err, SE_ERR_POLICY, "its algorithm %s is not for encryption", a->name);
    TRY(slot_open(&s->key, s->engine, s->descriptor->key, PART_ENCRYPT, err));
    s->recipient = (struct recipient){ s->key, s->descriptor->version };
    s->format = envelope_format(a);
    TRY(key_allowed(s->key, s->descriptor, err));
    TRY(sharing_check(s->engine, s->descriptor, s->key, SE_ERR_POLICY, err));
    return SE_OK;
}

se_status sealing_begin(struct sealing *out, se_engine *engine, const char *descriptor,
                        const se_field_params *params, se_error *err)
{
    se_status st;

    *out = (struct sealing){ .engine = engine, .binary = params->binary };
    TRY(config_descriptor(&out->descriptor, engine->config, descriptor, params->version, err));
    if ((st = prepare(out, err)))
        (void)blame(err, out->descriptor);
    return st;
}

void sealing_end(struct sealing *s)
{
    data_key_free(&s->data_key);
    key_unref(s->key);
    *s = (struct sealing){ .uses = 0 };
}

static struct seal_job job_of(struct sealing *s, se_bytes plain, se_bytes context)
{
    return (struct seal_job){
        &s->descriptor->algorithm, &s->recipient, &s->data_key, s->binary, plain, context
    };
}

static se_status wrap(se_buf *out, const struct sealing *s, se_bytes secret, se_error *err)
{
    const struct algorithm *a = &s->descriptor->algorithm;
    const struct unwrap_how how = { a->oaep, a->mgf1 };

    return key_wrap(out, X509_get0_pubkey(s->key->certificate), &how, secret, err);
}

/* A fixed IV must not meet the same key twice, and what is wrapped itself is its own key. */
static void limit(struct sealing *s)
{
    const struct data_key_limits *l = &s->descriptor->limits;

    s->uses = l->uses ? l->uses : DATA_KEY_USES;
    s->bytes = l->bytes ? l->bytes : DATA_KEY_BYTES;
    if (s->format == &blob_format || s->descriptor->algorithm.iv_size)
        s->uses = 1;
}

se_status sealing_secret(struct data_key *out, struct sealing *s, size_t size, se_error *err)
{
    se_status st = buf_new(&out->secret, size, err);

    if (st || (st = crypto_draw_secret(out->secret.data, size, err)))
        return st;
    return wrap(&out->wrapped, s, buf_bytes(&out->secret), err);
}

/* What is wrapped is the value itself. */
static se_status wrap_plain(struct data_key *out, const struct sealing *s, se_bytes plain,
                            se_error *err)
{
    se_status st = buf_copy(&out->secret, plain, err);

    return st ? st : wrap(&out->wrapped, s, plain, err);
}

static se_status renew(struct sealing *s, const struct seal_job *job, se_error *err)
{
    struct data_key *key = &s->data_key;
    se_status st;

    data_key_free(key);
    limit(s);
    st = s->format == &blob_format
             ? wrap_plain(key, s, job->plain, err)
             : sealing_secret(key, s, s->format->secret_size(&s->descriptor->algorithm), err);
    if (st || (st = s->format->prepare_seal(job, err))) {
        data_key_free(key);
        s->uses = 0;
    }
    return st;
}

static se_status check(const struct sealing *s, se_bytes plain, se_bytes context, se_error *err)
{
    if (plain.size > VALUE_MAX || context.size > VALUE_MAX)
        return error_set(err, SE_ERR_USAGE, "%zu bytes are too long for a value",
                         plain.size > VALUE_MAX ? plain.size : context.size);
    if (context.size && !s->format->binds_context)
        return error_set(err, SE_ERR_USAGE, "%s can't bind a value to a context", s->format->name);
    return SE_OK;
}

se_status sealing_add(se_buf *out, struct sealing *s, se_bytes plain, se_bytes context,
                      se_error *err)
{
    struct seal_job job = job_of(s, plain, context);
    se_status st = check(s, plain, context, err);

    *out = (se_buf)SE_BUF_INIT;
    if (!st && (!s->uses || plain.size > s->bytes))
        st = renew(s, &job, err);
    if (st || (st = s->format->seal(out, &job, err)))
        return st;
    s->uses--;
    s->bytes -= plain.size < s->bytes ? plain.size : s->bytes;
    return SE_OK;
}

static se_status encrypt(se_buf *out, se_engine *engine, se_bytes in, const se_field_params *params,
                         struct operation *op)
{
    AUTO(sealing) sealing = { .uses = 0 };
    se_field_params read;
    se_status st;

    TRY(field_params_read(&read, params, &op->error));
    st = sealing_begin(&sealing, engine, op->event.descriptor, &read, &op->error);
    if (sealing.descriptor)
        operation_on(op, sealing.descriptor);
    if (!st && (st = sealing_add(out, &sealing, in, read.context, &op->error)))
        (void)blame(&op->error, sealing.descriptor);
    return st;
}

se_status se_encrypt(se_buf *out, se_engine *engine, const char *descriptor, se_bytes in,
                     const se_field_params *params, se_error *error)
{
    struct operation op;
    se_status st;

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, engine, descriptor, given_bytes(in)));
    operation_begin(&op, &engine->events, "encrypt", descriptor);
    op.event.bytes = in.size;
    st = encrypt(out, engine, in, params, &op);
    return operation_end(&op, st, error);
}
