/* SHA-256 (FIPS 180-4). */
#ifndef HISTORY_HASH_H
#define HISTORY_HASH_H

#include <string.h>

#include "base/buf.h"

enum { HASH_SIZE = 32 };

struct hash {
    unsigned char bytes[HASH_SIZE];
};

/* Over `parts`, one after the other; false: OpenSSL has no SHA-256. */
SE_MUST_CHECK bool hash_make(struct hash *out, const se_bytes *parts, size_t count);

static inline bool hash_same(const struct hash *a, const struct hash *b)
{
    uint64_t x[4], y[4];

    memcpy(x, a, sizeof x);
    memcpy(y, b, sizeof y);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3])) == 0;
}

static inline se_bytes hash_bytes(const struct hash *hash)
{
    return (se_bytes){ hash->bytes, HASH_SIZE };
}

#endif
