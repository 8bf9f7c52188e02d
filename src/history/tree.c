#include "history/tree.h"

bool hash_children(struct hash *out, const struct hash *left, const struct hash *right)
{
    unsigned char both[1 + 2 * HASH_SIZE] = { 1 };
    const se_bytes part = { both, sizeof both };

    memcpy(both + 1, left, HASH_SIZE);
    memcpy(both + 1 + HASH_SIZE, right, HASH_SIZE);
    return hash_make(out, &part, 1);
}

/* The last part of the edge, which has 2^level leaves now. */
static void tell(const struct edge *edge, unsigned level, node_fn each, void *arg)
{
    const struct node node = { level, (edge->size >> level) - 1, edge->parts[edge->count - 1] };

    if (each && level % NODE_STEP == 0)
        each(arg, &node);
}

void edge_add(struct edge *edge, unsigned level, const struct hash *hash, node_fn each, void *arg)
{
    uint64_t before = edge->size;

    edge->parts[edge->count++] = *hash;
    edge->size += (uint64_t)1 << level;
    for (; before >> level & 1; level++) {
        struct hash *left = &edge->parts[--edge->count - 1];

        if (!hash_children(left, left, left + 1))
            edge->failed = true;
        tell(edge, level + 1, each, arg);
    }
}

bool edge_same(const struct edge *a, const struct edge *b)
{
    if (a->size != b->size || a->count != b->count)
        return false;
    for (unsigned i = 0; i < a->count; i++)
        if (!hash_same(&a->parts[i], &b->parts[i]))
            return false;
    return true;
}

se_status edge_root(struct hash *out, const struct edge *edge, se_error *err)
{
    unsigned i = edge->count;
    bool good = !edge->failed;

    if (!i)
        good = good && hash_make(out, NULL, 0);
    else
        *out = edge->parts[--i];
    while (good && i--)
        good = hash_children(out, &edge->parts[i], out);
    return good ? SE_OK : error_memory(err);
}

se_bytes edge_bytes(const struct edge *edge)
{
    return (se_bytes){ edge->parts, edge->count * sizeof *edge->parts };
}

se_status edge_read(struct edge *out, uint64_t size, se_bytes bytes, se_error *err)
{
    unsigned count = (unsigned)__builtin_popcountll(size);

    if (bytes.size != count * sizeof *out->parts)
        return error_set(err, SE_ERR_FORMAT, "the right edge of %ju entries has %zu bytes",
                         (uintmax_t)size, bytes.size);
    *out = (struct edge){ .size = size, .count = count };
    if (count)
        memcpy(out->parts, bytes.data, bytes.size);
    return SE_OK;
}
