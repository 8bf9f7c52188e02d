#include <stdlib.h>
#include <sys/random.h>

#include "history/group.h"
#include "signengine-history.h"

enum { SALTS_AT_ONCE = 1 << 20 };

void group_free(struct group *g)
{
    free(g->rows);
    free(g->salts);
    free(g->nodes);
}

/* Of 256 entries one node comes, of 65,536 another one, and so on. */
se_status group_make(struct group *out, struct waiter *waiters, int64_t time, se_error *err)
{
    *out = (struct group){ .waiter = waiters, .time = time };
    for (const struct waiter *w = waiters; w; w = w->next)
        out->count += w->count;
    out->rows = malloc((out->count + 1) * sizeof *out->rows);
    out->salts = malloc(out->count * SALT_SIZE + 1);
    out->nodes = malloc((out->count / 255 + EDGE_MOST) * sizeof *out->nodes);
    return out->rows && out->salts && out->nodes ? SE_OK : error_memory(err);
}

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

static void keep_node(void *arg, const struct node *node)
{
    struct group *g = arg;

    g->nodes[g->node_count++] = *node;
}

/* Times never go back within a chain, whatever the clocks of its hosts say. */
static void begin_waiter(struct group *g, uint64_t first)
{
    g->waiter->first = first;
    g->time = g->waiter->time > g->time ? g->waiter->time : g->time;
}

static void fill_row(struct group *g, struct row *row, uint64_t seq)
{
    const se_record *record;

    if (!g->taken)
        begin_waiter(g, seq);
    record = &g->waiter->records[g->taken++];
    *row = (struct row){ .seq = seq,
                         .time = g->time,
                         .object = record->object,
                         .salt = { g->salts + g->filled * SALT_SIZE, SALT_SIZE },
                         .payload = record->payload };
    if (g->taken == g->waiter->count) {
        g->waiter = g->waiter->next;
        g->taken = 0;
    }
}

se_status group_fill(struct group *g, struct chain *chain, size_t most, se_error *err)
{
    size_t end = g->count - g->filled > most ? g->filled + most : g->count;
    se_status st =
        random_bytes(g->salts + g->filled * SALT_SIZE, (end - g->filled) * SALT_SIZE, err);

    for (; !st && g->filled < end; g->filled++) {
        struct row *row = &g->rows[g->filled];

        fill_row(g, row, chain->edge.size + 1);
        if (!(st = row_leaf(&row->leaf, row, &chain->id, err)))
            edge_add(&chain->edge, 0, &row->leaf, keep_node, g);
    }
    return st;
}
