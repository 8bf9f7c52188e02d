/* SPDX-License-Identifier: Apache-2.0 */
/* Many fields in one call: each data key is unwrapped once, several at a time. */
#include <stdlib.h>

#include "base/arguments.h"
#include "base/thread.h"
#include "engine/fields.h"

/* Many values at once: each data key is unwrapped once, several at a time. */

enum { THREADS = 16 };

/* The values of one data key. */
struct data_key_group {
    const struct envelope *envelope; /* of the first of them */
    se_buf secret;
    struct key_use use;
    struct data_key key;
    bool prepared;
    se_error failure; /* why the secret is not there */
};

struct batch {
    se_field *fields;
    size_t count;
    struct decryption *opening;
    struct envelope *envelopes; /* beside `fields`; without a format: nothing to be done */
    size_t *group_of;           /* likewise */
    struct data_key_group *groups;
    size_t group_count, next; /* `next`: to be unwrapped */
    size_t *buckets, mask;    /* 1 + the number of a group */
    bool stopped;             /* the key store is away */
    se_error outage;
    pthread_mutex_t lock;
    size_t failed; /* the first field that did, and why */
    se_error why;
};

static void batch_free(struct batch *b)
{
    for (size_t i = 0; b->envelopes && i < b->count; i++)
        envelope_free(&b->envelopes[i]);
    for (size_t i = 0; i < b->group_count; i++) {
        se_buf_free(&b->groups[i].secret);
        data_key_free(&b->groups[i].key);
    }
    free(b->envelopes);
    free(b->group_of);
    free(b->groups);
    free(b->buckets);
    pthread_mutex_destroy(&b->lock);
}
AUTO_KIND(batch, struct batch, batch_free(p))

static se_status batch_room(struct batch *b, se_error *err)
{
    size_t buckets = 16;

    while (buckets < 2 * b->count)
        buckets *= 2;
    b->mask = buckets - 1;
    b->envelopes = calloc(b->count, sizeof *b->envelopes);
    b->group_of = calloc(b->count, sizeof *b->group_of);
    b->groups = calloc(b->count, sizeof *b->groups);
    b->buckets = calloc(buckets, sizeof *b->buckets);
    return b->envelopes && b->group_of && b->groups && b->buckets ? SE_OK : error_memory(err);
}

static size_t group_find(struct batch *b, const struct envelope *envelope)
{
    size_t at;

    for (at = envelope_key_bucket(envelope); b->buckets[at & b->mask]; at++) {
        size_t group = b->buckets[at & b->mask] - 1;

        if (envelope_same_key(b->groups[group].envelope, envelope))
            return group;
    }
    b->groups[b->group_count].envelope = envelope;
    b->buckets[at & b->mask] = ++b->group_count;
    return b->group_count - 1;
}

static void field_keep(se_field *field, struct envelope *envelope)
{
    field->status = buf_copy(&field->out, field->in, NULL);
    field->kept = !field->status;
    envelope_free(envelope);
}

static void batch_note(struct batch *b, size_t i, const se_error *why)
{
    if (!b->fields[i].status || i >= b->failed)
        return;
    b->failed = i;
    b->why = *why;
}

/* What a newer version has encrypted than the current one comes from where a clock is ahead: it is
 * not brought back. */
static bool is_of_newer(const struct envelope *envelope, const struct decryption *dec,
                        const struct encryption *target)
{
    for (size_t i = 0; !target->is_stated && i < dec->count; i++) {
        const struct reader_version *v = &dec->versions[i];

        if (v->descriptor->version > target->descriptor->version && decryption_is_for(envelope, v))
            return true;
    }
    return false;
}

static bool is_up_to_date(const struct envelope *envelope, const struct decryption *dec,
                          const struct encryption *target)
{
    if (!target)
        return false;
    return (envelope->format == target->format &&
            envelope->format->is_for(envelope, &target->recipient)) ||
           is_of_newer(envelope, dec, target);
}

static void batch_parse(struct batch *b, const struct encryption *target)
{
    for (size_t i = 0; i < b->count; i++) {
        se_field *field = &b->fields[i];
        se_error why = SE_ERROR_INIT;

        field->status = decryption_parse(&b->envelopes[i], b->opening, field->in, &why);
        batch_note(b, i, &why);
        if (!field->status && is_up_to_date(&b->envelopes[i], b->opening, target))
            field_keep(field, &b->envelopes[i]);
        else if (!field->status)
            b->group_of[i] = group_find(b, &b->envelopes[i]);
    }
}

/* ---- unwrapping ---- */

static struct data_key_group *batch_take_group(struct batch *b)
{
    struct data_key_group *group = NULL;

    pthread_mutex_lock(&b->lock);
    if (b->next < b->group_count)
        group = &b->groups[b->next++];
    if (group && b->stopped)
        group->failure = b->outage;
    pthread_mutex_unlock(&b->lock);
    return group;
}

/* What one data key fails at is its own affair if it was refused, or if nobody has it; anything
 * else is the key store's, and will not be different for others. */
static bool is_own_affair(se_status st)
{
    return st == SE_ERR_REJECTED || st == SE_ERR_NO_DESCRIPTOR;
}

static void batch_stop(struct batch *b, const se_error *failure)
{
    pthread_mutex_lock(&b->lock);
    if (!b->stopped)
        b->outage = *failure;
    b->stopped = true;
    pthread_mutex_unlock(&b->lock);
}

static bool batch_unwrap_next(struct batch *b)
{
    struct data_key_group *group = batch_take_group(b);

    if (group && !group->failure.status &&
        decryption_unwrap(&group->secret, &group->use, b->opening, group->envelope,
                          &group->failure) &&
        !is_own_affair(group->failure.status))
        batch_stop(b, &group->failure);
    return group != NULL;
}

static void *batch_unwrap_thread(void *data)
{
    while (batch_unwrap_next(data))
        continue;
    return NULL;
}

static size_t batch_start_threads(pthread_t threads[THREADS], struct batch *b)
{
    size_t left = b->group_count - b->next, wanted = left < THREADS ? left : THREADS, count = 0;

    while (count + 1 < wanted && thread_start(&threads[count], batch_unwrap_thread, b))
        count++;
    return count;
}

/* The first goes alone: one caller at a time may ask a key store that was away, and the others
 * would fail as if it still were. */
static void batch_unwrap(struct batch *b)
{
    pthread_t threads[THREADS];
    size_t count;

    if (!batch_unwrap_next(b))
        return;
    count = batch_start_threads(threads, b);
    (void)batch_unwrap_thread(b);
    while (count)
        (void)pthread_join(threads[--count], NULL);
}

/* ---- decrypting ---- */

static se_status group_prepare(struct data_key_group *group, se_error *err)
{
    if (!group->prepared && !group->failure.status)
        (void)!decryption_prepare(&group->key, &group->secret, group->envelope, &group->failure);
    group->prepared = true;
    if (!group->failure.status)
        return SE_OK;
    return error_copy(err, group->failure.status, &group->failure);
}

static se_status batch_open_field(se_field *field, struct batch *b, size_t i, se_error *err)
{
    struct data_key_group *group = &b->groups[b->group_of[i]];
    se_status st = group_prepare(group, err);

    return st ? st
              : decryption_finish(&field->out, &group->key, &b->envelopes[i], field->context, err);
}

static void batch_open_fields(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        se_error why = SE_ERROR_INIT;

        if (!b->envelopes[i].format)
            continue;
        b->fields[i].status = batch_open_field(&b->fields[i], b, i, &why);
        batch_note(b, i, &why);
    }
}

/* All of `fields`: `status` and `out` of each; several data keys at once.  `target`, which may be
 * NULL: values that are as it would make them stay what they are.  Returns the first failure. */
static se_status decrypt_fields(se_field *fields, size_t count, struct decryption *o,
                                const struct encryption *target, se_error *err)
{
    AUTO(batch) b = {
        .fields = fields,
        .count = count,
        .opening = o,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .failed = count,
    };
    se_status st = batch_room(&b, err);

    for (size_t i = 0; i < count; i++)
        fields[i].status = st;
    if (st)
        return st;
    batch_parse(&b, target);
    batch_unwrap(&b);
    for (size_t i = 0; i < b.group_count; i++)
        api_call_use(o->call, &b.groups[i].use);
    batch_open_fields(&b);
    if (b.failed == count)
        return SE_OK;
    return error_prefix(err, error_copy(err, b.why.status, &b.why), "field %zu: ", b.failed + 1);
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

static se_status fields_encrypt(se_field *fields, size_t count, struct encryption *s, se_error *err)
{
    se_status first = SE_OK;

    for (size_t i = 0; i < count; i++) {
        se_error why = SE_ERROR_INIT;

        fields[i].status = encryption_add(&fields[i].out, s, fields[i].in, fields[i].context, &why);
        if (!fields[i].status || first)
            continue;
        first = error_copy(err, why.status, &why);
        (void)error_prefix(err, first, "field %zu: ", i + 1);
    }
    return first;
}

/* In the place of the plaintext comes what it is encrypted to. */
static se_status field_encrypt_again(se_field *field, struct encryption *s, se_error *err)
{
    AUTO(se_buf) plain = buf_move(&field->out);

    return encryption_add(&field->out, s, buf_bytes(&plain), field->context, err);
}

static se_status fields_encrypt_again(se_field *fields, size_t count, struct encryption *s,
                                      se_error *err)
{
    se_status first = SE_OK;

    for (size_t i = 0; i < count; i++) {
        if (fields[i].status || fields[i].kept)
            continue;
        fields[i].status = field_encrypt_again(&fields[i], s, err);
        if (!first)
            first = fields[i].status;
    }
    return first;
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

static se_status batch_encrypt(struct batch_call *b)
{
    AUTO(encryption) encryption = { .uses = 0 };
    const struct version_wish wish = field_version_wish(&b->params);
    se_status st = encryption_begin(&encryption, b->call.engine, &b->call, &wish);

    if (st)
        return fields_fail(b->fields, b->count, st);
    encryption.binary = b->params.binary;
    return error_blame_key(&b->call.error,
                           fields_encrypt(b->fields, b->count, &encryption, &b->call.error),
                           encryption.descriptor);
}

static se_status batch_decrypt(struct batch_call *b)
{
    AUTO(decryption) decryption = { .count = 0 };
    se_status st = decryption_begin(&decryption, b->call.engine, &b->call, b->params.version);

    if (st)
        return fields_fail(b->fields, b->count, st);
    return error_prefix(&b->call.error,
                        decrypt_fields(b->fields, b->count, &decryption, NULL, &b->call.error),
                        "descriptor '%s': ", decryption.name);
}

static se_status batch_rekey(struct batch_call *b)
{
    AUTO(encryption) encryption = { .uses = 0 };
    AUTO(decryption) decryption = { .count = 0 };
    const struct version_wish wish = field_version_wish(&b->params);
    se_status st = encryption_begin(&encryption, b->call.engine, &b->call, &wish), again;

    if (!st)
        st = decryption_begin(&decryption, b->call.engine, &b->call, 0);
    if (st)
        return fields_fail(b->fields, b->count, st);
    encryption.binary = b->params.binary;
    st = decrypt_fields(b->fields, b->count, &decryption, &encryption, &b->call.error);
    again = fields_encrypt_again(b->fields, b->count, &encryption, &b->call.error);
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
