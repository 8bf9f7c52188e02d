/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/limits.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/*
 * A slot is a second. Of the oldest second a part lies within the last 60 seconds, and that part is
 * not known: so one more than 60 is counted, and a caller waits up to a second longer than he would
 * have to.
 */
enum { SLOTS = 61, BUCKETS = 1024, COUNTERS_MOST = 65536 };

struct counter {
    struct counter *next;
    char *row, *caller;
    int64_t second; /* of the newest slot */
    uint64_t sum;
    uint32_t slots[SLOTS]; /* by second % SLOTS */
};

struct limits {
    pthread_mutex_t lock;
    struct counter *buckets[BUCKETS];
    size_t count;
};

/* ---- one counter ---- */

static void counter_free(struct counter *c)
{
    free(c->row);
    free(c->caller);
    free(c);
}

static struct counter *counter_new(const struct limit *limit, int64_t second)
{
    struct counter *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->second = second;
    c->row = strdup(limit->row);
    c->caller = strdup(limit->caller);
    if (c->row && c->caller)
        return c;
    counter_free(c);
    return NULL;
}

/* Empties what lies behind. */
static void move_on(struct counter *c, int64_t second)
{
    const int64_t steps = second - c->second;

    for (int64_t i = 0; i < steps && i < SLOTS; i++) {
        uint32_t *slot = &c->slots[(second - i) % SLOTS];

        c->sum -= *slot;
        *slot = 0;
    }
    if (steps > 0)
        c->second = second;
}

/* Until the oldest slot that has something lies behind. */
static unsigned seconds_to_wait(const struct counter *c)
{
    for (int64_t age = SLOTS - 1; age > 0; age--)
        if (c->slots[(c->second - age + SLOTS) % SLOTS])
            return (unsigned)(SLOTS - age);
    return SLOTS;
}

/* ---- all of them ---- */

/* FNV-1a: callers choose neither the names of rows nor their own. */
static size_t find_bucket(const struct limit *limit)
{
    const char *const parts[] = { limit->row, limit->caller };
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (const char *c = parts[i];; c++) {
            hash = (hash ^ (unsigned char)*c) * 16777619u;
            if (!*c)
                break;
        }
    return hash % BUCKETS;
}

static bool is_of(const struct counter *c, const struct limit *limit)
{
    return strcmp(c->row, limit->row) == 0 && strcmp(c->caller, limit->caller) == 0;
}

/* On its way it drops counters that stand at zero. */
static struct counter *find_counter(struct limits *all, const struct limit *limit, int64_t second)
{
    struct counter **place = &all->buckets[find_bucket(limit)], *c;

    while ((c = *place)) {
        move_on(c, second);
        if (is_of(c, limit))
            return c;
        if (c->sum) {
            place = &c->next;
        } else {
            *place = c->next;
            all->count--;
            counter_free(c);
        }
    }
    if (all->count == COUNTERS_MOST || !(c = counter_new(limit, second)))
        return NULL;
    all->count++;
    return *place = c;
}

static se_status take_locked(unsigned *wait_s, struct limits *all, const struct limit *limit,
                             uint64_t items, int64_t second, se_error *err)
{
    struct counter *c = find_counter(all, limit, second);

    *wait_s = 1;
    if (!c)
        return error_memory(err);
    if (items > limit->per_minute || c->sum > limit->per_minute - items) {
        *wait_s = seconds_to_wait(c);
        return error_set(err, SE_ERR_POLICY,
                         "%u a minute are allowed, %" PRIu64 " were done, and this asks for "
                         "%" PRIu64,
                         limit->per_minute, c->sum, items);
    }
    c->sum += items;
    c->slots[second % SLOTS] += (uint32_t)items;
    return SE_OK;
}

se_status limits_take(unsigned *wait_s, struct limits *all, const struct limit *limit,
                      uint64_t items, int64_t now, se_error *err)
{
    se_status st;

    *wait_s = 0;
    if (!limit->per_minute)
        return SE_OK;
    pthread_mutex_lock(&all->lock);
    st = take_locked(wait_s, all, limit, items, now / 1000, err);
    pthread_mutex_unlock(&all->lock);
    return st;
}

void limits_give(struct limits *all, const struct limit *limit, uint64_t items, int64_t now)
{
    struct counter *c;

    if (!limit->per_minute)
        return;
    pthread_mutex_lock(&all->lock);
    if ((c = find_counter(all, limit, now / 1000))) {
        uint32_t *slot = &c->slots[now / 1000 % SLOTS];
        const uint32_t given = items < *slot ? (uint32_t)items : *slot;

        *slot -= given;
        c->sum -= given;
    }
    pthread_mutex_unlock(&all->lock);
}

se_status limits_new(struct limits **out, se_error *err)
{
    if (!(*out = calloc(1, sizeof **out)))
        return error_memory(err);
    pthread_mutex_init(&(*out)->lock, NULL);
    return SE_OK;
}

void limits_free(struct limits *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct counter *c = all->buckets[i], *next; c; c = next) {
            next = c->next;
            counter_free(c);
        }
    pthread_mutex_destroy(&all->lock);
    free(all);
}
