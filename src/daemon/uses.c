/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/uses.h"

#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

const double use_bounds[USE_BOUNDS] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5 };

struct uses {
    pthread_mutex_t lock;
    void *tree; /* of struct use_counts, by tsearch() */
};

static int compare_counts(const void *one, const void *other)
{
    const struct use_counts *a = one, *b = other;
    int order = strcmp(a->operation, b->operation);

    if (!order)
        order = strcmp(a->descriptor, b->descriptor);
    return order ? order : strcmp(a->history, b->history);
}

static void counts_free(void *arg)
{
    struct use_counts *counts = arg;

    free(counts->operation);
    free(counts->descriptor);
    free(counts->history);
    free(counts);
}

static struct use_counts *counts_new(const struct use *use)
{
    struct use_counts *counts = calloc(1, sizeof *counts);

    if (!counts)
        return NULL;
    counts->operation = strdup(use->operation);
    counts->descriptor = strdup(use->descriptor);
    counts->history = strdup(use->history);
    if (counts->operation && counts->descriptor && counts->history)
        return counts;
    counts_free(counts);
    return NULL;
}

/* NULL: out of memory. Under the lock. */
static struct use_counts *find_counts(struct uses *uses, const struct use *use)
{
    const struct use_counts key = {
        .operation = (char *)use->operation,
        .descriptor = (char *)use->descriptor,
        .history = (char *)use->history,
    };
    struct use_counts *const *found = tfind(&key, &uses->tree, compare_counts);
    struct use_counts *fresh;

    if (found)
        return *found;
    if (!(fresh = counts_new(use)))
        return NULL;
    if (tsearch(fresh, &uses->tree, compare_counts))
        return fresh;
    counts_free(fresh);
    return NULL;
}

static size_t find_bound(int64_t duration_us)
{
    const double seconds = (double)duration_us / 1e6;
    size_t i = 0;

    while (i < USE_BOUNDS && seconds > use_bounds[i])
        i++;
    return i;
}

void uses_count(struct uses *uses, const struct use *use)
{
    struct use_counts *counts;

    pthread_mutex_lock(&uses->lock);
    if ((counts = find_counts(uses, use))) {
        counts->kinds[use->kind]++;
        counts->items += use->items;
        counts->failed += use->failed;
        counts->bytes += use->bytes;
        counts->durations[find_bound(use->duration_us)]++;
        counts->duration_us += (uint64_t)use->duration_us;
    }
    pthread_mutex_unlock(&uses->lock);
}

struct listing {
    void (*fn)(void *arg, const struct use_counts *counts);
    void *arg;
};

/* Each node once, and in their order. */
static void list_node(const void *node, VISIT visit, void *arg)
{
    const struct listing *listing = arg;

    if (visit == postorder || visit == leaf)
        listing->fn(listing->arg, *(struct use_counts *const *)node);
}

void uses_list(struct uses *uses, void (*fn)(void *arg, const struct use_counts *counts), void *arg)
{
    struct listing listing = { fn, arg };

    pthread_mutex_lock(&uses->lock);
    twalk_r(uses->tree, list_node, &listing);
    pthread_mutex_unlock(&uses->lock);
}

se_status uses_new(struct uses **out, se_error *err)
{
    if (!(*out = calloc(1, sizeof **out)))
        return error_memory(err);
    pthread_mutex_init(&(*out)->lock, NULL);
    return SE_OK;
}

void uses_free(struct uses *uses)
{
    if (!uses)
        return;
    tdestroy(uses->tree, counts_free);
    pthread_mutex_destroy(&uses->lock);
    free(uses);
}
