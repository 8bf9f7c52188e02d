/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Merkle tree of RFC 9162 (and RFC 6962), 2.1, over the entries of a chain.  Only its right
 * edge is kept, as a frontier: a leaf costs the same however many there are.
 */
#ifndef HISTORY_TREE_H
#define HISTORY_TREE_H

#include <string.h>

#include "base/buf.h"

/* ---- SHA-256 (FIPS 180-4) ---- */

enum { HASH_SIZE = 32 };

struct hash {
    unsigned char bytes[HASH_SIZE];
};

/* Over `parts`, one after the other; false: OpenSSL has no SHA-256. */
SE_MUST_CHECK bool hash_sha256(struct hash *out, const se_bytes *parts, size_t count);

/* Of two subtrees of the same size. */
SE_MUST_CHECK bool hash_children(struct hash *out, const struct hash *left,
                                 const struct hash *right);

static inline bool hash_equal(const struct hash *a, const struct hash *b)
{
    uint64_t x[4], y[4];

    memcpy(x, a, sizeof x);
    memcpy(y, b, sizeof y);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3])) == 0;
}

static inline se_bytes hash_bytes(const struct hash *hash)
{
    return (se_bytes){ hash->bytes, HASH_SIZE };
}

/* ---- entries, whose hashes are the leaves (doc/formats.md) ---- */

enum {
    CHAIN_ID_SIZE = 16,
    SALT_SIZE = 16,
    OBJECT_MOST = 1000,
    PAYLOAD_MOST = 16 << 20,
    ENTRY_FIXED = 1 + CHAIN_ID_SIZE + 8 + 8 + 2 + HASH_SIZE, /* all but the object */
};

struct chain_id {
    unsigned char bytes[CHAIN_ID_SIZE];
};

/* An entry as it is stored. */
struct row {
    uint64_t seq; /* from 1 */
    int64_t time; /* microseconds since 1970 */
    se_bytes object;
    se_bytes salt; /* empty: the payload was erased, and `payload` is its commitment */
    se_bytes payload;
    struct hash leaf; /* as it was when it was stored */
    bool oversized;   /* a value is bigger than an entry's can be, and was not read */
};

static inline bool entry_erased(const struct row *row)
{
    return !row->salt.size && !row->oversized;
}

/* SE_ERR_FORMAT: what is stored is no entry at all, whatever its hash. */
SE_MUST_CHECK se_status entry_commitment(struct hash *out, const struct row *row, se_error *err);
SE_MUST_CHECK se_status entry_leaf(struct hash *out, const struct row *row,
                                   const struct chain_id *chain, se_error *err);

/* The canonical encoding, of which the leaf is the hash. */
SE_MUST_CHECK se_status entry_encode(struct writer *w, const struct row *row,
                                     const struct chain_id *chain, se_error *err);

void put_big_endian(unsigned char *out, uint64_t number, unsigned bytes);

/* ---- the tree ---- */

enum { FRONTIER_MOST = 64, SUBTREE_STEP = 8, BLOCK = 1 << SUBTREE_STEP };

/* A full subtree of 2^level leaves; `index` counts those of its level from 0. */
struct subtree {
    unsigned level;
    uint64_t index;
    struct hash hash;
};
typedef void (*subtree_full_fn)(void *arg, const struct subtree *subtree);

/* The roots of the full subtrees that `size` leaves consist of, the largest first: one for each bit
 * of `size` (a compact range). */
struct frontier {
    uint64_t size;
    unsigned count;
    bool failed; /* hashing has failed: it stays failed */
    struct hash parts[FRONTIER_MOST];
};

/*
 * Adds a full subtree of 2^level leaves; frontier->size must be a multiple of that.  `each` (may be
 * NULL) gets the subtrees of 2^8, 2^16, ... leaves that become full thereby.
 */
void frontier_add(struct frontier *frontier, unsigned level, const struct hash *hash,
                  subtree_full_fn each, void *arg);

bool frontier_equal(const struct frontier *a, const struct frontier *b);
SE_MUST_CHECK se_status frontier_root(struct hash *out, const struct frontier *frontier,
                                      se_error *err);

/* As it is stored: its hashes, one after the other.  SE_ERR_FORMAT: they are not as many as `size`
 * has bits. */
se_bytes frontier_bytes(const struct frontier *frontier);
SE_MUST_CHECK se_status frontier_parse(struct frontier *out, uint64_t size, se_bytes bytes,
                                       se_error *err);

/* The hashes that lead from a leaf to the root, the lowest first (RFC 9162, 2.1.3). */
struct inclusion_proof {
    struct hash hashes[FRONTIER_MOST];
    unsigned count;
};

/* The root that it leads to.  SE_ERR_REJECTED: it has not as many hashes as it should. */
SE_MUST_CHECK se_status inclusion_proof_root(struct hash *out, const struct inclusion_proof *proof,
                                             const struct hash *leaf, uint64_t index, uint64_t size,
                                             se_error *err);

#endif
