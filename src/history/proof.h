/* Proofs that an entry belongs to a chain (doc/formats.md). */
#ifndef HISTORY_PROOF_H
#define HISTORY_PROOF_H

#include "history/history.h"

/* The hashes that lead from a leaf to the root, the lowest first (RFC 9162, 2.1.3). */
struct path {
    struct hash hashes[EDGE_MOST];
    unsigned count;
};

/* From stored hashes. */
SE_MUST_CHECK se_status path_make(struct path *out, struct database *store,
                                  const struct chain *chain, uint64_t index, se_error *err);

/* The root that it leads to.  SE_ERR_REJECTED: it has not as many hashes as it should. */
SE_MUST_CHECK se_status path_root(struct hash *out, const struct path *path,
                                  const struct hash *leaf, uint64_t index, uint64_t size,
                                  se_error *err);

#endif
