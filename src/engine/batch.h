/* SPDX-License-Identifier: Apache-2.0 */
/* Many fields in one call. */
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include "base/parallel.h"
#include "engine/fields.h"

/* A value takes a microsecond, and one more for each half of a kilobyte. */
static inline struct parallel_job job_for_values(size_t count, uint64_t bytes, unsigned threads)
{
    return parallel_small_pieces(count, count + bytes / 500, threads);
}

struct batch_of_fields {
    se_field *fields;
    size_t count;
    uint64_t bytes; /* of all `in` */
    unsigned threads;
};

/*
 * All of them: `status` and `out` of each; several data keys at once.  `target`, which may be NULL:
 * values that are as it would make them stay what they are.  Returns the first failure.
 */
SE_MUST_CHECK se_status decrypt_batch(const struct batch_of_fields *batch, struct decryption *dec,
                                      const struct encryption *target, se_error *err);

#endif
