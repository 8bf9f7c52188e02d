/* SPDX-License-Identifier: Apache-2.0 */
/* Many values decrypted: each data key is unwrapped once, several at a time, and all else is done
 * by as many threads as there are processors. */
#include <stdlib.h>

#include "engine/batch.h"

enum {
    UNWRAPS = 16, /* at a time: they wait for the key store */
    KEY_SLICE = 16,
};

/* The values of one data key. */
struct data_key_group {
    const struct envelope *envelope; /* of the first of them */
    size_t first, end;               /* their places in `order` */
    se_buf secret;
    struct key_use use;
    struct data_key key;
    se_error failure; /* why the key is not there */
};

struct batch {
    se_field *fields;
    size_t count;
    const struct batch_of_fields *given;
    struct decryption *opening;
    const struct encryption *target; /* NULL, or what values may be up to date with */
    struct envelope *envelopes;      /* beside `fields`; without a format: nothing to be done */
    size_t *group_of;                /* likewise */
    size_t *order, ordered;          /* the fields to be decrypted, group by group */
    struct data_key_group *groups;
    size_t group_count;
    size_t *buckets, mask;       /* 1 + the number of a group */
    struct first_failure outage; /* of the key store: what else is to be asked of it fails so too */
    struct first_failure first;
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
    free(b->order);
    free(b->groups);
    free(b->buckets);
    first_failure_free(&b->outage);
    first_failure_free(&b->first);
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
    b->order = calloc(b->count, sizeof *b->order);
    b->groups = calloc(b->count, sizeof *b->groups);
    b->buckets = calloc(buckets, sizeof *b->buckets);
    return b->envelopes && b->group_of && b->order && b->groups && b->buckets ? SE_OK
                                                                              : error_memory(err);
}

/* ---- taking apart ---- */

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

static void parse_fields(void *arg, size_t from, size_t to)
{
    struct batch *b = arg;

    for (size_t i = from; i < to; i++) {
        se_field *field = &b->fields[i];
        se_error why = SE_ERROR_INIT;

        field->status = decryption_parse(&b->envelopes[i], b->opening, field->in, &why);
        first_failure_note(&b->first, i, &why);
        if (!field->status && is_up_to_date(&b->envelopes[i], b->opening, b->target))
            field_keep(field, &b->envelopes[i]);
    }
}

/* Values of one data key lie beside each other then. */
static void order_by_group(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->envelopes[i].format)
            b->groups[b->group_of[i] = group_find(b, &b->envelopes[i])].end++;
    for (size_t i = 0; i < b->group_count; i++) {
        struct data_key_group *group = &b->groups[i];

        group->first = b->ordered;
        b->ordered += group->end;
        group->end = group->first;
    }
    for (size_t i = 0; i < b->count; i++)
        if (b->envelopes[i].format)
            b->order[b->groups[b->group_of[i]].end++] = i;
}

static void batch_parse(struct batch *b)
{
    struct parallel_job job = job_for_values(b->count, b->given->bytes, b->given->threads);

    job.run = parse_fields;
    job.arg = b;
    parallel_run(&job);
    order_by_group(b);
}

/* ---- unwrapping ---- */

/* What one data key fails at is its own affair if it was refused, or if nobody has it; anything
 * else is the key store's, and will not be different for others. */
static bool is_own_affair(se_status st)
{
    return st == SE_ERR_REJECTED || st == SE_ERR_NO_DESCRIPTOR;
}

static void unwrap_groups(void *arg, size_t from, size_t to)
{
    struct batch *b = arg;

    for (size_t i = from; i < to; i++) {
        struct data_key_group *group = &b->groups[i];

        if (!first_failure_has(&b->outage, &group->failure) &&
            decryption_unwrap(&group->secret, &group->use, b->opening, group->envelope,
                              &group->failure) &&
            !is_own_affair(group->failure.status))
            first_failure_note(&b->outage, i, &group->failure);
    }
}

static void unwrap_others(void *arg, size_t from, size_t to)
{
    unwrap_groups(arg, from + 1, to + 1);
}

/* The first goes alone: one caller at a time may ask a key store that was away, and the others
 * would fail as if it still were. */
static void batch_unwrap(struct batch *b)
{
    const struct parallel_job others = {
        .count = b->group_count ? b->group_count - 1 : 0,
        .slice = 1,
        .threads = UNWRAPS,
        .run = unwrap_others,
        .arg = b,
    };

    unwrap_groups(b, 0, b->group_count ? 1 : 0);
    parallel_run(&others);
    for (size_t i = 0; i < b->group_count; i++)
        api_call_use(b->opening->call, &b->groups[i].use);
}

static void prepare_groups(void *arg, size_t from, size_t to)
{
    struct batch *b = arg;

    for (size_t i = from; i < to; i++) {
        struct data_key_group *group = &b->groups[i];

        if (!group->failure.status)
            (void)!decryption_prepare(&group->key, &group->secret, group->envelope,
                                      &group->failure);
    }
}

static void batch_prepare(struct batch *b)
{
    const struct parallel_job job = {
        .count = b->group_count,
        .slice = KEY_SLICE,
        .threads = parallel_threads(b->given->threads),
        .run = prepare_groups,
        .arg = b,
    };

    parallel_run(&job);
}

/* ---- decrypting ---- */

/* The places from `from` to before `to`, all of one group. */
static void open_places(struct batch *b, const struct data_key_group *group, struct data_key *key,
                        size_t from, size_t to)
{
    for (size_t at = from; at < to; at++) {
        size_t i = b->order[at];
        se_field *field = &b->fields[i];
        se_error why = SE_ERROR_INIT;

        field->status =
            group->failure.status
                ? error_copy(&why, group->failure.status, &group->failure)
                : decryption_finish(&field->out, key, &b->envelopes[i], field->context, &why);
        first_failure_note(&b->first, i, &why);
        envelope_free(&b->envelopes[i]); /* by as many threads */
    }
}

static void fail_places(struct batch *b, size_t from, size_t to, const se_error *why)
{
    for (size_t at = from; at < to; at++) {
        b->fields[b->order[at]].status = why->status;
        first_failure_note(&b->first, b->order[at], why);
    }
}

/* A group that other threads may be at has its key copied. */
static void open_fields(void *arg, size_t from, size_t to)
{
    struct batch *b = arg;

    while (from < to) {
        struct data_key_group *group = &b->groups[b->group_of[b->order[from]]];
        size_t end = group->end < to ? group->end : to;
        bool whole = group->first >= from && end == group->end;
        AUTO(data_key) copy = { .secret = SE_BUF_INIT };
        se_error why = SE_ERROR_INIT;

        if (!whole && !group->failure.status && data_key_copy(&copy, &group->key, &why))
            fail_places(b, from, end, &why);
        else
            open_places(b, group, whole ? &group->key : &copy, from, end);
        from = end;
    }
}

static void batch_open(struct batch *b)
{
    struct parallel_job job = job_for_values(b->ordered, b->given->bytes, b->given->threads);

    job.run = open_fields;
    job.arg = b;
    parallel_run(&job);
}

se_status decrypt_batch(const struct batch_of_fields *batch, struct decryption *dec,
                        const struct encryption *target, se_error *err)
{
    AUTO(batch) b = {
        .fields = batch->fields,
        .count = batch->count,
        .given = batch,
        .opening = dec,
        .target = target,
    };
    se_status st = batch_room(&b, err);

    first_failure_init(&b.outage);
    first_failure_init(&b.first);
    for (size_t i = 0; i < b.count; i++)
        b.fields[i].status = st;
    if (st)
        return st;
    batch_parse(&b);
    batch_unwrap(&b);
    batch_prepare(&b);
    batch_open(&b);
    return first_failure_report(&b.first, "field", err);
}
