#include <stdlib.h>

#include "base/arguments.h"
#include "crypto/pkey_ops.h"
#include "engine/fields.h"
#include "engine/memory.h"
#include "engine/sharing.h"

/* A version whose certificate is out of reach does not hinder the others. */
static void add(struct unsealing *o, const struct descriptor *d)
{
    struct reader_version version = { .descriptor = d };
    se_error failure = SE_ERROR_INIT;
    size_t at = o->count++;

    if (slot_open(&version.key, o->engine, d->key, PART_CERTIFICATE, &failure) &&
        !o->missing.status) {
        (void)error_prefix(&failure, "version %u: key '%s': ", d->version, d->key->name);
        o->missing = failure;
    }
    for (; at && o->versions[at - 1].descriptor->version < d->version; at--)
        o->versions[at] = o->versions[at - 1];
    o->versions[at] = version;
}

static bool decrypts(const struct descriptor *d)
{
    return d->algorithm.kind == ALGORITHM_CIPHER || d->algorithm.kind == ALGORITHM_WRAP;
}

static se_status collect(struct unsealing *o, const struct descriptor *any, unsigned version,
                         se_error *err)
{
    const struct config *config = o->engine->config;

    if (!(o->versions = calloc(config->descriptor_count, sizeof *o->versions)))
        return error_memory(err);
    for (size_t i = 0; i < config->descriptor_count; i++) {
        const struct descriptor *d = &config->descriptors[i];

        if (strcmp(d->name, any->name) == 0 && (!version || d->version == version) && decrypts(d))
            add(o, d);
    }
    return o->count ? SE_OK
                    : error_set(err, SE_ERR_POLICY, "its algorithm %s is not for encryption",
                                any->algorithm.name);
}

se_status unsealing_begin(struct unsealing *out, se_engine *engine, const char *descriptor,
                          unsigned version, se_error *err)
{
    const struct descriptor *any;
    se_status st;

    *out = (struct unsealing){ .engine = engine, .missing = SE_ERROR_INIT };
    TRY(config_descriptor(&any, engine->config, descriptor, version, err));
    out->name = any->name;
    if ((st = collect(out, any, version, err)))
        (void)error_prefix(err, "descriptor '%s': ", any->name);
    return st;
}

void unsealing_end(struct unsealing *o)
{
    for (size_t i = 0; i < o->count; i++)
        key_unref(o->versions[i].key);
    free(o->versions);
    *o = (struct unsealing){ .count = 0 };
}

se_status unsealing_read(struct envelope *out, struct unsealing *o, se_bytes value, se_error *err)
{
    bool bare = o->versions[0].descriptor->algorithm.kind == ALGORITHM_WRAP;

    return envelope_read(out, value, bare ? &blob_format : NULL, err);
}

static bool is_for(const struct envelope *envelope, const struct reader_version *v)
{
    const struct recipient recipient = { v->key, v->descriptor->version };

    return envelope->format->is_for(envelope, &recipient);
}

static se_status ask_store(se_buf *secret, const struct unsealing *o,
                           const struct reader_version *v, const struct envelope *envelope,
                           se_error *err)
{
    const struct algorithm *a = &v->descriptor->algorithm;
    const struct unwrap_how stated = { a->oaep, a->mgf1 };
    AUTO(key) key = NULL;
    se_status st = slot_open(&key, o->engine, v->descriptor->key, PART_DECRYPT, err);

    if (!st)
        st = key_unwrap(secret, key->private, envelope->how.digest ? &envelope->how : &stated,
                        envelope->wrapped, err);
    if (st && st != SE_ERR_REJECTED)
        (void)error_prefix(err, "version %u: key '%s': ", v->descriptor->version,
                           v->descriptor->key->name);
    return st;
}

static se_status unwrap(se_buf *secret, const struct unsealing *o, const struct reader_version *v,
                        const struct envelope *envelope, se_error *err)
{
    struct data_keys *memory = memory_of(o->engine, v->descriptor);
    unsigned char id[DATA_KEY_ID];

    TRY(envelope_key_id(id, envelope, err));
    if (memory_recall(secret, memory, id))
        return SE_OK;
    TRY(ask_store(secret, o, v, envelope, err));
    memory_keep(memory, id, buf_bytes(secret));
    return SE_OK;
}

/* A refusal can be wrong when a version could not be looked at: then it is "don't know". */
static se_status refuse(const struct unsealing *o, se_error *err)
{
    if (!o->missing.status)
        return envelope_refused(err);
    return error_set_at(err, o->missing.status, o->missing.file, o->missing.line, "%s",
                        o->missing.text);
}

/* Which version it is of stands in it in clear, so that nothing is given away. */
static bool is_of_stranger(const struct unsealing *o, const struct envelope *envelope)
{
    const struct config *config = o->engine->config;
    bool known = !envelope->version || o->missing.status;

    for (size_t i = 0; !known && i < config->descriptor_count; i++)
        known = !strcmp(config->descriptors[i].name, o->name) &&
                config->descriptors[i].version == envelope->version;
    return !known;
}

/* Where something else is written, CBC without a tag is a trick: what GCM made could be asked about
 * as CBC. */
static bool may_read(const struct envelope *envelope, const struct reader_version *v)
{
    const struct algorithm *a = &v->descriptor->algorithm;
    bool bare = envelope->format == &blob_format;

    return v->key && bare == (a->kind == ALGORITHM_WRAP) &&
           (!envelope->unauthenticated || (a->cipher == CIPHER_AES_CBC && a->result == RESULT_CMS));
}

/* With the versions that the envelope names, or with those that it does not.  SE_ERR_REJECTED: with
 * none of them. */
static se_status unwrap_with(se_buf *secret, const struct unsealing *o,
                             const struct envelope *envelope, bool named, se_error *err)
{
    for (size_t i = 0; i < o->count; i++) {
        const struct reader_version *v = &o->versions[i];
        se_error failure = SE_ERROR_INIT;
        se_status st;

        if (!may_read(envelope, v) || is_for(envelope, v) != named)
            continue;
        if (!(st = sharing_check(o->engine, v->descriptor, v->key, SE_ERR_REJECTED, &failure)))
            st = unwrap(secret, o, v, envelope, &failure);
        if (st != SE_ERR_REJECTED)
            return st ? error_set_at(err, st, failure.file, failure.line, "%s", failure.text)
                      : SE_OK;
    }
    return SE_ERR_REJECTED;
}

se_status unsealing_unwrap(se_buf *secret, const struct unsealing *o,
                           const struct envelope *envelope, se_error *err)
{
    se_status st;

    *secret = (se_buf)SE_BUF_INIT;
    st = unwrap_with(secret, o, envelope, true, err);
    if (st == SE_ERR_REJECTED && envelope->anybody)
        st = unwrap_with(secret, o, envelope, false, err);
    if (st != SE_ERR_REJECTED)
        return st;
    if (is_of_stranger(o, envelope))
        return error_set(
            err, SE_ERR_REJECTED,
            "the value does not decrypt: it says that it is of version %u, which is not configured",
            envelope->version);
    return refuse(o, err);
}

se_status unsealing_prepare(struct data_key *out, se_buf *secret, const struct envelope *envelope,
                            se_error *err)
{
    *out = (struct data_key){ .secret = buf_move(secret) };
    return envelope->format->prepare_open(out, envelope, err);
}

se_status unsealing_finish(se_buf *out, struct data_key *key, const struct envelope *envelope,
                           se_bytes context, se_error *err)
{
    const struct open_job job = { envelope, key, context };

    return envelope->format->open(out, &job, err);
}

static se_status decrypt(se_buf *out, struct unsealing *o, se_bytes value, se_bytes context,
                         se_error *err)
{
    AUTO(envelope) envelope = { .format = NULL };
    AUTO(data_key) key = { .secret = SE_BUF_INIT };
    AUTO(se_buf) secret = SE_BUF_INIT;

    TRY(unsealing_read(&envelope, o, value, err));
    TRY(unsealing_unwrap(&secret, o, &envelope, err));
    TRY(unsealing_prepare(&key, &secret, &envelope, err));
    return unsealing_finish(out, &key, &envelope, context, err);
}

static se_status decrypt_for(se_buf *out, se_engine *engine, se_bytes in,
                             const se_field_params *params, struct operation *op)
{
    AUTO(unsealing) unsealing = { .count = 0 };
    se_field_params read;
    se_status st;

    TRY(field_params_read(&read, params, &op->error));
    TRY(unsealing_begin(&unsealing, engine, op->event.descriptor, read.version, &op->error));
    if ((st = decrypt(out, &unsealing, in, read.context, &op->error)))
        (void)error_prefix(&op->error, "descriptor '%s': ", unsealing.name);
    return st;
}

se_status se_decrypt(se_buf *out, se_engine *engine, const char *descriptor, se_bytes in,
                     const se_field_params *params, se_error *error)
{
    struct operation op;
    se_status st;

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, engine, descriptor, given_bytes(in)));
    operation_begin(&op, &engine->events, "decrypt", descriptor);
    op.event.bytes = in.size;
    st = decrypt_for(out, engine, in, params, &op);
    return operation_end(&op, st, error);
}
