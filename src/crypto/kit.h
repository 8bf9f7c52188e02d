/* The contexts that the work on values takes, made once for many values. */
#ifndef CRYPTO_KIT_H
#define CRYPTO_KIT_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "config/algorithm.h"

enum { HASH_MAX = 64, REPEATED_MOST = 1024 };

struct kit {
    EVP_MD_CTX *hash;
    EVP_CIPHER_CTX *cipher;
    struct {
        size_t size; /* 0: nothing was hashed yet */
        unsigned char bytes[REPEATED_MOST], hash[32];
    } last;
};

SE_MUST_CHECK se_status kit_new(struct kit **out, se_error *err);
/* Forgets keys, so that it can lie idle. */
void kit_rest(struct kit *kit);
void kit_free(struct kit *kit); /* accepts NULL */
AUTO_KIND(kit, struct kit *, kit_free(*p))

/* A hash over pieces; up to an empty list. */
bool kit_hash(unsigned char *out, struct kit *kit, enum digest digest, const se_bytes *pieces,
              size_t count);
/* SHA-256 of what is often the same as last time, as the head of values that were made together is.
 * Not of secrets: it is kept. */
bool kit_hash_repeated(unsigned char out[32], struct kit *kit, se_bytes piece);

/*
 * HMAC (RFC 2104) over pieces, in a context that is used again and again: EVP_MAC takes longer to
 * be given a key than to hash a field. `key` has up to a block of the digest.
 */
bool kit_hmac(unsigned char *out, struct kit *kit, enum digest digest, se_bytes key,
              const se_bytes *pieces, size_t count);

#endif
