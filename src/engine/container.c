#include "fields/container.h"
#include "base/arguments.h"
#include "engine/fields.h"

static se_status params_of(se_container_params *out, const se_container_params *params,
                           se_error *err)
{
    TRY(arguments_options(out, params, se_container_params, err));
    if (out->context.size > VALUE_MAX)
        return error_set(err, SE_ERR_USAGE, "a context of %zu bytes is too long",
                         out->context.size);
    return SE_OK;
}

/* The application's own streams, and how many bytes have been read. */
struct passage {
    const se_sink *out;
    struct stream in;
    se_container_params params;
};

static se_status passage_begin(struct passage *p, const se_sink *out, const se_source *in,
                               const se_container_params *params, se_error *err)
{
    se_status st = params_of(&p->params, params, err);

    p->out = out;
    p->in = (struct stream){ in, p->params.progress, p->params.progress_arg, 0 };
    return st;
}

/* ---- encrypting ---- */

se_status container_form(const struct descriptor *d, se_error *err)
{
    const struct algorithm *a = &d->algorithm;

    if (a->kind == ALGORITHM_CIPHER && a->result == RESULT_NX02)
        return SE_OK;
    return error_set(err, SE_ERR_POLICY, "a container is NX02, its result is %s",
                     a->kind == ALGORITHM_WRAP ? "bare RSA-OAEP" : result_name(a->result));
}

static se_status seal(struct passage *p, struct sealing *s, se_error *err)
{
    const struct seal_job job = {
        .algorithm = &s->descriptor->algorithm,
        .recipient = &s->recipient,
        .key = &s->data_key,
        .context = p->params.context,
    };

    TRY(container_form(s->descriptor, err));
    TRY(sealing_secret(&s->data_key, s, CONTAINER_SECRET, err));
    return container_seal(p->out, &job, &p->in, err);
}

static se_status encrypt(struct passage *p, se_engine *engine, struct operation *op)
{
    AUTO(sealing) s = { .uses = 0 };
    se_field_params field = SE_FIELD_PARAMS_INIT;
    se_status st;

    field.version = p->params.version;
    st = sealing_begin(&s, engine, op->event.descriptor, &field, &op->error);
    if (s.descriptor)
        operation_on(op, s.descriptor);
    if (!st && (st = seal(p, &s, &op->error)))
        (void)blame(&op->error, s.descriptor);
    return st;
}

se_status se_zip_encrypt_stream(const se_sink *out, se_engine *engine, const char *descriptor,
                                const se_source *in, const se_container_params *params,
                                se_error *error)
{
    struct operation op;
    struct passage p;
    se_status st;

    TRY(arguments_check(error, given_sink(out), engine, descriptor, given_source(in)));
    operation_begin(&op, &engine->events, "zip encrypt", descriptor);
    if (!(st = passage_begin(&p, out, in, params, &op.error)))
        st = encrypt(&p, engine, &op);
    op.event.bytes = p.in.done;
    return operation_end(&op, st, error);
}

/* ---- decrypting ---- */

static se_status open_with(struct passage *p, struct unsealing *o, const struct envelope *envelope,
                           se_error *err)
{
    AUTO(data_key) key = { .secret = SE_BUF_INIT };
    const struct open_job job = { envelope, &key, p->params.context };
    se_status st = unsealing_unwrap(&key.secret, o, envelope, err);

    return st ? st : container_open(p->out, &job, &p->in, err);
}

static se_status refuse(se_error *err)
{
    return error_set(err, SE_ERR_REJECTED,
                     "the container does not decrypt: it was changed or cut short, moved to "
                     "another context, or made for another key");
}

static se_status decrypt(struct passage *p, struct unsealing *o, se_error *err)
{
    AUTO(envelope) envelope = { .format = NULL };
    se_error why = SE_ERROR_INIT;
    se_status st;

    if (!(st = container_read(&envelope, &p->in, &why)))
        st = open_with(p, o, &envelope, &why);
    if (!st)
        return SE_OK;
    return st == SE_ERR_REJECTED ? refuse(err)
                                 : error_set_at(err, st, why.file, why.line, "%s", why.text);
}

static se_status decrypt_for(struct passage *p, se_engine *engine, struct operation *op)
{
    AUTO(unsealing) o = { .count = 0 };
    se_status st;

    TRY(unsealing_begin(&o, engine, op->event.descriptor, p->params.version, &op->error));
    if ((st = decrypt(p, &o, &op->error)))
        (void)error_prefix(&op->error, "descriptor '%s': ", o.name);
    return st;
}

se_status se_zip_decrypt_stream(const se_sink *out, se_engine *engine, const char *descriptor,
                                const se_source *in, const se_container_params *params,
                                se_error *error)
{
    struct operation op;
    struct passage p;
    se_status st;

    TRY(arguments_check(error, given_sink(out), engine, descriptor, given_source(in)));
    operation_begin(&op, &engine->events, "zip decrypt", descriptor);
    if (!(st = passage_begin(&p, out, in, params, &op.error)))
        st = decrypt_for(&p, engine, &op);
    op.event.bytes = p.in.done;
    return operation_end(&op, st, error);
}

bool se_zip_is_encrypted(se_bytes beginning)
{
    return given_bytes(beginning) && container_resembles(beginning);
}
