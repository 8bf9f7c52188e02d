/* SPDX-License-Identifier: Apache-2.0 */
/* NX02 values. */
#include "tests/fuzz/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_envelope(&nx02_format, (se_bytes){ data, size });
}
