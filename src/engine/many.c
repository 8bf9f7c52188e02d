#include "base/arguments.h"
#include "engine/fields.h"

static se_status params_of_many(se_field_params *out, const se_field_params *params, se_error *err)
{
    se_status st = field_params_read(out, params, err);

    if (!st && out->context.size)
        return error_set(err, SE_ERR_USAGE,
                         "of many values, each has a context of its own: se_field.context");
    return st;
}

static void start(se_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fields[i].out = (se_buf)SE_BUF_INIT;
        fields[i].status = SE_OK;
        fields[i].kept = false;
    }
}

/* What hinders the call as a whole hinders every field. */
static se_status fail(se_field *fields, size_t count, se_status st)
{
    for (size_t i = 0; i < count; i++) {
        se_buf_free(&fields[i].out);
        fields[i].status = st;
    }
    return st;
}

static se_status seal_all(se_field *fields, size_t count, struct sealing *s, se_error *err)
{
    se_status first = SE_OK;

    for (size_t i = 0; i < count; i++) {
        se_error why = SE_ERROR_INIT;

        fields[i].status = sealing_add(&fields[i].out, s, fields[i].in, fields[i].context, &why);
        if (!fields[i].status || first)
            continue;
        first = error_set_at(err, why.status, why.file, why.line, "%s", why.text);
        (void)error_prefix(err, "field %zu: ", i + 1);
    }
    return first;
}

/* In the place of the plaintext comes what it is encrypted to. */
static se_status seal_again(se_field *field, struct sealing *s, se_error *err)
{
    AUTO(se_buf) plain = buf_move(&field->out);

    return sealing_add(&field->out, s, buf_bytes(&plain), field->context, err);
}

static se_status seal_opened(se_field *fields, size_t count, struct sealing *s, se_error *err)
{
    se_status first = SE_OK;

    for (size_t i = 0; i < count; i++) {
        if (fields[i].status || fields[i].kept)
            continue;
        fields[i].status = seal_again(&fields[i], s, err);
        if (!first)
            first = fields[i].status;
    }
    return first;
}

/* What the three have in common: the fields of a call, and what it does with them. */
typedef se_status (*work_fn)(se_field *fields, size_t count, se_engine *engine,
                             const se_field_params *params, struct operation *op);

static se_status encrypt_many(se_field *fields, size_t count, se_engine *engine,
                              const se_field_params *params, struct operation *op)
{
    AUTO(sealing) sealing = { .uses = 0 };
    se_status st = sealing_begin(&sealing, engine, op->event.descriptor, params, &op->error);

    if (sealing.descriptor)
        operation_on(op, sealing.descriptor);
    if (st)
        return fail(fields, count, st);
    if ((st = seal_all(fields, count, &sealing, &op->error)))
        (void)blame(&op->error, sealing.descriptor);
    return st;
}

static se_status decrypt_many(se_field *fields, size_t count, se_engine *engine,
                              const se_field_params *params, struct operation *op)
{
    AUTO(unsealing) unsealing = { .count = 0 };
    se_status st =
        unsealing_begin(&unsealing, engine, op->event.descriptor, params->version, &op->error);

    if (st)
        return fail(fields, count, st);
    if ((st = open_all(fields, count, &unsealing, NULL, &op->error)))
        (void)error_prefix(&op->error, "descriptor '%s': ", unsealing.name);
    return st;
}

static se_status rekey_many(se_field *fields, size_t count, se_engine *engine,
                            const se_field_params *params, struct operation *op)
{
    AUTO(sealing) sealing = { .uses = 0 };
    AUTO(unsealing) unsealing = { .count = 0 };
    se_status st = sealing_begin(&sealing, engine, op->event.descriptor, params, &op->error),
              sealed;

    if (sealing.descriptor)
        operation_on(op, sealing.descriptor);
    if (st || (st = unsealing_begin(&unsealing, engine, op->event.descriptor, 0, &op->error)))
        return fail(fields, count, st);
    st = open_all(fields, count, &unsealing, &sealing, &op->error);
    sealed = seal_opened(fields, count, &sealing, &op->error);
    if (st || sealed)
        (void)error_prefix(&op->error, "descriptor '%s': ", unsealing.name);
    return st ? st : sealed;
}

static se_status check_given(const se_field *fields, size_t count, se_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!given_bytes(fields[i].in) || !given_bytes(fields[i].context))
            return error_set(err, SE_ERR_USAGE, "field %zu: its bytes are NULL", i + 1);
    return SE_OK;
}

static se_status fail_all(se_field *fields, size_t count, se_status st)
{
    start(fields, count);
    return fail(fields, count, st);
}

static se_status many(se_field *fields, size_t count, work_fn work, const se_field_params *params,
                      se_engine *engine, struct operation *op)
{
    se_field_params read;
    se_status st;

    start(fields, count);
    for (size_t i = 0; i < count; i++)
        op->event.bytes += fields[i].in.size;
    if ((st = check_given(fields, count, &op->error)) ||
        (st = params_of_many(&read, params, &op->error)))
        return fail(fields, count, st);
    return work(fields, count, engine, &read, op);
}

se_status se_encrypt_many(se_field *fields, size_t count, se_engine *engine, const char *descriptor,
                          const se_field_params *params, se_error *error)
{
    struct operation op;
    se_status st = arguments_check(error, given_array(fields, count), engine, descriptor);

    if (st)
        return given_array(fields, count) ? fail_all(fields, count, st) : st;
    operation_begin(&op, &engine->events, "encrypt many", descriptor);
    return operation_end(&op, many(fields, count, encrypt_many, params, engine, &op), error);
}

se_status se_decrypt_many(se_field *fields, size_t count, se_engine *engine, const char *descriptor,
                          const se_field_params *params, se_error *error)
{
    struct operation op;
    se_status st = arguments_check(error, given_array(fields, count), engine, descriptor);

    if (st)
        return given_array(fields, count) ? fail_all(fields, count, st) : st;
    operation_begin(&op, &engine->events, "decrypt many", descriptor);
    return operation_end(&op, many(fields, count, decrypt_many, params, engine, &op), error);
}

se_status se_rekey_many(se_field *fields, size_t count, se_engine *engine, const char *descriptor,
                        const se_field_params *params, se_error *error)
{
    struct operation op;
    se_status st = arguments_check(error, given_array(fields, count), engine, descriptor);

    if (st)
        return given_array(fields, count) ? fail_all(fields, count, st) : st;
    operation_begin(&op, &engine->events, "rekey many", descriptor);
    return operation_end(&op, many(fields, count, rekey_many, params, engine, &op), error);
}
