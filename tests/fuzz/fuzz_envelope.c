/* SPDX-License-Identifier: Apache-2.0 */
/* CMS EnvelopedData and AuthEnvelopedData. */
#include "tests/fuzz/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_envelope(&cms_envelope_format, (se_bytes){ data, size });
}
