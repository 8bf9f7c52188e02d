/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/hash_tree.h"

#include <stdlib.h>

#include "crypto/crypto.h"

AUTO_KIND(bytes_list, se_bytes *, free(*p))
AUTO_KIND(octets, ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free(*p))

/* All are of one size. */
static int compare_hashes(const void *one, const void *other)
{
    const se_bytes *a = one, *b = other;

    return memcmp(a->data, b->data, a->size < b->size ? a->size : b->size);
}

se_status hashes_join(struct content_digest *out, enum digest digest, const se_bytes *hashes,
                      size_t count, se_error *err)
{
    AUTO(bytes_list) sorted = NULL;

    if (count == 1 && hashes[0].size <= sizeof out->value) {
        *out = (struct content_digest){ .algorithm = digest, .size = (unsigned)hashes[0].size };
        memcpy(out->value, hashes[0].data, hashes[0].size);
        return SE_OK;
    }
    if (!(sorted = calloc(count + 1, sizeof *sorted)))
        return error_memory(err);
    memcpy(sorted, hashes, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_hashes);
    return content_digest_join(out, digest, sorted, count, err);
}

/* ---- a tree that was reduced ---- */

static se_status join_list(struct content_digest *out, const struct content_digest *below,
                           enum digest digest, const hash_list *list, se_error *err)
{
    const size_t count = (size_t)sk_ASN1_OCTET_STRING_num(list);
    AUTO(bytes_list) hashes = calloc(count + 1, sizeof *hashes);

    if (!hashes)
        return error_memory(err);
    for (size_t i = 0; i < count; i++)
        hashes[i] = octet_bytes(sk_ASN1_OCTET_STRING_value(list, (int)i));
    if (below)
        hashes[count] = content_digest_bytes(below);
    return hashes_join(out, digest, hashes, count + (below != NULL), err);
}

se_status hash_tree_root(struct content_digest *out, enum digest digest,
                         const STACK_OF(hash_list) * tree, se_error *err)
{
    struct content_digest node;

    for (int i = 0; i < sk_hash_list_num(tree); i++) {
        const struct content_digest below = node;

        TRY(join_list(&node, i ? &below : NULL, digest, sk_hash_list_value(tree, i), err));
    }
    *out = node;
    return SE_OK;
}

bool hash_list_has(const hash_list *list, const struct content_digest *hash)
{
    for (int i = 0; i < sk_ASN1_OCTET_STRING_num(list); i++)
        if (content_digest_is(hash, octet_bytes(sk_ASN1_OCTET_STRING_value(list, i))))
            return true;
    return false;
}

/* ---- a tree that is made ---- */

void hash_tree_free(struct hash_tree *tree)
{
    free(tree->nodes);
}

/* Of the level above one of `width` nodes; where one is left over, it is its own parent. */
static size_t level_above(size_t width)
{
    return (width + 1) / 2;
}

static size_t count_nodes(size_t width)
{
    size_t count = width;

    for (; width > 1; count += width)
        width = level_above(width);
    return count;
}

static se_status join_group(struct content_digest *out, const struct hash_group *group,
                            se_error *err)
{
    AUTO(bytes_list) hashes = calloc(group->count + 1, sizeof *hashes);

    if (!hashes)
        return error_memory(err);
    for (size_t i = 0; i < group->count; i++)
        hashes[i] = content_digest_bytes(&group->hashes[i]);
    return hashes_join(out, group->hashes[0].algorithm, hashes, group->count, err);
}

static se_status join_level(struct content_digest *above, const struct content_digest *level,
                            size_t width, se_error *err)
{
    for (size_t i = 0; i < width; i += 2) {
        const struct content_digest *pair = &level[i];
        const se_bytes hashes[2] = { content_digest_bytes(pair),
                                     content_digest_bytes(i + 1 < width ? pair + 1 : pair) };

        TRY(hashes_join(above + i / 2, pair->algorithm, hashes, i + 1 < width ? 2 : 1, err));
    }
    return SE_OK;
}

se_status hash_tree_build(struct hash_tree *out, const struct hash_group *groups, size_t count,
                          se_error *err)
{
    struct content_digest *level;

    *out = (struct hash_tree){ .groups = groups, .count = count, .size = count_nodes(count) };
    if (!(out->nodes = calloc(out->size, sizeof *out->nodes)))
        return error_memory(err);
    for (size_t i = 0; i < count; i++)
        TRY(join_group(&out->nodes[i], &groups[i], err));
    level = out->nodes;
    for (size_t width = count; width > 1; width = level_above(width)) {
        TRY(join_level(level + width, level, width, err));
        level += width;
    }
    return SE_OK;
}

const struct content_digest *hash_tree_top(const struct hash_tree *tree)
{
    return &tree->nodes[tree->size - 1];
}

static se_status list_add(hash_list *list, const struct content_digest *hash, se_error *err)
{
    AUTO(octets) octets = ASN1_OCTET_STRING_new();

    if (!octets || !ASN1_OCTET_STRING_set(octets, hash->value, (int)hash->size) ||
        !sk_ASN1_OCTET_STRING_push(list, octets))
        return error_memory(err);
    octets = NULL;
    return SE_OK;
}

/* To be filled by list_add(). */
static hash_list *add_list(STACK_OF(hash_list) * lists)
{
    hash_list *list = sk_ASN1_OCTET_STRING_new_null();

    if (list && sk_hash_list_push(lists, list))
        return list;
    sk_ASN1_OCTET_STRING_free(list);
    return NULL;
}

static int compare_digests(const void *one, const void *other)
{
    const struct content_digest *const *a = one, *const *b = other;

    return memcmp((*a)->value, (*b)->value, (*a)->size);
}

AUTO_KIND(digests, const struct content_digest **, free(*p))

static se_status add_group(STACK_OF(hash_list) * lists, const struct hash_group *group,
                           se_error *err)
{
    AUTO(digests) sorted = calloc(group->count + 1, sizeof *sorted);
    hash_list *list = sorted ? add_list(lists) : NULL;

    if (!list)
        return error_memory(err);
    for (size_t i = 0; i < group->count; i++)
        sorted[i] = &group->hashes[i];
    qsort(sorted, group->count, sizeof *sorted, compare_digests);
    for (size_t i = 0; i < group->count; i++)
        TRY(list_add(list, sorted[i], err));
    return SE_OK;
}

static se_status add_beside(STACK_OF(hash_list) * lists, const struct content_digest *hash,
                            se_error *err)
{
    hash_list *list = add_list(lists);

    return list ? list_add(list, hash, err) : error_memory(err);
}

se_status hash_tree_reduce(STACK_OF(hash_list) * *out, const struct hash_tree *tree, size_t group,
                           se_error *err)
{
    AUTO(hash_lists) lists = NULL;
    const struct content_digest *level = tree->nodes;
    size_t at = group;

    *out = NULL;
    if (tree->count == 1 && tree->groups[0].count == 1)
        return SE_OK;
    if (!(lists = sk_hash_list_new_null()))
        return error_memory(err);
    TRY(add_group(lists, &tree->groups[group], err));
    for (size_t width = tree->count; width > 1; width = level_above(width)) {
        const size_t beside = at ^ 1;

        if (beside < width)
            TRY(add_beside(lists, &level[beside], err));
        level += width;
        at /= 2;
    }
    *out = MOVE(lists);
    return SE_OK;
}
