/* EVP makes and clears contexts for each hash, which takes as long as hashing an entry of a history
 * does. */
#include "history/hash.h"

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

bool hash_make(struct hash *out, const se_bytes *parts, size_t count)
{
    SHA256_CTX context;
    bool good = SHA256_Init(&context);

    for (size_t i = 0; good && i < count; i++)
        good = SHA256_Update(&context, parts[i].data, parts[i].size);
    return good && SHA256_Final(out->bytes, &context);
}
