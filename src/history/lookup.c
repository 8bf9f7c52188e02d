/* Finding things in a chain without walking along it. */
#include "history/walk.h"

/* ---- seals ---- */

static bool seal_at(struct seal *out, struct database *store, const struct chain *chain,
                    uint64_t number)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;
    struct note note;

    if (history_note(&bytes, store, chain, number, NULL) ||
        note_parse(&note, buf_bytes(&bytes), NULL))
        return false;
    *out = note.seal;
    return true;
}

/* By halves: seals never get older. */
bool seal_before(struct seal *out, struct database *store, const struct chain *chain, uint64_t last,
                 int64_t time)
{
    uint64_t low = chain->base_seal, high = last + 1;
    struct seal seal = { .number = 0 };

    *out = seal;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (!seal_at(&seal, store, chain, middle))
            return false;
        if (seal.time < time) {
            *out = seal;
            low = middle + 1;
        } else
            high = middle;
    }
    return out->number > 0;
}

/* ---- the tree ---- */

static se_status add_node(void *arg, const struct node *node, se_error *err)
{
    struct edge *edge = arg;

    if (edge->size >> node->level != node->index)
        return error_set(err, SE_ERR_REJECTED, "a stored hash is missing");
    edge_add(edge, node->level, &node->hash, NULL, NULL);
    return SE_OK;
}

static se_status add_leaf(void *arg, const struct row *row, se_error *err)
{
    struct edge *edge = arg;

    if (row->seq != edge->size + 1)
        return error_set(err, SE_ERR_REJECTED, "entry %ju is missing", (uintmax_t)edge->size + 1);
    edge_add(edge, 0, &row->leaf, NULL, NULL);
    return SE_OK;
}

se_status tree_edge(struct edge *out, struct database *store, const struct chain *chain,
                    uint64_t entries, se_error *err)
{
    const struct database_type *type = store->type;
    uint64_t blocks = entries / BLOCK;
    se_status st;

    *out = (struct edge){ .size = 0 };
    if (blocks * BLOCK <= chain->base.size)
        *out = chain->base;
    else if ((st = type->nodes(store, chain, NODE_STEP, 0, blocks - 1, add_node, out, err)))
        return st;
    if (out->size < entries &&
        (st = type->rows(store, chain, out->size + 1, entries, add_leaf, out, err)))
        return st;
    return out->size == entries ? SE_OK
                                : error_set(err, SE_ERR_REJECTED, "entries up to %ju are missing",
                                            (uintmax_t)entries);
}
