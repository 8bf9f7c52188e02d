/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit: callers that append at the same time.  One of them leads: it takes all that waits,
 * stores it in one transaction under one signature, and wakes the others.  What comes meanwhile is
 * the next group.
 */
#include <stdlib.h>
#include <time.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/thread.h"
#include "history/history.h"

enum { PIECE = 2048, BIG_BATCH = 2 * PIECE };
enum { GATHER_SHARE = 10, GATHER_STEP_US = 100 };

/* ---- a batch: what callers append together becomes entries, and subtrees ---- */

struct append_batch {
    struct row *rows;
    unsigned char *salts;
    size_t count, filled; /* rows */
    struct subtree *subtrees;
    size_t subtree_count;
    struct queued_call *call; /* whose records are next */
    size_t taken;             /* of them */
    int64_t time;             /* of the last entry */
};

static void append_batch_free(struct append_batch *b)
{
    free(b->rows);
    free(b->salts);
    free(b->subtrees);
}
AUTO_KIND(append_batch, struct append_batch, append_batch_free(p))

/* Room for the records of `calls`.  Of 256 entries one subtree comes, of 65,536 another one, and so
 * on.  `time`: of the last entry before. */
static se_status append_batch_make(struct append_batch *out, struct queued_call *calls,
                                   int64_t time, se_error *err)
{
    *out = (struct append_batch){ .call = next_appending(calls), .time = time };
    for (struct queued_call *call = out->call; call; call = next_appending(call->next))
        out->count += call->count;
    out->rows = malloc((out->count + 1) * sizeof *out->rows);
    out->salts = malloc(out->count * SALT_SIZE + 1);
    out->subtrees = malloc((out->count / 255 + FRONTIER_MOST) * sizeof *out->subtrees);
    return out->rows && out->salts && out->subtrees ? SE_OK : error_memory(err);
}

static void keep_full_subtree(void *arg, const struct subtree *subtree)
{
    struct append_batch *b = arg;

    b->subtrees[b->subtree_count++] = *subtree;
}

static void fill_row(struct append_batch *b, struct row *row, uint64_t seq)
{
    struct queued_call *call = b->call;
    const se_record *record = &call->records[b->taken];

    if (!b->taken++) {
        call->first = seq;
        /* times never go back within a chain, whatever the clocks of its hosts say */
        b->time = call->time > b->time ? call->time : b->time;
    }
    *row = (struct row){
        .seq = seq,
        .time = b->time,
        .object = record->object,
        .salt = { b->salts + b->filled * SALT_SIZE, SALT_SIZE },
        .payload = record->payload,
    };
    if (b->taken == call->count) {
        b->call = next_appending(call->next);
        b->taken = 0;
    }
}

/* A piece of the rows, which become the chain's next entries. */
static se_status fill_piece(struct append_batch *b, struct chain *chain, se_error *err)
{
    size_t end = b->count - b->filled > PIECE ? b->filled + PIECE : b->count;

    TRY(random_fill(b->salts + b->filled * SALT_SIZE, (end - b->filled) * SALT_SIZE, err));
    for (; b->filled < end; b->filled++) {
        struct row *row = &b->rows[b->filled];

        fill_row(b, row, chain->frontier.size + 1);
        TRY(entry_leaf(&row->leaf, row, &chain->id, err));
        frontier_add(&chain->frontier, 0, &row->leaf, keep_full_subtree, b);
    }
    return SE_OK;
}

/* ---- a commit ---- */

/*
 * A thread stores the rows of a big batch while the caller is still busy with the tree and the
 * checkpoint.  It is the caller who signs, because the engine's events are its own.
 */
struct commit {
    se_history *h;
    struct chain chain;
    struct append_batch batch;
    struct latest made;
    se_buf note;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    size_t ready; /* rows that can be stored */
    bool over;    /* one of the two has failed */

    se_error stored; /* how storing rows went */
};

/* False: it is over. */
static bool report_ready(struct commit *c, size_t ready, bool over)
{
    bool go_on;

    pthread_mutex_lock(&c->lock);
    c->ready = ready;
    c->over = c->over || over;
    go_on = !c->over;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return go_on;
}

static se_status fill_and_sign(struct commit *c, se_error *err)
{
    struct append_batch *b = &c->batch;
    se_status st;

    while (b->filled < b->count) {
        st = fill_piece(b, &c->chain, err);
        if (!report_ready(c, b->filled, st != SE_OK))
            return st;
    }
    c->made.checkpoint.time = b->time;
    st = checkpoint_sign(&c->made, &c->note, c->h, &c->chain, err);
    if (st)
        (void)report_ready(c, b->count, true);
    return st;
}

/* More than `stored`; else it is over. */
static size_t wait_for_rows(struct commit *c, size_t stored)
{
    size_t ready;

    pthread_mutex_lock(&c->lock);
    while (c->ready == stored && !c->over)
        pthread_cond_wait(&c->changed, &c->lock);
    ready = c->over ? stored : c->ready;
    pthread_mutex_unlock(&c->lock);
    return ready;
}

static void *store_rows(void *arg)
{
    struct commit *c = arg;
    struct chain_store *store = c->h->store;

    for (size_t stored = 0, ready; stored < c->batch.count; stored = ready) {
        ready = wait_for_rows(c, stored);
        if (ready == stored)
            break;
        if (store->type->write_rows(store, &c->chain, c->batch.rows + stored, ready - stored,
                                    &c->stored)) {
            pthread_mutex_lock(&c->lock);
            c->over = true;
            pthread_mutex_unlock(&c->lock);
            break;
        }
    }
    return NULL;
}

/* Without a thread, one after the other. */
static se_status sign_and_store_rows(struct commit *c, se_error *err)
{
    pthread_t thread;
    bool started = c->batch.count >= BIG_BATCH && thread_start(&thread, store_rows, c);
    se_status st = fill_and_sign(c, err);

    if (started)
        pthread_join(thread, NULL);
    else if (!st)
        (void)store_rows(c);
    return st || !c->stored.status ? st : error_hand_on(err, &c->stored);
}

static se_status store_batch(struct commit *c, struct queued_call *calls, se_error *err)
{
    struct chain_store *store = c->h->store;

    TRY(append_batch_make(&c->batch, calls, c->h->latest.checkpoint.time, err));
    TRY(sign_and_store_rows(c, err));
    TRY(store->type->write_subtrees(store, &c->chain, c->batch.subtrees, c->batch.subtree_count,
                                    err));
    TRY(append_keys_store(c->h, &c->chain, calls, err));
    return checkpoint_store(c->h, &c->chain, &c->made, buf_bytes(&c->note), err);
}

static se_status commit_batch(struct commit *c, struct queued_call *calls, se_error *err)
{
    se_status st;

    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    st = store_batch(c, calls, err);
    st = history_commit(c->h, &c->made, st, err);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    append_batch_free(&c->batch);
    se_buf_free(&c->note);
    return st;
}

/* What waits becomes the chain's next entries, in one transaction, with a checkpoint. */
static se_status group_commit(se_history *h, struct queued_call *calls, se_error *err)
{
    struct commit c = { .h = h, .note = SE_BUF_INIT, .stored = SE_ERROR_INIT };

    TRY(append_keys_begin(&c.chain, h, calls, err));
    if (next_appending(calls))
        return commit_batch(&c, calls, err);
    transaction_abandon(h->store);
    return SE_OK;
}

/* ---- the queue, with its lock held ---- */

static void queue_call(struct commit_queue *q, struct queued_call *call)
{
    if (q->last)
        q->last->next = call;
    else
        q->first = call;
    q->last = call;
    q->waiting++;
}

/*
 * A caller that was served a moment ago comes again at once.  A leader that did not wait for them
 * would take the few that are there already, and every second group would be a small one.
 */
static void gather_calls(struct commit_queue *q)
{
    int64_t until = clock_microseconds() + q->gather_us;

    while (q->waiting < q->expected && clock_microseconds() < until) {
        pthread_mutex_unlock(&q->lock);
        nanosleep(&(struct timespec){ 0, GATHER_STEP_US * 1000 }, NULL);
        pthread_mutex_lock(&q->lock);
    }
}

/* The entries that wait, up to a caller that wants to be alone; or that caller. */
static struct queued_call *take_calls(struct commit_queue *q)
{
    struct queued_call *all = q->first, *last = all;

    q->waiting--;
    for (; !all->work && last->next && !last->next->work; last = last->next)
        q->waiting--;
    q->first = last->next;
    if (!q->first)
        q->last = NULL;
    last->next = NULL;
    return all;
}

/* A call that another one stands for fares as that one does. */
static void tell_outcome(struct queued_call *all, const se_error *outcome)
{
    for (struct queued_call *call = all; call; call = call->next) {
        if (!call->answered || (call->twin && outcome->status))
            call->error = *outcome;
        if (call->twin)
            call->first = call->twin->first;
    }
}

static size_t wake_calls(struct queued_call *all)
{
    size_t count = 0;

    for (struct queued_call *call = all, *next; call; call = next, count++) {
        next = call->next; /* a caller that is woken is gone */
        call->done = true;
        pthread_cond_signal(&call->wake);
    }
    return count;
}

static void appoint_next_leader(struct commit_queue *q)
{
    q->led = q->first != NULL;
    if (q->first) {
        q->first->leads = true;
        pthread_cond_signal(&q->first->wake);
    }
}

static void lead_commit(se_history *h)
{
    struct commit_queue *q = &h->queue;
    se_error outcome = SE_ERROR_INIT;
    struct queued_call *calls;
    int64_t began, took;
    size_t served;

    if (!q->first->work)
        gather_calls(q);
    calls = take_calls(q);
    pthread_mutex_unlock(&q->lock);
    began = clock_microseconds();
    if (calls->work)
        outcome.status = calls->work(h, calls->arg, &outcome);
    else
        outcome.status = group_commit(h, calls, &outcome);
    took = clock_microseconds() - began;
    pthread_mutex_lock(&q->lock);
    tell_outcome(calls, &outcome);
    served = wake_calls(calls);
    q->expected = served + q->waiting;
    q->gather_us = (unsigned)(took > 0 && q->expected > 1 ? took / GATHER_SHARE : 0);
    appoint_next_leader(q);
}

se_status commit_queue_join(se_history *h, struct queued_call *call, se_error *err)
{
    struct commit_queue *q = &h->queue;

    pthread_cond_init(&call->wake, NULL);
    pthread_mutex_lock(&q->lock);
    call->time = clock_microseconds();
    queue_call(q, call);
    if (!q->led)
        q->led = call->leads = true;
    while (!call->done && !call->leads)
        pthread_cond_wait(&call->wake, &q->lock);
    if (!call->done)
        lead_commit(h);
    pthread_mutex_unlock(&q->lock);
    pthread_cond_destroy(&call->wake);
    return call->error.status ? error_hand_on(err, &call->error) : SE_OK;
}

/* ---- appending ---- */

static se_status check_records(const se_record *records, size_t count, se_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!given_bytes(records[i].object) || !given_bytes(records[i].payload))
            return error_set(err, SE_ERR_USAGE, "record %zu: its bytes are NULL", i + 1);
        if (records[i].object.size > OBJECT_MOST)
            return error_set(err, SE_ERR_USAGE,
                             "record %zu: its object's name has %zu bytes, %d at the most", i + 1,
                             records[i].object.size, OBJECT_MOST);
        if (records[i].payload.size > PAYLOAD_MOST)
            return error_set(err, SE_ERR_USAGE,
                             "record %zu: its payload has %zu bytes, %d at the most", i + 1,
                             records[i].payload.size, PAYLOAD_MOST);
    }
    return SE_OK;
}

se_status se_history_append_many(se_history_appended *out, se_history *history,
                                 const se_record *records, size_t count,
                                 const se_history_append_params *params, se_error *error)
{
    struct queued_call call = { .records = records, .count = count };
    struct append_key key;

    if (out)
        *out = (se_history_appended){ .first = 0 };
    TRY(arguments_check(error, history, given_array(records, count)));
    TRY(history_check_process(history, error));
    TRY(check_records(records, count, error));
    TRY(append_key_read(&key, &call, params, error));
    if (!count)
        return SE_OK;
    if (history->dry_run)
        return error_set(error, SE_ERR_USAGE,
                         "the history was opened for a dry run: nothing is appended");
    TRY(commit_queue_join(history, &call, error));
    if (out)
        *out = (se_history_appended){ call.first, count, call.answered };
    return SE_OK;
}

se_status se_history_append(uint64_t *seq, se_history *history, se_bytes object, se_bytes payload,
                            se_error *error)
{
    const se_record record = { object, payload };
    se_history_appended appended = { .first = 0 };
    se_status st;

    if (seq)
        *seq = 0;
    TRY(arguments_check(error, history, given_bytes(object), given_bytes(payload)));
    st = se_history_append_many(&appended, history, &record, 1, NULL, error);
    if (seq)
        *seq = appended.first;
    return st;
}
