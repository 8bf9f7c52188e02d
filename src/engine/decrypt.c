/* SPDX-License-Identifier: Apache-2.0 */
/* Decrypting fields: each by the version that it was made for. */
#include <stdlib.h>

#include "base/arguments.h"
#include "base/base64.h"
#include "config/versions.h"
#include "crypto/pkey_ops.h"
#include "engine/data_key_cache.h"
#include "engine/fields.h"

/* A version whose certificate is out of reach does not hinder the others. */
static void decryption_add(struct decryption *dec, const struct descriptor *descriptor)
{
    struct reader_version version = { .descriptor = descriptor };
    se_error failure = SE_ERROR_INIT;
    size_t at = dec->count++;

    if (key_cache_open(&version.key, dec->engine, descriptor->key, PART_CERTIFICATE, &failure) &&
        !dec->missing.status) {
        (void)error_prefix(&failure, failure.status, "version %u: key '%s': ", descriptor->version,
                           descriptor->key->name);
        dec->missing = failure;
    }
    for (; at && dec->versions[at - 1].descriptor->version < descriptor->version; at--)
        dec->versions[at] = dec->versions[at - 1];
    dec->versions[at] = version;
}

static bool is_for_decryption(const struct descriptor *d)
{
    return d->algorithm.kind == ALGORITHM_CIPHER || d->algorithm.kind == ALGORITHM_WRAP;
}

static se_status decryption_collect(struct decryption *dec, const struct descriptor *any,
                                    unsigned version, se_error *err)
{
    const struct config *config = dec->engine->config;

    if (!(dec->versions = calloc(config->descriptor_count, sizeof *dec->versions)))
        return error_memory(err);
    for (size_t i = 0; i < config->descriptor_count; i++) {
        const struct descriptor *d = &config->descriptors[i];

        if (strcmp(d->name, any->name) == 0 && (!version || d->version == version) &&
            is_for_decryption(d))
            decryption_add(dec, d);
    }
    return dec->count ? SE_OK
                      : error_set(err, SE_ERR_POLICY, "its algorithm %s is not for encryption",
                                  any->algorithm.name);
}

se_status decryption_begin(struct decryption *out, struct engine *engine, struct api_call *call,
                           unsigned version)
{
    const struct descriptor *any;
    se_error *err = &call->error;

    *out = (struct decryption){
        .engine = engine, .call = call, .is_stated = version, .missing = SE_ERROR_INIT
    };
    TRY(config_descriptor(&any, engine->config, call->event.descriptor, version, err));
    out->name = any->name;
    return error_prefix(err, decryption_collect(out, any, version, err),
                        "descriptor '%s': ", any->name);
}

void decryption_end(struct decryption *dec)
{
    for (size_t i = 0; i < dec->count; i++)
        key_unref(dec->versions[i].key);
    free(dec->versions);
    *dec = (struct decryption){ .count = 0 };
}

se_status decryption_parse(struct envelope *out, struct decryption *dec, se_bytes value,
                           se_error *err)
{
    bool bare = dec->versions[0].descriptor->algorithm.kind == ALGORITHM_WRAP;

    return envelope_read(out, value, bare ? &blob_format : NULL, err);
}

static bool envelope_is_for(const struct envelope *envelope, const struct reader_version *v)
{
    const struct recipient recipient = { v->key, v->descriptor->version };

    return envelope->format->is_for(envelope, &recipient);
}

bool decryption_is_for(const struct envelope *envelope, const struct reader_version *v)
{
    return v->key && envelope->format == envelope_format(&v->descriptor->algorithm) &&
           envelope_is_for(envelope, v);
}

static se_status unwrap_by_store(se_buf *secret, const struct decryption *dec,
                                 const struct reader_version *v, const struct envelope *envelope,
                                 se_error *err)
{
    const struct algorithm *a = &v->descriptor->algorithm;
    const struct unwrap_how stated = { a->oaep, a->mgf1 };
    AUTO(key) key = NULL;
    se_status st = key_cache_open(&key, dec->engine, v->descriptor->key, PART_DECRYPT, err);

    if (!st)
        st = key_unwrap(secret, key->private, envelope->how.digest ? &envelope->how : &stated,
                        envelope->wrapped, err);
    if (st && st != SE_ERR_REJECTED)
        (void)error_prefix(err, st, "version %u: key '%s': ", v->descriptor->version,
                           v->descriptor->key->name);
    return st;
}

static se_status unwrap_by_version(se_buf *secret, struct key_use *use,
                                   const struct decryption *dec, const struct reader_version *v,
                                   const struct envelope *envelope, se_error *err)
{
    struct data_key_cache *cache = data_key_cache_of(dec->engine, v->descriptor);
    unsigned char id[DATA_KEY_ID];
    se_status st = SE_OK;

    TRY(envelope_key_id(id, envelope, err));
    remote_trace_forget();
    if (!data_key_cache_get(secret, cache, id) &&
        !(st = unwrap_by_store(secret, dec, v, envelope, err)))
        data_key_cache_put(cache, id, buf_bytes(secret));
    *use = key_use_of(v->descriptor, v->key);
    return st;
}

static bool is_configured(const struct decryption *dec, unsigned version)
{
    const struct config *config = dec->engine->config;

    for (size_t i = 0; i < config->descriptor_count; i++)
        if (!strcmp(config->descriptors[i].name, dec->name) &&
            config->descriptors[i].version == version)
            return true;
    return false;
}

static bool is_for_any(const struct decryption *dec, const struct envelope *envelope)
{
    for (size_t i = 0; i < dec->count; i++)
        if (dec->versions[i].key && envelope_is_for(envelope, &dec->versions[i]))
            return true;
    return false;
}

static se_status refuse_key_id(const struct decryption *dec, const struct envelope *envelope,
                               se_error *err)
{
    AUTO(se_buf) kid = SE_BUF_INIT;

    TRY(base64url_encode(&kid, envelope->named_key, err));
    return error_set(err, SE_ERR_NO_DESCRIPTOR,
                     "the value was made for the key with the kid %s, which no version of '%s' has "
                     "that is configured here",
                     (const char *)kid.data, dec->name);
}

/* A refusal can be wrong when a version could not be looked at: then it is "don't know".  Which
 * version or key a value is of stands in it in clear, so that nothing is given away. */
static se_status refuse_value(const struct decryption *dec, const struct envelope *envelope,
                              se_error *err)
{
    if (dec->missing.status)
        return error_copy(err, dec->missing.status, &dec->missing);
    if (envelope->version && !is_configured(dec, envelope->version))
        return error_no_version(err, dec->engine->config, "the value", dec->name,
                                envelope->version);
    if (envelope->named_key.size && !dec->is_stated && !is_for_any(dec, envelope))
        return refuse_key_id(dec, envelope, err);
    return envelope_refused(err);
}

/* Where something else is written, CBC without a tag is a trick: what GCM made could be asked about
 * as CBC. */
static bool version_may_read(const struct envelope *envelope, const struct reader_version *v)
{
    const struct algorithm *a = &v->descriptor->algorithm;
    bool bare = envelope->format == &blob_format;

    return v->key && bare == (a->kind == ALGORITHM_WRAP) &&
           (!envelope->unauthenticated || (a->cipher == CIPHER_AES_CBC && a->result == RESULT_CMS));
}

/* With the versions that the envelope names, or with those that it does not.  SE_ERR_REJECTED: with
 * none of them. */
static se_status unwrap_by_versions(se_buf *secret, struct key_use *use,
                                    const struct decryption *dec, const struct envelope *envelope,
                                    bool named, se_error *err)
{
    for (size_t i = 0; i < dec->count; i++) {
        const struct reader_version *v = &dec->versions[i];
        se_error failure = SE_ERROR_INIT;
        se_status st;

        if (!version_may_read(envelope, v) || envelope_is_for(envelope, v) != named)
            continue;
        if (!(st =
                  key_check_sharing(dec->engine, v->descriptor, v->key, SE_ERR_REJECTED, &failure)))
            st = unwrap_by_version(secret, use, dec, v, envelope, &failure);
        if (st != SE_ERR_REJECTED)
            return st ? error_copy(err, st, &failure) : SE_OK;
    }
    return SE_ERR_REJECTED;
}

se_status decryption_unwrap(se_buf *secret, struct key_use *use, const struct decryption *dec,
                            const struct envelope *envelope, se_error *err)
{
    se_status st;

    *secret = (se_buf)SE_BUF_INIT;
    *use = (struct key_use){ .key = NULL };
    st = unwrap_by_versions(secret, use, dec, envelope, true, err);
    if (st == SE_ERR_REJECTED && envelope->anybody)
        st = unwrap_by_versions(secret, use, dec, envelope, false, err);
    if (st != SE_ERR_REJECTED)
        return st;
    return refuse_value(dec, envelope, err);
}

se_status decryption_prepare(struct data_key *out, se_buf *secret, const struct envelope *envelope,
                             se_error *err)
{
    *out = (struct data_key){ .secret = buf_move(secret) };
    return envelope->format->prepare_open(out, envelope, err);
}

se_status decryption_finish(se_buf *out, struct data_key *key, const struct envelope *envelope,
                            se_bytes context, se_error *err)
{
    const struct open_job job = { envelope, key, context };

    return envelope->format->open(out, &job, err);
}

static se_status decrypt_value(se_buf *out, struct decryption *dec, se_bytes value,
                               se_bytes context, se_error *err)
{
    AUTO(envelope) envelope = { .format = NULL };
    AUTO(data_key) key = { .secret = SE_BUF_INIT };
    AUTO(se_buf) secret = SE_BUF_INIT;
    struct key_use use;
    se_status st;

    TRY(decryption_parse(&envelope, dec, value, err));
    st = decryption_unwrap(&secret, &use, dec, &envelope, err);
    api_call_use(dec->call, &use);
    if (st)
        return st;
    TRY(decryption_prepare(&key, &secret, &envelope, err));
    return decryption_finish(out, &key, &envelope, context, err);
}

static se_status decrypt_field(se_buf *out, struct engine *engine, se_bytes in,
                               const se_field_params *params, struct api_call *call)
{
    AUTO(decryption) decryption = { .count = 0 };
    se_field_params read;

    TRY(arguments_options(&read, params, se_field_params, &call->error));
    TRY(api_call_tag(call, read.tag));
    TRY(decryption_begin(&decryption, engine, call, read.version));
    return error_prefix(&call->error,
                        decrypt_value(out, &decryption, in, read.context, &call->error),
                        "descriptor '%s': ", decryption.name);
}

se_status se_decrypt(se_buf *out, se_engine *engine, const char *descriptor, se_bytes in,
                     const se_field_params *params, se_error *error)
{
    struct api_call call;
    se_status st;

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, engine, descriptor, given_bytes(in)));
    api_call_begin(&call, engine, "decrypt", descriptor);
    call.event.bytes = in.size;
    st = decrypt_field(out, call.engine, in, params, &call);
    return api_call_end(&call, st, error);
}
