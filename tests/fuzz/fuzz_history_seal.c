/* Seals of histories: what is read as one is written again as the same bytes. */
#include <stdlib.h>

#include "history/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(se_buf) again = SE_BUF_INIT;
    struct note note;

    if (note_parse(&note, (se_bytes){ data, size }, NULL))
        return 0;
    if (seal_note(&again, &note.seal, note.key, (se_bytes){ note.signature, note.signature_size },
                  NULL) ||
        again.size != size || memcmp(again.data, data, size) != 0)
        abort();
    return 0;
}
