/* SPDX-License-Identifier: Apache-2.0 */
/* Bare RSA-OAEP. */
#include "tests/fuzz/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_envelope(&blob_format, (se_bytes){ data, size });
}
