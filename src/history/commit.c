/*
 * Group commit: what waits is stored and sealed at once, in one transaction, by one signature.  Of
 * a big group, the rows are stored by a thread while the caller is still busy with the tree and the
 * seal; it is the caller who signs, because events are its own.
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
    bool over;    /* one of the two has failed */

    se_status st; /* of storing rows */
    se_error error;
};

/* False: it is over. */
static bool tell(struct commit *c, size_t ready, bool over)
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

static se_status work_out(struct commit *c, se_error *err)
{
    struct group *g = &c->group;
    se_status st;

    while (g->filled < g->count) {
        st = group_fill(g, &c->chain, PIECE, err);
        if (!tell(c, g->filled, st != SE_OK))
            return st;
    }
    c->what.time = g->time;
    if ((st = seal_make(&c->sealed, &c->note, c->h, &c->chain, &c->what, err)))
        (void)tell(c, g->count, true);
    return st;
}

/* More than `stored`; else it is over. */
static size_t wait_for(struct commit *c, size_t stored)
{
    size_t ready;

    pthread_mutex_lock(&c->lock);
    while (c->ready == stored && !c->over)
        pthread_cond_wait(&c->changed, &c->lock);
    ready = c->over ? stored : c->ready;
    pthread_mutex_unlock(&c->lock);
    return ready;
}

static void give_up(struct commit *c)
{
    pthread_mutex_lock(&c->lock);
    c->over = true;
    pthread_mutex_unlock(&c->lock);
}

static void *store_rows(void *arg)
{
    struct commit *c = arg;
    const struct row *rows = c->group.rows;
    struct database *store = c->h->store;

    for (size_t stored = 0, ready; stored < c->group.count; stored = ready) {
        if ((ready = wait_for(c, stored)) == stored)
            break;
        if ((c->st = store->type->put_rows(store, &c->chain, rows + stored, ready - stored,
                                           &c->error))) {
            give_up(c);
            break;
        }
    }
    return NULL;
}

/* Without a thread, one after the other. */
static se_status store_meanwhile(struct commit *c, se_error *err)
{
    pthread_t thread;
    bool started = c->group.count >= BIG && thread_start(&thread, store_rows, c);
    se_status st = work_out(c, err);

    if (started)
        pthread_join(thread, NULL);
    else if (!st)
        (void)store_rows(c);
    return st || !c->st
               ? st
               : error_set_at(err, c->st, c->error.file, c->error.line, "%s", c->error.text);
}

static se_status store(struct commit *c, struct waiter *waiters, se_error *err)
{
    const struct database_type *type = c->h->store->type;

    TRY(group_make(&c->group, waiters, c->h->known.seal.time, err));
    TRY(store_meanwhile(c, err));
    TRY(type->put_nodes(c->h->store, &c->chain, c->group.nodes, c->group.node_count, err));
    return seal_put(c->h, &c->chain, &c->sealed, buf_bytes(&c->note), err);
}

se_status history_commit(struct se_history *h, struct waiter *waiters, se_error *err)
{
    struct commit c = {
        .h = h, .note = SE_BUF_INIT, .error = SE_ERROR_INIT, .what = { .event = EVENT_NONE }
    };
    se_status st;

    TRY(history_begin(&c.chain, h, DATABASE_APPEND, err));
    pthread_mutex_init(&c.lock, NULL);
    pthread_cond_init(&c.changed, NULL);
    st = history_end(h, &c.sealed, store(&c, waiters, err), err);
    pthread_cond_destroy(&c.changed);
    pthread_mutex_destroy(&c.lock);
    group_free(&c.group);
    se_buf_free(&c.note);
    return st;
}
