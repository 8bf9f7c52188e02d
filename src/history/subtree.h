/* SPDX-License-Identifier: Apache-2.0 */
/* What the store keeps of the tree: leaves, and the full subtrees of 2^8, 2^16, ... leaves. */
#ifndef HISTORY_SUBTREE_H
#define HISTORY_SUBTREE_H

#include "history/findings.h"
#include "history/store.h"

/* Full subtrees of one level that the store has. */
struct subtrees {
    unsigned level;
    uint64_t count;
    struct hash *list;
    bool *there;
};
void subtrees_free(struct subtrees *subtrees);
AUTO_KIND(subtrees, struct subtrees, subtrees_free(p))

/* Those of `level` that the chain's entries have; what is there besides is a finding. */
SE_MUST_CHECK se_status subtrees_load(struct subtrees *out, struct chain_store *store,
                                      const struct chain *chain, unsigned level,
                                      struct findings *findings, se_error *err);

/* That the levels above that of `subtrees` are what follows from them. */
SE_MUST_CHECK se_status subtrees_check_above(const struct subtrees *subtrees,
                                             struct chain_store *store, const struct chain *chain,
                                             struct findings *findings, se_error *err);

/* NULL: it is missing. */
const struct hash *subtree_at(const struct subtrees *subtrees, uint64_t index);

/* The tree of the first `entries`, a multiple of 256.  False: some are missing. */
bool subtrees_frontier(struct frontier *out, const struct subtrees *subtrees, uint64_t entries);

/* The tree of the first `entries`, from stored hashes.  SE_ERR_REJECTED: some are missing. */
SE_MUST_CHECK se_status frontier_load(struct frontier *out, struct chain_store *store,
                                      const struct chain *chain, uint64_t entries, se_error *err);

/* Likewise. */
SE_MUST_CHECK se_status inclusion_proof_make(struct inclusion_proof *out, struct chain_store *store,
                                             const struct chain *chain, uint64_t index,
                                             se_error *err);

#endif
