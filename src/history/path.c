#include "history/proof.h"
#include "history/walk.h"

/* Stored hashes, and the leaves of one block of 256, which are asked for again and again. */
struct source {
    struct database *store;
    const struct chain *chain;
    struct hash leaves[BLOCK];
    bool there[BLOCK];
    uint64_t block; /* from 1; 0: none */
};

static se_status keep_leaf(void *arg, const struct row *row, se_error *err)
{
    struct source *s = arg;

    (void)err;
    s->leaves[(row->seq - 1) % BLOCK] = row->leaf;
    s->there[(row->seq - 1) % BLOCK] = true;
    return SE_OK;
}

static se_status leaf_at(struct hash *out, struct source *s, uint64_t index, se_error *err)
{
    uint64_t block = index / BLOCK + 1;

    if (s->block != block) {
        memset(s->there, 0, sizeof s->there);
        s->block = block;
        TRY(s->store->type->rows(s->store, s->chain, (block - 1) * BLOCK + 1, block * BLOCK,
                                 keep_leaf, s, err));
    }
    *out = s->leaves[index % BLOCK];
    return s->there[index % BLOCK]
               ? SE_OK
               : error_set(err, SE_ERR_REJECTED, "entry %ju is missing", (uintmax_t)index + 1);
}

static se_status keep_node(void *arg, const struct node *node, se_error *err)
{
    (void)err;
    *(struct node *)arg = *node;
    return SE_OK;
}

static se_status node_at(struct hash *out, struct source *s, unsigned level, uint64_t index,
                         se_error *err)
{
    struct node node = { .level = 0 };
    se_status st =
        s->store->type->nodes(s->store, s->chain, level, index, index, keep_node, &node, err);

    *out = node.hash;
    return st || node.level ? st : error_set(err, SE_ERR_REJECTED, "a stored hash is missing");
}

/* A subtree that is part of the base, whose entries were dropped. */
static bool in_base(struct hash *out, const struct edge *base, uint64_t from, uint64_t size)
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
static se_status root_of(struct hash *out, struct source *s, uint64_t from, uint64_t size,
                         se_error *err)
{
    unsigned level = (unsigned)(63 - __builtin_clzll(size));
    uint64_t left = (uint64_t)1 << level;
    struct hash a, b;

    if (in_base(out, &s->chain->base, from, size))
        return SE_OK;
    if (size == 1)
        return leaf_at(out, s, from, err);
    if (left == size && level % NODE_STEP == 0)
        return node_at(out, s, level, from >> level, err);
    if (left == size)
        left /= 2;
    TRY(root_of(&a, s, from, left, err));
    TRY(root_of(&b, s, from + left, size - left, err));
    return hash_children(out, &a, &b) ? SE_OK : error_memory(err);
}

se_status path_make(struct path *out, struct database *store, const struct chain *chain,
                    uint64_t index, se_error *err)
{
    struct source s = { .store = store, .chain = chain };
    uint64_t from = 0, size = chain->edge.size;
    struct hash down[EDGE_MOST];
    unsigned count = 0;

    while (size > 1) {
        uint64_t left = (uint64_t)1 << (63 - __builtin_clzll(size - 1));
        bool is_left = index - from < left;

        TRY(root_of(&down[count++], &s, is_left ? from + left : from, is_left ? size - left : left,
                    err));
        from += is_left ? 0 : left;
        size = is_left ? left : size - left;
    }
    for (out->count = 0; out->count < count; out->count++)
        out->hashes[out->count] = down[count - 1 - out->count];
    return SE_OK;
}

/* RFC 9162, 2.1.3.2 */
se_status path_root(struct hash *out, const struct path *path, const struct hash *leaf,
                    uint64_t index, uint64_t size, se_error *err)
{
    uint64_t at = index, last = size - 1;
    bool good = size && index < size;

    *out = *leaf;
    for (unsigned i = 0; good && i < path->count; i++) {
        const struct hash *next = &path->hashes[i];

        if (!last)
            return error_set(err, SE_ERR_REJECTED, "the path is too long");
        if (at & 1 || at == last) {
            good = hash_children(out, next, out);
            for (; !(at & 1) && at; last >>= 1)
                at >>= 1;
        } else
            good = hash_children(out, out, next);
        at >>= 1;
        last >>= 1;
    }
    if (!good)
        return size && index < size
                   ? error_memory(err)
                   : error_set(err, SE_ERR_REJECTED,
                               "the entry is not among those that the seal covers");
    return last ? error_set(err, SE_ERR_REJECTED, "the path is too short") : SE_OK;
}
