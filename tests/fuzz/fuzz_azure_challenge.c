/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate from a vault. */
#include <assert.h>

#include "keystore/azure/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(writer) header = { .room = 0 };
    struct challenge challenge;

    writer_put(&header, data, size);
    if (challenge_parse(&challenge, writer_string(&header), NULL) == SE_OK)
        assert(*challenge.scheme && !strpbrk(challenge.tenant, "/?#%: "));
    else
        assert(!*challenge.scheme && !*challenge.tenant && !*challenge.resource);
    return 0;
}
