/*
 * Walks side by side: each has a part of the entries and the seals that cover them, and takes the
 * tree of what is before from the store. That each ends with the tree that the next one began with
 * makes one chain of them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/deadline.h"
#include "base/thread.h"
#include "history/walk.h"

enum { PART_LEAST = 16 * BLOCK, PARTS_FOR_EACH = 4, THREADS_MOST = 64, TELL_MS = 50 };

struct part {
    struct start start;
    uint64_t last, last_seal;
    struct edge end;
};

struct shared {
    const struct walk *model;
    struct part *parts;
    size_t count;
    size_t next; /* atomic, as are the next two */
    uint64_t done;
    bool stop;

    pthread_mutex_t lock;
    pthread_cond_t ended;
    size_t running;
    bool bad;
    se_error failure;  /* of a connection, a key, ... */
    struct walk *last; /* where the last part ended */
    struct early *early;
    uint64_t entries, erased, seals;
};

bool shared_stopped(const struct shared *s)
{
    return __atomic_load_n(&s->stop, __ATOMIC_RELAXED);
}

bool shared_step(struct shared *s, uint64_t entries)
{
    __atomic_add_fetch(&s->done, entries, __ATOMIC_RELAXED);
    return !shared_stopped(s);
}

static void stop(struct shared *s)
{
    __atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
}

/* ---- a thread ---- */

/* Of what several have found, the one that is nearest to the chain's beginning. */
static void keep_finding(void *arg, const se_finding *finding)
{
    struct shared *s = arg;
    struct early *e = s->early;

    pthread_mutex_lock(&s->lock);
    if (!finding->first != !finding->seal &&
        (!e->what.text || (finding->first && e->what.first && finding->first < e->what.first))) {
        e->what = *finding;
        (void)snprintf(e->text, sizeof e->text, "%s", finding->text);
        e->what.text = e->text;
    }
    pthread_mutex_unlock(&s->lock);
}

static void gather(struct shared *s, struct part *part, struct walk *w, se_status st,
                   const se_error *why)
{
    pthread_mutex_lock(&s->lock);
    part->end = w->now;
    s->entries += w->entries;
    s->erased += w->erased;
    s->seals += w->seals_seen;
    if (w->findings->count)
        s->bad = true;
    else if (st && !s->failure.status)
        s->failure = *why;
    if (st)
        stop(s);
    if (!st && part == &s->parts[s->count - 1]) {
        *s->last = *w;
        s->last->findings = s->model->findings;
        s->last->store = s->model->store;
    }
    pthread_mutex_unlock(&s->lock);
}

static void walk_part(struct shared *s, struct part *part, struct database *store, struct walk *w)
{
    struct findings quiet = { .fn = keep_finding, .arg = s };
    se_error why = SE_ERROR_INIT;
    se_status st;

    *w = *s->model;
    w->store = store;
    w->findings = &quiet;
    w->stops = true;
    w->shared = s;
    w->last = part->last;
    w->last_seal = part->last_seal;
    w->part = part != &s->parts[s->count - 1];
    st = walk_alone(w, &part->start, &why);
    if (!st && quiet.count)
        st = SE_ERR_REJECTED;
    gather(s, part, w, st, &why);
}

static void work(struct shared *s)
{
    AUTO(database) store = NULL;
    se_error why = SE_ERROR_INIT;
    struct walk *w = calloc(1, sizeof *w);
    struct chain chain;
    size_t at;

    if (!w || history_reader(&store, &chain, s->model->h, &why)) {
        pthread_mutex_lock(&s->lock);
        s->bad = true; /* whatever it is, the caller meets it too */
        pthread_mutex_unlock(&s->lock);
        stop(s);
    }
    while (!shared_stopped(s) &&
           (at = __atomic_fetch_add(&s->next, 1, __ATOMIC_RELAXED)) < s->count)
        walk_part(s, &s->parts[at], store, w);
    free(w);
}

static void *run(void *arg)
{
    struct shared *s = arg;

    work(s);
    pthread_mutex_lock(&s->lock);
    s->running--;
    pthread_cond_signal(&s->ended);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- parts ---- */

struct cutting {
    struct shared *shared;
    size_t at;
    uint64_t size; /* of the seal before */
    bool odd;
};

/* The seals of a part are those that cover more than what is before it, and no more than its last
 * entry. */
static se_status cut_seal(void *arg, const struct sealed *sealed, se_error *err)
{
    struct cutting *c = arg;
    struct part *parts = c->shared->parts;

    (void)err;
    c->odd = c->odd || sealed->size < c->size;
    c->size = sealed->size;
    while (c->at + 1 < c->shared->count && sealed->size > parts[c->at].last) {
        parts[c->at++].last_seal = sealed->number - 1;
        parts[c->at].start.seal = sealed->number;
    }
    return SE_OK;
}

static se_status cut(bool *good, struct shared *s, const struct start *start, uint64_t length,
                     se_error *err)
{
    const struct walk *model = s->model;
    struct cutting c = { .shared = s };
    uint64_t from = start->edge.size;
    se_status st;

    s->parts[0].start = *start;
    for (size_t i = 0; i < s->count; i++) {
        if (i && !nodes_edge(&s->parts[i].start.edge, model->nodes, from))
            return SE_OK;
        from = (from / BLOCK + length) * BLOCK;
        s->parts[i].last = i + 1 < s->count ? from : model->last;
    }
    st = model->store->type->seals(model->store, model->chain, start->seal, model->last_seal,
                                   cut_seal, &c, err);
    for (; c.at + 1 < s->count; c.at++) {
        s->parts[c.at].last_seal = model->last_seal;
        s->parts[c.at + 1].start.seal = model->last_seal + 1;
    }
    s->parts[c.at].last_seal = model->last_seal;
    *good = !c.odd;
    return st;
}

static bool join_up(const struct shared *s)
{
    for (size_t i = 0; i + 1 < s->count; i++) {
        const struct edge *end = &s->parts[i].end, *begin = &s->parts[i + 1].start.edge;

        if (end->size != begin->size || end->failed || end->count != begin->count)
            return false;
        for (unsigned k = 0; k < end->count; k++)
            if (!hash_same(&end->parts[k], &begin->parts[k]))
                return false;
    }
    return true;
}

/* ---- the caller ---- */

static bool tell(struct shared *s)
{
    const struct se_history *h = s->model->h;

    return !h->progress || h->progress(h->progress_arg, __atomic_load_n(&s->done, __ATOMIC_RELAXED),
                                       s->model->total);
}

static bool wait_for_all(struct shared *s)
{
    bool cancelled = false;

    pthread_mutex_lock(&s->lock);
    while (s->running) {
        struct timespec until = deadline_in(TELL_MS);

        (void)pthread_cond_clockwait(&s->ended, &s->lock, CLOCK_MONOTONIC, &until);
        pthread_mutex_unlock(&s->lock);
        if (!cancelled && !tell(s)) {
            cancelled = true;
            stop(s);
        }
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return cancelled;
}

static bool run_all(struct shared *s, unsigned threads)
{
    pthread_t ids[THREADS_MOST];
    unsigned started = 0;
    bool cancelled;

    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->ended, NULL);
    s->running = threads;
    while (started < threads && thread_start(&ids[started], run, s))
        started++;
    pthread_mutex_lock(&s->lock);
    s->running -= threads - started;
    pthread_mutex_unlock(&s->lock);
    cancelled = wait_for_all(s);
    for (unsigned i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
    pthread_cond_destroy(&s->ended);
    pthread_mutex_destroy(&s->lock);
    s->bad = s->bad || !started;
    return cancelled;
}

static se_status judge(bool *good, struct shared *s, struct walk *w, bool cancelled, se_error *err)
{
    *good = false;
    if (cancelled)
        return error_set(err, SE_ERR_CANCELLED, "stopped");
    if (s->bad || s->failure.status == SE_ERR_REJECTED)
        return SE_OK;
    if (s->failure.status)
        return error_set_at(err, s->failure.status, s->failure.file, s->failure.line, "%s",
                            s->failure.text);
    if (!join_up(s))
        return SE_OK;
    w->entries = s->entries;
    w->erased = s->erased;
    w->seals_seen = s->seals;
    *good = true;
    return SE_OK;
}

se_status walk_together(bool *good, struct early *early, struct walk *w, const struct start *start,
                        unsigned threads, se_error *err)
{
    const struct walk model = *w;
    struct shared s = { .model = &model, .last = w, .early = early, .failure = SE_ERROR_INIT };
    uint64_t blocks = model.total / BLOCK + 1,
             length = blocks / ((uint64_t)threads * PARTS_FOR_EACH);
    bool cuts = false;
    se_status st;

    *good = false;
    *early = (struct early){ .what = { .text = NULL } };
    threads = threads < THREADS_MOST ? threads : THREADS_MOST;
    length = length > PART_LEAST / BLOCK ? length : PART_LEAST / BLOCK;
    s.count = (size_t)((blocks + length - 1) / length);
    if (threads < 2 || s.count < 2)
        return SE_OK;
    if (!(s.parts = calloc(s.count, sizeof *s.parts)))
        return error_memory(err);
    if (!(st = cut(&cuts, &s, start, length, err)) && cuts)
        st = judge(good, &s, w, run_all(&s, threads), err);
    free(s.parts);
    if (!*good)
        *w = model; /* a part that was good has left its own */
    return st;
}
