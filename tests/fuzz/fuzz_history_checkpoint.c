/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints of histories: what is read as one is written again as the same bytes. */
#include <stdlib.h>

#include "history/signed_note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(se_buf) again = SE_BUF_INIT;
    struct signed_note note;

    if (signed_note_parse(&note, (se_bytes){ data, size }, NULL))
        return 0;
    if (signed_note_write(&again, &note.checkpoint, note.key_id,
                          (se_bytes){ note.signature, note.signature_size }, NULL) ||
        again.size != size || memcmp(again.data, data, size) != 0)
        abort();
    return 0;
}
