/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of what is signed or verified: made while that passes, or given by a caller who has it
 * already. */
#ifndef CRYPTO_CONTENT_DIGEST_H
#define CRYPTO_CONTENT_DIGEST_H

#include "base/stream.h"
#include "crypto/crypto.h"

struct content_digest {
    enum digest algorithm; /* DIGEST_NONE: not known */
    unsigned size;
    unsigned char value[EVP_MAX_MD_SIZE];
};

static inline se_bytes content_digest_bytes(const struct content_digest *digest)
{
    return (se_bytes){ digest->value, digest->size };
}

/* By all algorithms that are asked for, since a signature that comes later says which one counts.
 */
struct content_hasher {
    EVP_MD_CTX *contexts[DIGEST_SHA512 + 1]; /* by enum digest; NULL: not asked for */
    const se_sink *content;                  /* gets what passes; may be NULL */
    se_bytes given;                          /* not empty: the digest, and nothing may pass */
};
void content_hasher_free(struct content_hasher *hasher);
AUTO_KIND(content_hasher, struct content_hasher, content_hasher_free(p))

/* It may be asked for several times. */
SE_MUST_CHECK se_status content_hasher_want(struct content_hasher *hasher, enum digest algorithm,
                                            se_error *err);

/* A stream_take_fn.  SE_ERR_USAGE: the digest was given. */
SE_MUST_CHECK se_status content_hasher_take(void *hasher, se_bytes piece, se_error *err);

/* Once for each algorithm that was asked for.  SE_ERR_USAGE: the digest that was given is not as
 * long as its digests are. */
SE_MUST_CHECK se_status content_hasher_finish(struct content_digest *out,
                                              const struct content_hasher *hasher,
                                              enum digest algorithm, se_error *err);

/* All of it, by one algorithm: `given`, or of what is left of `in`, which is empty then. */
SE_MUST_CHECK se_status content_digest_make(struct content_digest *out, enum digest algorithm,
                                            se_bytes given, struct stream *in, se_error *err);

/* Of all pieces, one behind the other. */
SE_MUST_CHECK se_status content_digest_join(struct content_digest *out, enum digest algorithm,
                                            const se_bytes *pieces, size_t count, se_error *err);

bool content_digest_is(const struct content_digest *digest, se_bytes value);

/* "sha256:" and hexadecimal digits; "" when it is not known. */
enum { CONTENT_DIGEST_TEXT = sizeof "sha512:" + 2 * EVP_MAX_MD_SIZE };
void content_digest_text(char out[CONTENT_DIGEST_TEXT], const struct content_digest *digest);

#endif
