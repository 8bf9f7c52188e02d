/*
 * Group commit: what waits is stored and sealed at once, in one transaction, by one signature.  Of a big group a thread makes the tree and
 * the seal, while the rows that it is done with are stored.
 */
#include "base/thread.h"
#include "history/group.h"

enum { PIECE = 2048, BIG = 2 * PIECE };

struct commit {
    struct se_history *h;
    struct chain chain;
    struct group group;
    struct sealing what;
    struct known sealed;
    se_buf note;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    size_t ready; /* rows that can be stored */
    bool stop;    /* nobody wants it any more */
    bool failed;
    se_status st; /* of the thread, and for who has waited for its end */
    se_error error;
};

/* ---- what becomes of the group ---- */

/* False: enough. */
static bool tell(struct commit *c, size_t ready, se_status st)
{
    bool stop;

    pthread_mutex_lock(&c->lock);
    c->ready = ready;
    c->failed = st != SE_OK;
    stop = c->stop;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return !st && !stop;
}

static void *work_out(void *arg)
{
    struct commit *c = arg;
    struct group *g = &c->group;
    bool wanted = true;

    while (wanted && g->filled < g->count) {
        c->st = group_fill(g, &c->chain, PIECE, &c->error);
        wanted = tell(c, g->filled, c->st);
    }
    c->what.time = g->time;
    if (wanted && (c->st = seal_make(&c->sealed, &c->note, c->h, &c->chain, &c->what, &c->error)))
        (void)tell(c, g->count, c->st);
    return NULL;
}

/* ---- the store ---- */

/* More than `stored`; if not, it has failed. */
static size_t wait_for(struct commit *c, size_t stored)
{
    size_t ready;

    pthread_mutex_lock(&c->lock);
    while (c->ready == stored && !c->failed)
        pthread_cond_wait(&c->changed, &c->lock);
    ready = c->failed ? stored : c->ready;
    pthread_mutex_unlock(&c->lock);
    return ready;
}

static se_status store_rows(struct commit *c, se_error *err)
{
    const struct database_type *type = c->h->store->type;
    se_status st = SE_OK;

    for (size_t stored = 0, ready; !st && stored < c->group.count; stored = ready) {
        if ((ready = wait_for(c, stored)) == stored)
            return SE_OK; /* the caller learns why */
        st = type->put_rows(c->h->store, &c->chain, c->group.rows + stored, ready - stored, err);
    }
    return st;
}

static void give_up(struct commit *c)
{
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_mutex_unlock(&c->lock);
}

/* Without a thread, one after the other. */
static se_status store_meanwhile(struct commit *c, se_error *err)
{
    pthread_t thread;
    bool started = c->group.count >= BIG && thread_start(&thread, work_out, c);
    se_status st;

    if (!started)
        (void)work_out(c);
    if ((st = store_rows(c, err)))
        give_up(c);
    if (started)
        pthread_join(thread, NULL);
    if (!st && c->st)
        st = error_set_at(err, c->st, c->error.file, c->error.line, "%s", c->error.text);
    return st;
}

static se_status store(struct commit *c, struct waiter *waiters, se_error *err)
{
    const struct database_type *type = c->h->store->type;
    se_status st;

    if ((st = group_make(&c->group, waiters, c->h->known.seal.time, err)) || (st = store_meanwhile(c, err)) ||
        (st = type->put_nodes(c->h->store, &c->chain, c->group.nodes, c->group.node_count, err)))
        return st;
    return seal_put(c->h, &c->chain, &c->sealed, buf_bytes(&c->note), err);
}

se_status history_commit(struct se_history *h, struct waiter *waiters, se_error *err)
{
    struct commit c = { .h = h, .note = SE_BUF_INIT, .error = SE_ERROR_INIT, .what = { .event = EVENT_NONE } };
    se_status st = history_begin(&c.chain, h, err);

    if (st)
        return st;
    pthread_mutex_init(&c.lock, NULL);
    pthread_cond_init(&c.changed, NULL);
    st = history_end(h, &c.sealed, store(&c, waiters, err), err);
    pthread_cond_destroy(&c.changed);
    pthread_mutex_destroy(&c.lock);
    group_free(&c.group);
    se_buf_free(&c.note);
    return st;
}
