/* SPDX-License-Identifier: Apache-2.0 */
/* Containers whose secret is all zeros, as the corpus has them: read, and opened as far as they let
 * themselves. */
#include <stdlib.h>

#include "fields/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(envelope) envelope = { .format = NULL };
    AUTO(data_key) key = { .secret = SE_BUF_INIT };
    AUTO(writer) plain = { 0 };
    const struct open_job job = { &envelope, &key, { "row 7", 5 } };
    se_bytes bytes = { data, size };
    const se_source source = source_memory(&bytes);
    struct stream in = { &source, NULL, NULL, 0 };
    const se_sink sink = sink_writer(&plain);

    if (container_read(&envelope, &in, NULL) || buf_new(&key.secret, CONTAINER_SECRET, NULL))
        return 0;
    if (container_open(&sink, &job, &in, NULL) && plain.buf.size % CONTAINER_PIECE)
        abort(); /* a last piece of what was refused */
    return 0;
}
