/* Many values at once: each data key is unwrapped once, several at a time. */
#include <stdlib.h>

#include "base/thread.h"
#include "engine/fields.h"

enum { THREADS = 16 };

/* The values of one data key. */
struct group {
    const struct envelope *envelope; /* of the first of them */
    se_buf secret;
    struct data_key key;
    bool prepared;
    se_error failure; /* why the secret is not there */
};

struct batch {
    se_field *fields;
    size_t count;
    struct unsealing *opening;
    struct envelope *envelopes; /* beside `fields`; without a format: nothing to be done */
    size_t *group_of;           /* likewise */
    struct group *groups;
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

static void keep(se_field *field, struct envelope *envelope)
{
    field->status = buf_copy(&field->out, field->in, NULL);
    field->kept = !field->status;
    envelope_free(envelope);
}

static void note(struct batch *b, size_t i, const se_error *why)
{
    if (!b->fields[i].status || i >= b->failed)
        return;
    b->failed = i;
    b->why = *why;
}

static bool is_there(const struct envelope *envelope, const struct sealing *target)
{
    return target && envelope->format == target->format &&
           envelope->format->is_for(envelope, &target->recipient);
}

static void read_all(struct batch *b, const struct sealing *target)
{
    for (size_t i = 0; i < b->count; i++) {
        se_field *field = &b->fields[i];
        se_error why = SE_ERROR_INIT;

        field->status = unsealing_read(&b->envelopes[i], b->opening, field->in, &why);
        note(b, i, &why);
        if (!field->status && is_there(&b->envelopes[i], target))
            keep(field, &b->envelopes[i]);
        else if (!field->status)
            b->group_of[i] = group_find(b, &b->envelopes[i]);
    }
}

/* ---- unwrapping ---- */

static struct group *take_next(struct batch *b)
{
    struct group *group = NULL;

    pthread_mutex_lock(&b->lock);
    if (b->next < b->group_count)
        group = &b->groups[b->next++];
    if (group && b->stopped)
        group->failure = b->outage;
    pthread_mutex_unlock(&b->lock);
    return group;
}

/* What one data key fails at is its own affair if it was refused; anything else is the key store's,
 * and will not be different for others.
 */
static void stop(struct batch *b, const se_error *failure)
{
    pthread_mutex_lock(&b->lock);
    if (!b->stopped)
        b->outage = *failure;
    b->stopped = true;
    pthread_mutex_unlock(&b->lock);
}

static bool unwrap_next(struct batch *b)
{
    struct group *group = take_next(b);

    if (group && !group->failure.status &&
        unsealing_unwrap(&group->secret, b->opening, group->envelope, &group->failure) &&
        group->failure.status != SE_ERR_REJECTED)
        stop(b, &group->failure);
    return group != NULL;
}

static void *unwrap_groups(void *data)
{
    while (unwrap_next(data))
        continue;
    return NULL;
}

static size_t start_threads(pthread_t threads[THREADS], struct batch *b)
{
    size_t left = b->group_count - b->next, wanted = left < THREADS ? left : THREADS, count = 0;

    while (count + 1 < wanted && thread_start(&threads[count], unwrap_groups, b))
        count++;
    return count;
}

/* The first goes alone: a key store that was away is asked by one caller, and the others would be
 * told that it still is. */
static void unwrap_all(struct batch *b)
{
    pthread_t threads[THREADS];
    size_t count;

    if (!unwrap_next(b))
        return;
    count = start_threads(threads, b);
    (void)unwrap_groups(b);
    while (count)
        (void)pthread_join(threads[--count], NULL);
}

/* ---- decrypting ---- */

static se_status prepare(struct group *group, se_error *err)
{
    if (!group->prepared && !group->failure.status)
        (void)!unsealing_prepare(&group->key, &group->secret, group->envelope, &group->failure);
    group->prepared = true;
    if (!group->failure.status)
        return SE_OK;
    return error_set_at(err, group->failure.status, group->failure.file, group->failure.line, "%s",
                        group->failure.text);
}

static se_status open_field(se_field *field, struct batch *b, size_t i, se_error *err)
{
    struct group *group = &b->groups[b->group_of[i]];
    se_status st = prepare(group, err);

    return st ? st
              : unsealing_finish(&field->out, &group->key, &b->envelopes[i], field->context, err);
}

static void open_fields(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        se_error why = SE_ERROR_INIT;

        if (!b->envelopes[i].format)
            continue;
        b->fields[i].status = open_field(&b->fields[i], b, i, &why);
        note(b, i, &why);
    }
}

se_status open_all(se_field *fields, size_t count, struct unsealing *o,
                   const struct sealing *target, se_error *err)
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
    read_all(&b, target);
    unwrap_all(&b);
    open_fields(&b);
    if (b.failed == count)
        return SE_OK;
    (void)error_set_at(err, b.why.status, b.why.file, b.why.line, "%s", b.why.text);
    (void)error_prefix(err, "field %zu: ", b.failed + 1);
    return b.why.status;
}
