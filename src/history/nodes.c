#include <stdlib.h>

#include "history/walk.h"

void nodes_free(struct nodes *nodes)
{
    free(nodes->list);
    free(nodes->there);
    *nodes = (struct nodes){ .list = NULL };
}

/* Sizes that a store tells are not believed: room is made for what is there, and a little more for
 * what is missing. */
enum { MISSING_MOST = 1000 };

struct loading {
    uint64_t rows; /* how many there are */
    struct nodes *nodes;
    struct findings *findings;
};

static se_status keep(void *arg, const struct node *node, se_error *err)
{
    const struct loading *l = arg;

    (void)err;
    if (node->index >= l->nodes->count)
        finding_add(l->findings, (se_finding){ .kind = SE_FINDING_INSERTED },
                    "the store has a hash of 2^%u entries, number %ju, which there are not",
                    node->level, (uintmax_t)node->index);
    else {
        l->nodes->list[node->index] = node->hash;
        l->nodes->there[node->index] = true;
    }
    return SE_OK;
}

static se_status count(void *arg, const struct node *node, se_error *err)
{
    struct loading *l = arg;

    (void)node;
    (void)err;
    l->rows++;
    return SE_OK;
}

se_status nodes_load(struct nodes *out, struct database *store, const struct chain *chain,
                     unsigned level, struct findings *findings, se_error *err)
{
    struct loading l = { 0, out, findings };
    uint64_t full = chain->edge.size >> level;

    TRY(store->type->nodes(store, chain, level, 0, UINT64_MAX, count, &l, err));
    *out = (struct nodes){ .level = level,
                           .count = full < l.rows + MISSING_MOST ? full : l.rows + MISSING_MOST };
    out->list = calloc(out->count + 1, sizeof *out->list);
    out->there = calloc(out->count + 1, sizeof *out->there);
    if (!out->list || !out->there)
        return error_memory(err);
    return store->type->nodes(store, chain, level, 0, UINT64_MAX, keep, &l, err);
}

bool nodes_edge(struct edge *out, const struct nodes *nodes, uint64_t entries)
{
    *out = (struct edge){ .size = 0 };
    for (uint64_t i = 0; i < entries >> nodes->level; i++) {
        if (i >= nodes->count || !nodes->there[i])
            return false;
        edge_add(out, nodes->level, &nodes->list[i], NULL, NULL);
    }
    return true;
}

static void above(struct nodes *out, const struct nodes *below)
{
    for (uint64_t i = 0; i < out->count; i++) {
        struct edge edge = { .size = 0 };

        for (uint64_t k = 0; k < BLOCK; k++)
            edge_add(&edge, 0, &below->list[i * BLOCK + k], NULL, NULL);
        out->list[i] = edge.parts[0];
    }
}

static void compare(const struct nodes *stored, const struct nodes *computed,
                    struct findings *findings)
{
    for (uint64_t i = 0; i < computed->count; i++)
        if (!stored->there[i] || !hash_same(&stored->list[i], &computed->list[i]))
            finding_add(findings, (se_finding){ .kind = SE_FINDING_CHANGED },
                        "the stored hash of entries %ju to %ju is %s: the store was changed",
                        (uintmax_t)((i << stored->level) + 1),
                        (uintmax_t)((i + 1) << stored->level),
                        stored->there[i] ? "another one" : "missing");
}

se_status nodes_check_above(const struct nodes *nodes, struct database *store,
                            const struct chain *chain, struct findings *findings, se_error *err)
{
    const struct nodes *below = nodes;
    AUTO(nodes) computed = { .list = NULL };
    AUTO(nodes) last = { .list = NULL };

    for (unsigned level = nodes->level + NODE_STEP; level < EDGE_MOST; level += NODE_STEP) {
        AUTO(nodes) stored = { .list = NULL };
        se_status st = nodes_load(&stored, store, chain, level, findings, err);

        if (st)
            return st;
        computed =
            (struct nodes){ .level = level,
                            .count = stored.count < below->count / BLOCK ? stored.count
                                                                         : below->count / BLOCK,
                            .list = calloc(stored.count + 1, sizeof *computed.list) };
        if (!computed.list)
            return error_memory(err);
        above(&computed, below);
        compare(&stored, &computed, findings);
        nodes_free(&last);
        last = computed;
        computed = (struct nodes){ .list = NULL };
        below = &last;
    }
    return SE_OK;
}
