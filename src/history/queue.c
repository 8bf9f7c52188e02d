/*
 * Callers that append at the same time.  One of them leads: it takes all that waits, has it stored
 * and sealed, and wakes the others; what comes meanwhile is the next group.
 */
#include <stdlib.h>
#include <time.h>

#include "base/arguments.h"
#include "base/deadline.h"
#include "history/history.h"

enum { GATHER_SHARE = 10, GATHER_STEP_US = 100 };

/* ---- with the lock held ---- */

static void wake(struct waiter *w)
{
    pthread_cond_signal(&w->wake);
}

static void put(struct queue *q, struct waiter *w)
{
    if (q->last)
        q->last->next = w;
    else
        q->first = w;
    q->last = w;
    q->waiting++;
}

/*
 * Who was served a moment ago comes again at once.  A leader that did not wait for them would take
 * the few that are there already, and every second group would be a small one.
 */
static void gather(struct queue *q)
{
    int64_t until = micros_now() + q->gather_us;

    while (q->waiting < q->expected && micros_now() < until) {
        pthread_mutex_unlock(&q->lock);
        nanosleep(&(struct timespec){ 0, GATHER_STEP_US * 1000 }, NULL);
        pthread_mutex_lock(&q->lock);
    }
}

/* The entries that wait, up to a caller that wants to be alone; or that caller. */
static struct waiter *take(struct queue *q)
{
    struct waiter *all = q->first, *last = all;

    q->waiting--;
    for (; !all->work && last->next && !last->next->work; last = last->next)
        q->waiting--;
    q->first = last->next;
    if (!q->first)
        q->last = NULL;
    last->next = NULL;
    return all;
}

static size_t finish(struct waiter *all, se_status st, const se_error *err)
{
    size_t count = 0;

    for (struct waiter *w = all, *next; w; w = next, count++) {
        next = w->next; /* who is woken is gone */
        w->status = st;
        w->error = *err;
        w->done = true;
        wake(w);
    }
    return count;
}

/* The next one leads. */
static void hand_over(struct queue *q)
{
    q->led = q->first != NULL;
    if (q->first) {
        q->first->leads = true;
        wake(q->first);
    }
}

static void lead(struct se_history *h)
{
    struct queue *q = &h->queue;
    se_error err = SE_ERROR_INIT;
    struct waiter *group;
    int64_t began;
    size_t served;
    se_status st;

    if (!q->first->work)
        gather(q);
    group = take(q);
    pthread_mutex_unlock(&q->lock);
    began = micros_now();
    st = group->work ? group->work(h, group->arg, &err) : history_commit(h, group, &err);
    began = micros_now() - began;
    pthread_mutex_lock(&q->lock);
    served = finish(group, st, &err);
    q->expected = served + q->waiting;
    q->gather_us = (unsigned)(began > 0 && q->expected > 1 ? began / GATHER_SHARE : 0);
    hand_over(q);
}

/* ---- */

se_status queue_join(struct se_history *h, struct waiter *w, se_error *err)
{
    struct queue *q = &h->queue;

    pthread_cond_init(&w->wake, NULL);
    pthread_mutex_lock(&q->lock);
    w->time = micros_now();
    put(q, w);
    if (!q->led)
        q->led = w->leads = true;
    while (!w->done && !w->leads)
        pthread_cond_wait(&w->wake, &q->lock);
    if (!w->done)
        lead(h);
    pthread_mutex_unlock(&q->lock);
    pthread_cond_destroy(&w->wake);
    return w->status ? error_set_at(err, w->error.status, w->error.file, w->error.line, "%s",
                                    w->error.text)
                     : SE_OK;
}

static se_status check(const se_record *records, size_t count, se_error *err)
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

se_status se_history_append_many(uint64_t *first, se_history *history, const se_record *records,
                                 size_t count, se_error *error)
{
    struct waiter w = { .records = records, .count = count };
    se_status st;

    if (first)
        *first = 0;
    TRY(arguments_check(error, history, given_array(records, count)));
    if ((st = history_ours(history, error)) || (st = check(records, count, error)) || !count)
        return st;
    if (history->dry_run)
        return error_set(error, SE_ERR_USAGE,
                         "the history was opened for a dry run: nothing is appended");
    TRY(queue_join(history, &w, error));
    if (first)
        *first = w.first;
    return SE_OK;
}

se_status se_history_append(uint64_t *seq, se_history *history, se_bytes object, se_bytes payload,
                            se_error *error)
{
    const se_record record = { object, payload };
    se_status st = arguments_check(error, history, given_bytes(object), given_bytes(payload));

    return st ? st : se_history_append_many(seq, history, &record, 1, error);
}
