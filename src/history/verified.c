/*
 * Entries of a chain that was verified: read once more, and compared with the hashes that were
 * found good.  The transaction is still that of the verification, but who can write to the file, or
 * is the server, need not keep to that.
 */
#include <stdlib.h>

#include "history/verification.h"

enum { STRETCH = 16 * BLOCK };

struct stretch {
    const struct verification *v;
    uint64_t before, end; /* the entries after `before`, up to `end` */
    uint64_t next;
    struct edge block; /* of those of the block of 256 so far, as a tree of its own */
    struct hash leaves[STRETCH];
    row_fn fn;
    void *arg;
};

static se_status changed(uint64_t seq, se_error *err)
{
    return error_set(err, SE_ERR_REJECTED,
                     "entry %ju: it is not what was verified: it was changed meanwhile",
                     (uintmax_t)seq);
}

/* What an edge has of its last block that is not full, as a tree of its own. */
static struct edge tail_of(const struct edge *edge)
{
    struct edge tail = { .size = edge->size % BLOCK };

    tail.count = (unsigned)__builtin_popcountll(tail.size);
    if (tail.count)
        memcpy(tail.parts, edge->parts + edge->count - tail.count, tail.count * sizeof *tail.parts);
    return tail;
}

/* Of a block that is full, or of the chain's last one. */
static bool is_as_verified(const struct stretch *s)
{
    const struct nodes *nodes = &s->v->nodes;
    uint64_t block = (s->next - 2) / BLOCK;
    struct edge tail;

    if (s->block.size == BLOCK)
        return block < nodes->count && nodes->there[block] &&
               hash_same(&s->block.parts[0], &nodes->list[block]);
    tail = tail_of(&s->v->chain.edge);
    return edge_same(&s->block, &tail);
}

static se_status hash_row(void *arg, const struct row *row, se_error *err)
{
    struct stretch *s = arg;
    struct hash *leaf = &s->leaves[s->next - s->before - 1];

    if (row->seq != s->next || row_leaf(leaf, row, &s->v->chain.id, NULL))
        return changed(s->next, err);
    edge_add(&s->block, 0, leaf, NULL, NULL);
    s->next++;
    if (row->seq % BLOCK && row->seq < s->end)
        return SE_OK;
    if (!is_as_verified(s))
        return changed(row->seq, err);
    s->block = (struct edge){ .size = 0 };
    return SE_OK;
}

static se_status give_row(void *arg, const struct row *row, se_error *err)
{
    struct stretch *s = arg;
    struct hash leaf;

    if (row->seq != s->next || row_leaf(&leaf, row, &s->v->chain.id, NULL) ||
        !hash_same(&leaf, &s->leaves[s->next - s->before - 1]) ||
        row_erased(row) != erasure_is_sealed(&s->v->survey.events, row->seq))
        return changed(s->next, err);
    s->next++;
    return s->fn(s->arg, row, err);
}

static se_status give_stretch(struct stretch *s, uint64_t first, uint64_t last, se_error *err)
{
    const struct verification *v = s->v;
    const struct database_type *type = v->store->type;

    s->next = s->before + 1;
    s->block =
        s->before == v->chain.base.size ? tail_of(&v->chain.base) : (struct edge){ .size = 0 };
    TRY(type->rows(v->store, &v->chain, s->next, s->end, hash_row, s, err));
    if (s->next <= s->end)
        return changed(s->next, err);
    s->next = first;
    TRY(type->rows(v->store, &v->chain, first, last, give_row, s, err));
    return s->next <= last ? changed(s->next, err) : SE_OK;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

se_status verification_rows(const struct verification *v, uint64_t first, uint64_t last, row_fn fn,
                            void *arg, se_error *err)
{
    uint64_t base = v->chain.base.size, size = v->chain.edge.size;
    struct stretch *s;
    se_status st = SE_OK;

    first = first > base ? first : base + 1;
    last = least(last, size);
    if (!(s = malloc(sizeof *s)))
        return error_memory(err);
    *s = (struct stretch){ .v = v, .fn = fn, .arg = arg };
    while (!st && first <= last) {
        uint64_t begins = (first - 1) / BLOCK * BLOCK;

        s->before = begins > base ? begins : base;
        s->end = least(begins + STRETCH, size);
        st = give_stretch(s, first, least(last, s->end), err);
        first = s->end + 1;
    }
    free(s);
    return st;
}
