/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash trees (RFC 4998, 4.2 and 4.3).  A node's hash is that of its children's, in ascending order,
 * one behind the other; a node with one child is that child.
 *
 * Trees of ours are binary.  A leaf is a group: the files of one record, or the time stamps that a
 * record's new one covers.
 */
#ifndef EVIDENCE_HASH_TREE_H
#define EVIDENCE_HASH_TREE_H

#include "evidence/syntax.h"

/* The node above these hashes. */
SE_MUST_CHECK se_status hashes_join(struct content_digest *out, enum digest digest,
                                    const se_bytes *hashes, size_t count, se_error *err);

/* Where a reduced tree leads to: each list's node is one of the hashes of the next. */
SE_MUST_CHECK se_status hash_tree_root(struct content_digest *out, enum digest digest,
                                       const STACK_OF(hash_list) * tree, se_error *err);

/* Whether it is one of the list. */
bool hash_list_has(const hash_list *list, const struct content_digest *hash);

struct hash_group {
    const struct content_digest *hashes; /* of one algorithm */
    size_t count;
};

struct hash_tree {
    const struct hash_group *groups;
    size_t count;
    struct content_digest *nodes; /* level by level, from the groups to the root */
    size_t size;
};
void hash_tree_free(struct hash_tree *tree);
AUTO_KIND(hash_tree, struct hash_tree, hash_tree_free(p))

/* Over `count` groups, at least one, which have to last as long as *out. */
SE_MUST_CHECK se_status hash_tree_build(struct hash_tree *out, const struct hash_group *groups,
                                        size_t count, se_error *err);
const struct content_digest *hash_tree_top(const struct hash_tree *tree);

/*
 * What leads from a group to the root: its own hashes, and then a hash beside each node on the way.
 * *out is NULL where the group is one hash and the whole tree.
 */
SE_MUST_CHECK se_status hash_tree_reduce(STACK_OF(hash_list) * *out, const struct hash_tree *tree,
                                         size_t group, se_error *err);

#endif
