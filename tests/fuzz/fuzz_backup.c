/* SPDX-License-Identifier: Apache-2.0 */
/* A backup of a key, up to the point where a recovery key is needed. */
#include <stdlib.h>

#include "provision/backup_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    se_status st = backup_file_open(&out, (se_bytes){ data, size }, NULL, &err);

    if (!st || out.size || !*err.text)
        abort();
    return 0;
}
