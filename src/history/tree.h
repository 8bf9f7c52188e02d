/* The Merkle tree of RFC 9162 (and RFC 6962), 2.1, of which only the right edge is kept: a leaf
 * costs the same however many there are. */
#ifndef HISTORY_TREE_H
#define HISTORY_TREE_H

#include "history/hash.h"

enum { EDGE_MOST = 64, NODE_STEP = 8 };

/* A subtree of 2^level leaves that is full; `index` counts those of its level from 0. */
struct node {
    unsigned level;
    uint64_t index;
    struct hash hash;
};
typedef void (*node_fn)(void *arg, const struct node *node);

/* The roots of the full subtrees that `size` leaves consist of, the largest first: one for each bit
 * of `size`. */
struct edge {
    uint64_t size;
    unsigned count;
    bool failed; /* hashing has failed: it stays failed */
    struct hash parts[EDGE_MOST];
};

/*
 * Adds a full subtree of 2^level leaves; edge->size must be a multiple of that.  `each` (may be
 * NULL) gets the subtrees of 2^8, 2^16, ... leaves that become full thereby.
 */
void edge_add(struct edge *edge, unsigned level, const struct hash *hash, node_fn each, void *arg);

bool edge_same(const struct edge *a, const struct edge *b);
SE_MUST_CHECK se_status edge_root(struct hash *out, const struct edge *edge, se_error *err);

/* The edge as it is stored: its hashes, one after the other.  SE_ERR_FORMAT: they are not as many
 * as `size` has bits. */
se_bytes edge_bytes(const struct edge *edge);
SE_MUST_CHECK se_status edge_read(struct edge *out, uint64_t size, se_bytes bytes, se_error *err);

bool hash_children(struct hash *out, const struct hash *left, const struct hash *right);

#endif
