/* Group commit: what waits is stored and sealed at once, by one signature. */
#include <stdlib.h>
#include <sys/random.h>

#include "history/history.h"

enum { SALTS_AT_ONCE = 1 << 20 };

struct group {
    struct row *rows;
    unsigned char *salts;
    size_t count;
    struct node *nodes;
    size_t node_count;
};

static void group_free(struct group *g)
{
    free(g->rows);
    free(g->salts);
    free(g->nodes);
}
AUTO_KIND(group, struct group, group_free(p))

static se_status random_bytes(unsigned char *out, size_t size, se_error *err)
{
    while (size) {
        ssize_t got = getrandom(out, size < SALTS_AT_ONCE ? size : SALTS_AT_ONCE, 0);

        if (got <= 0)
            return error_set(err, SE_ERR_CRYPTO, "the system gives no random bytes");
        out += got;
        size -= (size_t)got;
    }
    return SE_OK;
}

/* Of 256 entries one node comes, of 65,536 another one, and so on. */
static se_status group_make(struct group *g, const struct waiter *waiters, se_error *err)
{
    for (const struct waiter *w = waiters; w; w = w->next)
        g->count += w->count;
    g->rows = calloc(g->count + 1, sizeof *g->rows);
    g->salts = malloc(g->count * SALT_SIZE + 1);
    g->nodes = calloc(g->count / 255 + EDGE_MOST, sizeof *g->nodes);
    if (!g->rows || !g->salts || !g->nodes)
        return error_memory(err);
    return random_bytes(g->salts, g->count * SALT_SIZE, err);
}

static void keep_node(void *arg, const struct node *node)
{
    struct group *g = arg;

    g->nodes[g->node_count++] = *node;
}

/* Times never go back within a chain, whatever the clocks of its hosts say. */
static se_status fill(struct group *g, struct chain *chain, struct waiter *waiters, int64_t *time, se_error *err)
{
    struct row *row = g->rows;
    se_status st;

    for (struct waiter *w = waiters; w; w = w->next) {
        w->first = chain->edge.size + 1;
        *time = w->time > *time ? w->time : *time;
        for (size_t i = 0; i < w->count; i++, row++) {
            *row = (struct row){ .seq = chain->edge.size + 1,
                                 .time = *time,
                                 .object = w->records[i].object,
                                 .salt = { g->salts + (size_t)(row - g->rows) * SALT_SIZE, SALT_SIZE },
                                 .payload = w->records[i].payload };
            if ((st = row_leaf(&row->leaf, row, &chain->id, err)))
                return st;
            edge_add(&chain->edge, 0, &row->leaf, keep_node, g);
        }
    }
    return SE_OK;
}

se_status group_store(struct se_history *h, struct chain *chain, struct waiter *waiters, int64_t *time, se_error *err)
{
    AUTO(group) g = { .count = 0 };
    const struct database_type *type = h->store->type;
    se_status st;

    if ((st = group_make(&g, waiters, err)) || (st = fill(&g, chain, waiters, time, err)) ||
        (st = type->put_rows(h->store, chain, g.rows, g.count, err)))
        return st;
    return type->put_nodes(h->store, chain, g.nodes, g.node_count, err);
}
