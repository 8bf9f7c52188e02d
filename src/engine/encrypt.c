/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypting fields: a data key for several of them, and it wrapped for a certificate. */
#include <stdlib.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/reader.h"
#include "config/versions.h"
#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"
#include "engine/fields.h"

/* ---- encrypting ---- */

static se_status encryption_prepare(struct encryption *e, se_error *err)
{
    const struct algorithm *a = &e->descriptor->algorithm;

    if (a->kind != ALGORITHM_CIPHER && a->kind != ALGORITHM_WRAP)
        return error_set(err, SE_ERR_POLICY, "its algorithm %s is not for encryption", a->name);
    TRY(key_cache_open(&e->key, e->engine, e->descriptor->key, PART_ENCRYPT, err));
    e->recipient = (struct recipient){ e->key, e->descriptor->version };
    e->format = envelope_format(a);
    TRY(key_check_rules(e->key, e->descriptor, err));
    TRY(key_check_sharing(e->engine, e->descriptor, e->key, SE_ERR_POLICY, err));
    return SE_OK;
}

se_status encryption_begin(struct encryption *out, struct engine *engine, struct api_call *call,
                           const struct version_wish *wish)
{
    struct version_wish now = *wish;
    se_error *err = &call->error;
    struct key_use use;
    se_status st;

    *out = (struct encryption){ .engine = engine, .is_stated = wish->version };
    now.time = clock_seconds();
    TRY(engine_choose_version(&out->descriptor, engine, call->event.descriptor, &now, err));
    st = encryption_prepare(out, err);
    use = key_use_of(out->descriptor, out->key);
    api_call_use(call, &use);
    return error_blame_key(err, st, out->descriptor);
}

struct version_wish field_version_wish(const se_field_params *params)
{
    return (struct version_wish){ .version = params->version, .any_time = params->at_any_time };
}

void encryption_end(struct encryption *e)
{
    data_key_free(&e->data_key);
    key_unref(e->key);
    *e = (struct encryption){ .uses = 0 };
}

static struct seal_job encryption_job(const struct encryption *e, struct data_key *key,
                                      se_bytes plain, se_bytes context)
{
    return (struct seal_job){
        .algorithm = &e->descriptor->algorithm,
        .recipient = &e->recipient,
        .key = key,
        .binary = e->binary,
        .plain = plain,
        .context = context,
    };
}

static se_status wrap_secret(se_buf *out, const struct encryption *e, se_bytes secret,
                             se_error *err)
{
    const struct algorithm *a = &e->descriptor->algorithm;
    const struct unwrap_how how = { a->oaep, a->mgf1 };

    return key_wrap(out, X509_get0_pubkey(e->key->certificate), &how, secret, err);
}

/* A fixed IV must not meet the same key twice, and what is wrapped itself is its own key. */
static void encryption_limit(struct encryption *e)
{
    const struct data_key_limits *l = &e->descriptor->limits;

    e->uses = l->uses ? l->uses : DATA_KEY_USES;
    e->bytes = l->bytes ? l->bytes : DATA_KEY_BYTES;
    if (e->format == &blob_format || e->descriptor->algorithm.iv_size)
        e->uses = 1;
}

se_status encryption_make_secret(struct data_key *out, const struct encryption *e, size_t size,
                                 se_error *err)
{
    se_status st = buf_new(&out->secret, size, err);

    if (st || (st = crypto_draw_secret(out->secret.data, size, err)))
        return st;
    return wrap_secret(&out->wrapped, e, buf_bytes(&out->secret), err);
}

/* What is wrapped is the value itself. */
static se_status wrap_plain(struct data_key *out, const struct encryption *e, se_bytes plain,
                            se_error *err)
{
    se_status st = buf_copy(&out->secret, plain, err);

    return st ? st : wrap_secret(&out->wrapped, e, plain, err);
}

static se_status encryption_renew(struct encryption *e, const struct seal_job *job, se_error *err)
{
    struct data_key *key = &e->data_key;
    se_status st;

    data_key_free(key);
    encryption_limit(e);
    st = e->format == &blob_format
             ? wrap_plain(key, e, job->plain, err)
             : encryption_make_secret(key, e, e->format->secret_size(&e->descriptor->algorithm),
                                      err);
    if (st || (st = e->format->prepare_seal(job, err))) {
        data_key_free(key);
        e->uses = 0;
    }
    return st;
}

static se_status check_value(const struct encryption *e, se_bytes plain, se_bytes context,
                             se_error *err)
{
    if (plain.size > VALUE_MAX || context.size > VALUE_MAX)
        return error_set(err, SE_ERR_USAGE, "%zu bytes are too long for a value",
                         plain.size > VALUE_MAX ? plain.size : context.size);
    if (context.size && !e->format->binds_context)
        return error_set(err, SE_ERR_USAGE, "%s can't bind a value to a context", e->format->name);
    return SE_OK;
}

bool encryption_has_room(const struct encryption *e, se_bytes plain)
{
    return e->uses && plain.size <= e->bytes;
}

se_status encryption_reserve(struct encryption *e, se_bytes plain, se_bytes context, se_error *err)
{
    const struct seal_job job = encryption_job(e, &e->data_key, plain, context);

    TRY(check_value(e, plain, context, err));
    if (!encryption_has_room(e, plain))
        TRY(encryption_renew(e, &job, err));
    e->uses--;
    e->bytes -= plain.size < e->bytes ? plain.size : e->bytes;
    return SE_OK;
}

se_status encryption_seal(se_buf *out, const struct encryption *e, struct data_key *key,
                          se_bytes plain, se_bytes context, se_error *err)
{
    const struct seal_job job = encryption_job(e, key, plain, context);

    return e->format->seal(out, &job, err);
}

static se_status encrypt_value(se_buf *out, struct encryption *e, se_bytes plain, se_bytes context,
                               se_error *err)
{
    TRY(encryption_reserve(e, plain, context, err));
    return encryption_seal(out, e, &e->data_key, plain, context, err);
}

static se_status encrypt_field(se_buf *out, struct engine *engine, se_bytes in,
                               const se_field_params *params, struct api_call *call)
{
    AUTO(encryption) encryption = { .uses = 0 };
    struct version_wish wish;
    se_field_params read;

    TRY(arguments_options(&read, params, se_field_params, &call->error));
    TRY(api_call_tag(call, read.tag));
    wish = field_version_wish(&read);
    TRY(encryption_begin(&encryption, engine, call, &wish));
    encryption.binary = read.binary;
    return error_blame_key(&call->error,
                           encrypt_value(out, &encryption, in, read.context, &call->error),
                           encryption.descriptor);
}

se_status se_encrypt(se_buf *out, se_engine *engine, const char *descriptor, se_bytes in,
                     const se_field_params *params, se_error *error)
{
    struct api_call call;
    se_status st;

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, engine, descriptor, given_bytes(in)));
    api_call_begin(&call, engine, "encrypt", descriptor);
    call.event.bytes = in.size;
    st = encrypt_field(out, call.engine, in, params, &call);
    return api_call_end(&call, st, error);
}

/* ---- encryption contexts: what values belong to ---- */

AUTO_KIND(pairs, se_pair *, free(*p))

/* By name, as bytes. */
static int compare_names(const void *left, const void *right)
{
    const se_pair *a = left, *b = right;
    const unsigned char *p = a->name.data, *q = b->name.data;
    size_t least = a->name.size < b->name.size ? a->name.size : b->name.size;

    for (size_t i = 0; i < least; i++)
        if (p[i] != q[i])
            return p[i] < q[i] ? -1 : 1;
    return (a->name.size > b->name.size) - (a->name.size < b->name.size);
}

static void put_part(struct writer *w, se_bytes part)
{
    writer_number(w, part.size, 4);
    writer_put(w, part.data, part.size);
}

static se_status check_pair(const se_pair *sorted, size_t i, se_error *err)
{
    const se_bytes name = sorted[i].name;

    if (!name.size)
        return error_set(err, SE_ERR_USAGE, "a part of the context has no name");
    if (name.size > UINT32_MAX || sorted[i].value.size > UINT32_MAX)
        return error_set(err, SE_ERR_USAGE, "a part of the context is too long");
    if (i && compare_names(&sorted[i - 1], &sorted[i]) == 0)
        return error_set(err, SE_ERR_USAGE, "the context has two parts called '%.*s'",
                         name.size > 64 ? 64 : (int)name.size, (const char *)name.data);
    return SE_OK;
}

se_status se_context(se_buf *out, const se_pair *pairs, size_t count, se_error *error)
{
    AUTO(pairs) sorted = calloc(count + 1, sizeof *sorted);
    AUTO(writer) w = { 0 };

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, given_array(pairs, count)));
    if (!sorted)
        return error_memory(error);
    for (size_t i = 0; i < count; i++)
        if (!given_bytes(pairs[i].name) || !given_bytes(pairs[i].value))
            return error_set(error, SE_ERR_USAGE, "part %zu of the context is NULL", i + 1);
    if (count)
        memcpy(sorted, pairs, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_names);
    for (size_t i = 0; i < count; i++) {
        TRY(check_pair(sorted, i, error));
        put_part(&w, sorted[i].name);
        put_part(&w, sorted[i].value);
    }
    return writer_finish(out, &w, error);
}
