/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs of entries, and the entries in them. */
#include <stdlib.h>

#include "signengine-history.h"
#include "signengine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    se_history_proof proof;

    if (!se_history_verify_proof(&proof, (se_bytes){ data, size }, (se_bytes){ NULL, 0 }, NULL) &&
        !proof.seq)
        abort();
    se_history_proof_free(&proof);
    return 0;
}
