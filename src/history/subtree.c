/* SPDX-License-Identifier: Apache-2.0 */
#include "history/subtree.h"

#include <stdlib.h>

/* ---- one level ---- */

/* Sizes that a store states are not believed: there is room for what is there, and a little more
 * for what is missing. */
enum { MISSING_MOST = 1000 };

struct level_load {
    uint64_t rows; /* how many there are */
    struct subtrees *subtrees;
    struct findings *findings;
};

void subtrees_free(struct subtrees *subtrees)
{
    free(subtrees->list);
    free(subtrees->there);
    *subtrees = (struct subtrees){ .list = NULL };
}

static se_status keep_subtree(void *arg, const struct subtree *subtree, se_error *err)
{
    const struct level_load *l = arg;

    (void)err;
    if (subtree->index >= l->subtrees->count)
        finding_add(l->findings, (se_finding){ .kind = SE_FINDING_INSERTED },
                    "the store has a hash of 2^%u entries, number %ju, which there are not",
                    subtree->level, (uintmax_t)subtree->index);
    else {
        l->subtrees->list[subtree->index] = subtree->hash;
        l->subtrees->there[subtree->index] = true;
    }
    return SE_OK;
}

static se_status count_subtree(void *arg, const struct subtree *subtree, se_error *err)
{
    struct level_load *l = arg;

    (void)subtree;
    (void)err;
    l->rows++;
    return SE_OK;
}

se_status subtrees_load(struct subtrees *out, struct chain_store *store, const struct chain *chain,
                        unsigned level, struct findings *findings, se_error *err)
{
    struct level_load l = { 0, out, findings };
    uint64_t full = chain->frontier.size >> level;

    TRY(store->type->read_subtrees(store, level, &(struct range){ chain, 0, UINT64_MAX },
                                   count_subtree, &l, err));
    *out = (struct subtrees){
        .level = level,
        .count = full < l.rows + MISSING_MOST ? full : l.rows + MISSING_MOST,
    };
    out->list = calloc(out->count + 1, sizeof *out->list);
    out->there = calloc(out->count + 1, sizeof *out->there);
    if (!out->list || !out->there)
        return error_memory(err);
    return store->type->read_subtrees(store, level, &(struct range){ chain, 0, UINT64_MAX },
                                      keep_subtree, &l, err);
}

const struct hash *subtree_at(const struct subtrees *subtrees, uint64_t index)
{
    return index < subtrees->count && subtrees->there[index] ? &subtrees->list[index] : NULL;
}

bool subtrees_frontier(struct frontier *out, const struct subtrees *subtrees, uint64_t entries)
{
    *out = (struct frontier){ .size = 0 };
    for (uint64_t i = 0; i < entries >> subtrees->level; i++) {
        const struct hash *hash = subtree_at(subtrees, i);

        if (!hash)
            return false;
        frontier_add(out, subtrees->level, hash, NULL, NULL);
    }
    return true;
}

/* ---- the levels above ---- */

static void hash_level_above(struct subtrees *out, const struct subtrees *below)
{
    for (uint64_t i = 0; i < out->count; i++) {
        struct frontier frontier = { .size = 0 };

        for (uint64_t k = 0; k < BLOCK; k++)
            frontier_add(&frontier, 0, &below->list[i * BLOCK + k], NULL, NULL);
        out->list[i] = frontier.parts[0];
    }
}

static void compare_levels(const struct subtrees *stored, const struct subtrees *computed,
                           struct findings *findings)
{
    for (uint64_t i = 0; i < computed->count; i++)
        if (!stored->there[i] || !hash_equal(&stored->list[i], &computed->list[i]))
            finding_add(findings, (se_finding){ .kind = SE_FINDING_CHANGED },
                        "the stored hash of entries %ju to %ju is %s: the store was changed",
                        (uintmax_t)((i << stored->level) + 1),
                        (uintmax_t)((i + 1) << stored->level),
                        stored->there[i] ? "another one" : "missing");
}

se_status subtrees_check_above(const struct subtrees *subtrees, struct chain_store *store,
                               const struct chain *chain, struct findings *findings, se_error *err)
{
    const struct subtrees *below = subtrees;
    AUTO(subtrees) last = { .list = NULL };

    for (unsigned level = subtrees->level + SUBTREE_STEP; level < FRONTIER_MOST;
         level += SUBTREE_STEP) {
        AUTO(subtrees) stored = { .list = NULL };
        AUTO(subtrees) computed = { .level = level, .count = below->count / BLOCK };

        TRY(subtrees_load(&stored, store, chain, level, findings, err));
        if (computed.count > stored.count)
            computed.count = stored.count;
        computed.list = calloc(computed.count + 1, sizeof *computed.list);
        if (!computed.list)
            return error_memory(err);
        hash_level_above(&computed, below);
        compare_levels(&stored, &computed, findings);
        subtrees_free(&last);
        last = MOVE(computed);
        below = &last;
    }
    return SE_OK;
}

/* ---- the tree of the first entries ---- */

static se_status add_stored_subtree(void *arg, const struct subtree *subtree, se_error *err)
{
    struct frontier *frontier = arg;

    if (frontier->size >> subtree->level != subtree->index)
        return error_set(err, SE_ERR_REJECTED, "a stored hash is missing");
    frontier_add(frontier, subtree->level, &subtree->hash, NULL, NULL);
    return SE_OK;
}

static se_status add_stored_leaf(void *arg, const struct row *row, se_error *err)
{
    struct frontier *frontier = arg;

    if (row->seq != frontier->size + 1)
        return error_set(err, SE_ERR_REJECTED, "entry %ju is missing",
                         (uintmax_t)frontier->size + 1);
    frontier_add(frontier, 0, &row->leaf, NULL, NULL);
    return SE_OK;
}

se_status frontier_load(struct frontier *out, struct chain_store *store, const struct chain *chain,
                        uint64_t entries, se_error *err)
{
    const struct chain_store_type *type = store->type;
    uint64_t blocks = entries / BLOCK;

    *out = (struct frontier){ .size = 0 };
    if (blocks * BLOCK <= chain->base.size)
        *out = chain->base;
    else
        TRY(type->read_subtrees(store, SUBTREE_STEP, &(struct range){ chain, 0, blocks - 1 },
                                add_stored_subtree, out, err));
    if (out->size < entries)
        TRY(type->read_rows(store, &(struct range){ chain, out->size + 1, entries },
                            add_stored_leaf, out, err));
    return out->size == entries ? SE_OK
                                : error_set(err, SE_ERR_REJECTED, "entries up to %ju are missing",
                                            (uintmax_t)entries);
}

/* ---- inclusion proofs ---- */

/* Stored hashes, and the leaves of one block of 256, which are asked for again and again. */
struct hash_source {
    struct chain_store *store;
    const struct chain *chain;
    struct hash leaves[BLOCK];
    bool there[BLOCK];
    uint64_t block; /* from 1; 0: none */
};

static se_status keep_leaf(void *arg, const struct row *row, se_error *err)
{
    struct hash_source *s = arg;

    (void)err;
    s->leaves[(row->seq - 1) % BLOCK] = row->leaf;
    s->there[(row->seq - 1) % BLOCK] = true;
    return SE_OK;
}

static se_status read_leaf(struct hash *out, struct hash_source *s, uint64_t index, se_error *err)
{
    uint64_t block = index / BLOCK + 1;

    if (s->block != block) {
        memset(s->there, 0, sizeof s->there);
        s->block = block;
        TRY(s->store->type->read_rows(
            s->store, &(struct range){ s->chain, (block - 1) * BLOCK + 1, block * BLOCK },
            keep_leaf, s, err));
    }
    *out = s->leaves[index % BLOCK];
    return s->there[index % BLOCK]
               ? SE_OK
               : error_set(err, SE_ERR_REJECTED, "entry %ju is missing", (uintmax_t)index + 1);
}

static se_status copy_subtree(void *arg, const struct subtree *subtree, se_error *err)
{
    (void)err;
    *(struct subtree *)arg = *subtree;
    return SE_OK;
}

static se_status read_subtree(struct hash *out, struct hash_source *s, unsigned level,
                              uint64_t index, se_error *err)
{
    struct subtree subtree = { .level = 0 };

    TRY(s->store->type->read_subtrees(s->store, level, &(struct range){ s->chain, index, index },
                                      copy_subtree, &subtree, err));
    *out = subtree.hash;
    return subtree.level ? SE_OK : error_set(err, SE_ERR_REJECTED, "a stored hash is missing");
}

/* A subtree that is part of the base, whose entries were dropped. */
static bool find_in_base(struct hash *out, const struct frontier *base, uint64_t from,
                         uint64_t size)
{
    uint64_t at = 0;

    for (unsigned i = 0; i < base->count; i++) {
        uint64_t part = (uint64_t)1 << (63 - __builtin_clzll(base->size - at));

        if (at == from && part == size) {
            *out = base->parts[i];
            return true;
        }
        at += part;
    }
    return false;
}

/* The root of the leaves from..from+size: full subtrees are looked up, the rest is divided as RFC
 * 9162, 2.1.1 has it. */
static se_status hash_range(struct hash *out, struct hash_source *s, uint64_t from, uint64_t size,
                            se_error *err)
{
    unsigned level = (unsigned)(63 - __builtin_clzll(size));
    uint64_t left = (uint64_t)1 << level;
    struct hash a, b;

    if (find_in_base(out, &s->chain->base, from, size))
        return SE_OK;
    if (size == 1)
        return read_leaf(out, s, from, err);
    if (left == size && level % SUBTREE_STEP == 0)
        return read_subtree(out, s, level, from >> level, err);
    if (left == size)
        left /= 2;
    TRY(hash_range(&a, s, from, left, err));
    TRY(hash_range(&b, s, from + left, size - left, err));
    return hash_children(out, &a, &b) ? SE_OK : error_memory(err);
}

se_status inclusion_proof_make(struct inclusion_proof *out, struct chain_store *store,
                               const struct chain *chain, uint64_t index, se_error *err)
{
    struct hash_source s = { .store = store, .chain = chain };
    uint64_t from = 0, size = chain->frontier.size;
    struct hash down[FRONTIER_MOST];
    unsigned count = 0;

    while (size > 1) {
        uint64_t left = (uint64_t)1 << (63 - __builtin_clzll(size - 1));
        bool is_left = index - from < left;

        TRY(hash_range(&down[count++], &s, is_left ? from + left : from,
                       is_left ? size - left : left, err));
        from += is_left ? 0 : left;
        size = is_left ? left : size - left;
    }
    for (out->count = 0; out->count < count; out->count++)
        out->hashes[out->count] = down[count - 1 - out->count];
    return SE_OK;
}
