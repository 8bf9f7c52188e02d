/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted values whose data key is all zeros, as the corpus has them: read, and opened as far as
 * they let themselves. */
#ifndef TESTS_FUZZ_ENVELOPE_H
#define TESTS_FUZZ_ENVELOPE_H

#include <stdlib.h>

#include "fields/envelope.h"

static inline void open_with(const struct envelope *envelope, size_t secret)
{
    AUTO(data_key) key = { .secret = SE_BUF_INIT };
    AUTO(se_buf) plain = SE_BUF_INIT;
    const struct open_job job = { envelope,
                                  &key,
                                  { "row 7", envelope->format->binds_context ? 5 : 0 } };

    if (buf_new(&key.secret, secret, NULL))
        abort();
    if (!envelope->format->prepare_open(&key, envelope, NULL) &&
        envelope->format->open(&plain, &job, NULL) && plain.data)
        abort(); /* a plaintext of what was refused */
}

static inline int fuzz_envelope(const struct envelope_format *format, se_bytes value)
{
    static const size_t secrets[] = { 16, 24, 32, 48, 64 };
    AUTO(envelope) envelope = { .format = NULL };

    if (envelope_read(&envelope, value, format, NULL))
        return 0;
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        open_with(&envelope, secrets[i]);
    return 0;
}

#endif
