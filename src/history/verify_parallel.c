/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scans side by side: each has a part of the entries and the checkpoints that cover them, and takes
 * the tree of what is before from the store.  Each has to end with the tree that the next one began
 * with, which makes one chain of them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/deadline.h"
#include "base/thread.h"
#include "history/verification.h"

enum { PART_LEAST = 16, PARTS_FOR_EACH = 4, THREADS_MOST = 64, PROGRESS_MS = 50 };

struct part {
    struct scan_start start;
    uint64_t last, last_checkpoint;
    struct frontier end;
};

struct parallel_scan {
    const struct scan *model;
    struct part *parts;
    size_t count;
    size_t next; /* atomic */
    struct scan_progress progress;

    pthread_mutex_t lock;
    pthread_cond_t ended;
    size_t running;
    bool bad;
    se_error failure;  /* of a connection, a key, ... */
    struct scan *last; /* where the last part ended */
    struct early_finding *early;
    uint64_t entries, erased, checkpoints;
};

static bool is_stopped(const struct parallel_scan *s)
{
    return __atomic_load_n(&s->progress.stop, __ATOMIC_RELAXED);
}

static void stop_parts(struct parallel_scan *s)
{
    __atomic_store_n(&s->progress.stop, true, __ATOMIC_RELAXED);
}

/* ---- a thread ---- */

/* Of what several have found, the one that is nearest to the chain's beginning. */
static void keep_earliest(void *arg, const se_finding *finding)
{
    struct parallel_scan *s = arg;
    struct early_finding *early = s->early;

    pthread_mutex_lock(&s->lock);
    if (!finding->first != !finding->seal &&
        (!early->what.text ||
         (finding->first && early->what.first && finding->first < early->what.first))) {
        early->what = *finding;
        (void)snprintf(early->text, sizeof early->text, "%s", finding->text);
        early->what.text = early->text;
    }
    pthread_mutex_unlock(&s->lock);
}

static void collect_part(struct parallel_scan *s, struct part *part, const struct scan *scan,
                         const se_error *outcome)
{
    pthread_mutex_lock(&s->lock);
    part->end = scan->now;
    s->entries += scan->entries;
    s->erased += scan->erased;
    s->checkpoints += scan->checkpoints;
    if (scan->findings->count)
        s->bad = true;
    else if (outcome->status && !s->failure.status)
        s->failure = *outcome;
    if (outcome->status)
        stop_parts(s);
    if (!outcome->status && part == &s->parts[s->count - 1]) {
        *s->last = *scan;
        s->last->findings = s->model->findings;
        s->last->store = s->model->store;
    }
    pthread_mutex_unlock(&s->lock);
}

static void verify_part(struct parallel_scan *s, struct part *part, struct chain_store *store,
                        struct scan *scan)
{
    struct findings quiet = { .fn = keep_earliest, .arg = s };
    se_error outcome = SE_ERROR_INIT;

    *scan = *s->model;
    scan->store = store;
    scan->findings = &quiet;
    scan->stops = true;
    scan->shared = &s->progress;
    scan->last = part->last;
    scan->last_checkpoint = part->last_checkpoint;
    scan->part = part != &s->parts[s->count - 1];
    outcome.status = verify_scan(scan, &part->start, &outcome);
    if (!outcome.status && quiet.count)
        outcome.status = SE_ERR_REJECTED;
    collect_part(s, part, scan, &outcome);
}

static void verify_parts(struct parallel_scan *s)
{
    AUTO(chain_store) store = NULL;
    struct scan *scan = calloc(1, sizeof *scan);
    struct chain chain;
    size_t at;

    if (!scan || history_open_reader(&store, &chain, s->model->h, NULL)) {
        pthread_mutex_lock(&s->lock);
        s->bad = true; /* whatever it is, the caller meets it too */
        pthread_mutex_unlock(&s->lock);
        stop_parts(s);
    }
    while (!is_stopped(s) && (at = __atomic_fetch_add(&s->next, 1, __ATOMIC_RELAXED)) < s->count)
        verify_part(s, &s->parts[at], store, scan);
    free(scan);
}

static void *run_thread(void *arg)
{
    struct parallel_scan *s = arg;

    verify_parts(s);
    pthread_mutex_lock(&s->lock);
    s->running--;
    pthread_cond_signal(&s->ended);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- parts ---- */

struct cutting {
    struct parallel_scan *scan;
    size_t at;
    uint64_t size; /* of the checkpoint before */
    bool odd;
};

/* The checkpoints of a part are those that cover more than what is before it, and no more than its
 * last entry. */
static se_status cut_at_checkpoint(void *arg, const struct stored_checkpoint *stored, se_error *err)
{
    struct cutting *c = arg;
    struct part *parts = c->scan->parts;

    (void)err;
    c->odd = c->odd || stored->size < c->size;
    c->size = stored->size;
    while (c->at + 1 < c->scan->count && stored->size > parts[c->at].last) {
        parts[c->at++].last_checkpoint = stored->number - 1;
        parts[c->at].start.checkpoint = stored->number;
    }
    return SE_OK;
}

/* `length`: of a part, in blocks. */
static se_status cut_parts(bool *good, struct parallel_scan *s, const struct scan_start *start,
                           uint64_t length, se_error *err)
{
    const struct scan *model = s->model;
    struct cutting c = { .scan = s };
    uint64_t from = start->frontier.size;

    *good = false;
    s->parts[0].start = *start;
    for (size_t i = 0; i < s->count; i++) {
        if (i && !subtrees_frontier(&s->parts[i].start.frontier, model->subtrees, from))
            return SE_OK;
        from = (from / BLOCK + length) * BLOCK;
        s->parts[i].last = i + 1 < s->count ? from : model->last;
    }
    TRY(model->store->type->read_checkpoints(
        model->store, &(struct range){ model->chain, start->checkpoint, model->last_checkpoint },
        cut_at_checkpoint, &c, err));
    for (; c.at + 1 < s->count; c.at++) {
        s->parts[c.at].last_checkpoint = model->last_checkpoint;
        s->parts[c.at + 1].start.checkpoint = model->last_checkpoint + 1;
    }
    s->parts[c.at].last_checkpoint = model->last_checkpoint;
    *good = !c.odd;
    return SE_OK;
}

static bool do_parts_join(const struct parallel_scan *s)
{
    for (size_t i = 0; i + 1 < s->count; i++) {
        const struct frontier *end = &s->parts[i].end;

        if (end->failed || !frontier_equal(end, &s->parts[i + 1].start.frontier))
            return false;
    }
    return true;
}

/* ---- the caller ---- */

static bool report_parallel_progress(const struct parallel_scan *s)
{
    const se_history *h = s->model->h;

    return !h->progress ||
           h->progress(h->progress_arg, __atomic_load_n(&s->progress.done, __ATOMIC_RELAXED),
                       s->model->total);
}

static bool wait_for_threads(struct parallel_scan *s)
{
    bool cancelled = false;

    pthread_mutex_lock(&s->lock);
    while (s->running) {
        struct timespec until = deadline_in(PROGRESS_MS);

        (void)pthread_cond_clockwait(&s->ended, &s->lock, CLOCK_MONOTONIC, &until);
        pthread_mutex_unlock(&s->lock);
        if (!cancelled && !report_parallel_progress(s)) {
            cancelled = true;
            stop_parts(s);
        }
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return cancelled;
}

/* True: the caller has cancelled it. */
static bool run_threads(struct parallel_scan *s, unsigned threads)
{
    pthread_t ids[THREADS_MOST];
    unsigned started = 0;
    bool cancelled;

    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->ended, NULL);
    s->running = threads;
    while (started < threads && thread_start(&ids[started], run_thread, s))
        started++;
    pthread_mutex_lock(&s->lock);
    s->running -= threads - started;
    pthread_mutex_unlock(&s->lock);
    cancelled = wait_for_threads(s);
    for (unsigned i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
    pthread_cond_destroy(&s->ended);
    pthread_mutex_destroy(&s->lock);
    s->bad = s->bad || !started;
    return cancelled;
}

static se_status verify_cut(bool *good, struct parallel_scan *s, unsigned threads, se_error *err)
{
    if (run_threads(s, threads))
        return error_set(err, SE_ERR_CANCELLED, "stopped");
    if (s->bad || s->failure.status == SE_ERR_REJECTED)
        return SE_OK;
    if (s->failure.status)
        return error_hand_on(err, &s->failure);
    *good = do_parts_join(s);
    if (*good) {
        s->last->entries = s->entries;
        s->last->erased = s->erased;
        s->last->checkpoints = s->checkpoints;
    }
    return SE_OK;
}

se_status verify_parallel(bool *good, struct early_finding *early, struct scan *scan,
                          const struct scan_start *start, unsigned threads, se_error *err)
{
    const struct scan model = *scan;
    struct parallel_scan s = {
        .model = &model,
        .last = scan,
        .early = early,
        .failure = SE_ERROR_INIT,
    };
    uint64_t blocks = model.total / BLOCK + 1;
    uint64_t length = blocks / ((uint64_t)threads * PARTS_FOR_EACH);
    bool cut = false;
    se_status st;

    *good = false;
    *early = (struct early_finding){ .what = { .text = NULL } };
    threads = threads < THREADS_MOST ? threads : THREADS_MOST;
    length = length > PART_LEAST ? length : PART_LEAST;
    s.count = (size_t)((blocks + length - 1) / length);
    if (threads < 2 || s.count < 2)
        return SE_OK;
    if (!(s.parts = calloc(s.count, sizeof *s.parts)))
        return error_memory(err);
    st = cut_parts(&cut, &s, start, length, err);
    if (!st && cut)
        st = verify_cut(good, &s, threads, err);
    free(s.parts);
    if (!*good)
        *scan = model; /* a part that was good has left its own */
    return st;
}
