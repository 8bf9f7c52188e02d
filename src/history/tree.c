/* SPDX-License-Identifier: Apache-2.0 */
#include "history/tree.h"

/* EVP makes and clears contexts for each hash, which takes as long as hashing an entry does. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

bool hash_sha256(struct hash *out, const se_bytes *parts, size_t count)
{
    SHA256_CTX context;
    bool good = SHA256_Init(&context);

    for (size_t i = 0; good && i < count; i++)
        good = SHA256_Update(&context, parts[i].data, parts[i].size);
    return good && SHA256_Final(out->bytes, &context);
}

bool hash_children(struct hash *out, const struct hash *left, const struct hash *right)
{
    unsigned char both[1 + 2 * HASH_SIZE] = { 1 };
    const se_bytes part = { both, sizeof both };

    memcpy(both + 1, left, HASH_SIZE);
    memcpy(both + 1 + HASH_SIZE, right, HASH_SIZE);
    return hash_sha256(out, &part, 1);
}

/* ---- entries ---- */

enum { EDITION = 1, LEAF_PREFIX = 0, COMMITMENT_PREFIX = 2 };

se_status entry_commitment(struct hash *out, const struct row *row, se_error *err)
{
    unsigned char head[1 + SALT_SIZE] = { COMMITMENT_PREFIX };
    const se_bytes parts[] = { { head, sizeof head }, row->payload };

    if (row->oversized)
        return error_set(err, SE_ERR_FORMAT, "it is bigger than an entry can be");
    if (entry_erased(row)) {
        if (row->payload.size != HASH_SIZE)
            return error_set(err, SE_ERR_FORMAT,
                             "the commitment of an erased payload has %zu bytes",
                             row->payload.size);
        memcpy(out, row->payload.data, HASH_SIZE);
        return SE_OK;
    }
    if (row->salt.size != SALT_SIZE)
        return error_set(err, SE_ERR_FORMAT, "a salt has %zu bytes", row->salt.size);
    memcpy(head + 1, row->salt.data, SALT_SIZE);
    return hash_sha256(out, parts, 2) ? SE_OK : error_memory(err);
}

void put_big_endian(unsigned char *out, uint64_t number, unsigned bytes)
{
    while (bytes--) {
        out[bytes] = (unsigned char)number;
        number >>= 8;
    }
}

/* What the hash of a leaf is over: a zero, and the canonical encoding.  Returns its size; 0: not an
 * entry. */
static size_t encode_leaf_input(unsigned char *out, const struct row *row,
                                const struct chain_id *chain, se_error *err)
{
    unsigned char *at = out;

    if (row->object.size > OBJECT_MOST) {
        (void)error_set(err, SE_ERR_FORMAT, "an object's name of %zu bytes", row->object.size);
        return 0;
    }
    *at++ = LEAF_PREFIX;
    *at++ = EDITION;
    memcpy(at, chain, CHAIN_ID_SIZE);
    at += CHAIN_ID_SIZE;
    put_big_endian(at, row->seq, 8);
    put_big_endian(at + 8, (uint64_t)row->time, 8);
    put_big_endian(at + 16, row->object.size, 2);
    at += 18;
    if (row->object.size)
        memcpy(at, row->object.data, row->object.size);
    at += row->object.size;
    if (entry_commitment((struct hash *)at, row, err))
        return 0;
    return (size_t)(at - out) + HASH_SIZE;
}

se_status entry_leaf(struct hash *out, const struct row *row, const struct chain_id *chain,
                     se_error *err)
{
    unsigned char room[1 + ENTRY_FIXED + OBJECT_MOST];
    se_bytes part = { room, encode_leaf_input(room, row, chain, err) };

    if (!part.size)
        return SE_ERR_FORMAT;
    return hash_sha256(out, &part, 1) ? SE_OK : error_memory(err);
}

se_status entry_encode(struct writer *w, const struct row *row, const struct chain_id *chain,
                       se_error *err)
{
    unsigned char room[1 + ENTRY_FIXED + OBJECT_MOST];
    size_t size = encode_leaf_input(room, row, chain, err);

    if (!size)
        return SE_ERR_FORMAT;
    writer_put(w, room + 1, size - 1);
    return SE_OK;
}

/* ---- frontiers ---- */

void frontier_add(struct frontier *frontier, unsigned level, const struct hash *hash,
                  subtree_full_fn each, void *arg)
{
    uint64_t before = frontier->size;

    frontier->parts[frontier->count++] = *hash;
    frontier->size += (uint64_t)1 << level;
    for (; before >> level & 1; level++) {
        struct hash *left = &frontier->parts[--frontier->count - 1];
        const unsigned above = level + 1;

        if (!hash_children(left, left, left + 1))
            frontier->failed = true;
        if (each && above % SUBTREE_STEP == 0)
            each(arg, &(struct subtree){ above, (frontier->size >> above) - 1, *left });
    }
}

bool frontier_equal(const struct frontier *a, const struct frontier *b)
{
    if (a->size != b->size || a->count != b->count)
        return false;
    for (unsigned i = 0; i < a->count; i++)
        if (!hash_equal(&a->parts[i], &b->parts[i]))
            return false;
    return true;
}

se_status frontier_root(struct hash *out, const struct frontier *frontier, se_error *err)
{
    unsigned i = frontier->count;
    bool good = !frontier->failed;

    if (!i)
        good = good && hash_sha256(out, NULL, 0);
    else
        *out = frontier->parts[--i];
    while (good && i--)
        good = hash_children(out, &frontier->parts[i], out);
    return good ? SE_OK : error_memory(err);
}

se_bytes frontier_bytes(const struct frontier *frontier)
{
    return (se_bytes){ frontier->parts, frontier->count * sizeof *frontier->parts };
}

se_status frontier_parse(struct frontier *out, uint64_t size, se_bytes bytes, se_error *err)
{
    unsigned count = (unsigned)__builtin_popcountll(size);

    if (bytes.size != count * sizeof *out->parts)
        return error_set(err, SE_ERR_FORMAT, "the right edge of %ju entries has %zu bytes",
                         (uintmax_t)size, bytes.size);
    *out = (struct frontier){ .size = size, .count = count };
    if (count)
        memcpy(out->parts, bytes.data, bytes.size);
    return SE_OK;
}

/* ---- inclusion proofs ---- */

/* RFC 9162, 2.1.3.2 */
se_status inclusion_proof_root(struct hash *out, const struct inclusion_proof *proof,
                               const struct hash *leaf, uint64_t index, uint64_t size,
                               se_error *err)
{
    uint64_t at = index, last = size - 1;
    bool good = true;

    if (!size || index >= size)
        return error_set(err, SE_ERR_REJECTED, "the entry is not among those that the seal covers");
    *out = *leaf;
    for (unsigned i = 0; good && i < proof->count; i++) {
        const struct hash *next = &proof->hashes[i];

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
        return error_memory(err);
    return last ? error_set(err, SE_ERR_REJECTED, "the path is too short") : SE_OK;
}
