/* EVP makes and clears contexts for each hash, which takes as long as hashing an entry of a history does. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "base/arguments.h"

bool se_sha256(unsigned char out[32], const se_bytes *parts, size_t count)
{
    SHA256_CTX context;
    bool good = out && given_array(parts, count) && SHA256_Init(&context);

    for (size_t i = 0; good && i < count; i++)
        good = given_bytes(parts[i]) && SHA256_Update(&context, parts[i].data, parts[i].size);
    return good && SHA256_Final(out, &context);
}
