/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/content_digest.h"

#include <stdio.h>

void content_hasher_free(struct content_hasher *hasher)
{
    for (size_t i = 0; i <= DIGEST_SHA512; i++)
        EVP_MD_CTX_free(hasher->contexts[i]);
}

se_status content_hasher_want(struct content_hasher *hasher, enum digest algorithm, se_error *err)
{
    EVP_MD_CTX **context = &hasher->contexts[algorithm];

    if (*context)
        return SE_OK;
    *context = EVP_MD_CTX_new();
    if (*context && crypto_md(algorithm) &&
        EVP_DigestInit_ex2(*context, crypto_md(algorithm), NULL))
        return SE_OK;
    return crypto_error(err, SE_ERR_CRYPTO, "cannot hash with %s", digest_name(algorithm));
}

se_status content_hasher_take(void *hasher, se_bytes piece, se_error *err)
{
    const struct content_hasher *h = hasher;

    if (h->given.size)
        return error_set(err, SE_ERR_USAGE,
                         "the digest is given, and an input as well: one of them stands for the "
                         "content");
    for (size_t i = 0; i <= DIGEST_SHA512; i++)
        if (h->contexts[i] && !EVP_DigestUpdate(h->contexts[i], piece.data, piece.size))
            return crypto_error(err, SE_ERR_CRYPTO, "cannot hash");
    return h->content ? sink_write(h->content, piece, err) : SE_OK;
}

static se_status take_given(struct content_digest *out, se_bytes given, se_error *err)
{
    const EVP_MD *md = crypto_md(out->algorithm);
    const int size = md ? EVP_MD_get_size(md) : 0;

    if (given.size != (size_t)size)
        return error_set(err, SE_ERR_USAGE,
                         "the digest that is given has %zu bytes; %s is needed, which has %d",
                         given.size, digest_name(out->algorithm), size);
    memcpy(out->value, given.data, given.size);
    out->size = (unsigned)size;
    return SE_OK;
}

se_status content_hasher_finish(struct content_digest *out, const struct content_hasher *hasher,
                                enum digest algorithm, se_error *err)
{
    struct content_digest made = { .algorithm = algorithm };

    *out = (struct content_digest){ .algorithm = DIGEST_NONE };
    if (hasher->given.size)
        TRY(take_given(&made, hasher->given, err));
    else if (!EVP_DigestFinal_ex(hasher->contexts[algorithm], made.value, &made.size))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot hash");
    *out = made;
    return SE_OK;
}

se_status content_digest_make(struct content_digest *out, enum digest algorithm, se_bytes given,
                              struct stream *in, se_error *err)
{
    AUTO(content_hasher) hasher = { .given = given };

    TRY(content_hasher_want(&hasher, algorithm, err));
    TRY(stream_drain(in, content_hasher_take, &hasher, err));
    return content_hasher_finish(out, &hasher, algorithm, err);
}

se_status content_digest_join(struct content_digest *out, enum digest algorithm,
                              const se_bytes *pieces, size_t count, se_error *err)
{
    AUTO(content_hasher) hasher = { .content = NULL };

    *out = (struct content_digest){ .algorithm = DIGEST_NONE };
    TRY(content_hasher_want(&hasher, algorithm, err));
    for (size_t i = 0; i < count; i++)
        TRY(content_hasher_take(&hasher, pieces[i], err));
    return content_hasher_finish(out, &hasher, algorithm, err);
}

bool content_digest_is(const struct content_digest *digest, se_bytes value)
{
    return value.size == digest->size && !CRYPTO_memcmp(value.data, digest->value, value.size);
}

void content_digest_text(char out[CONTENT_DIGEST_TEXT], const struct content_digest *digest)
{
    static const char *const names[] = {
        [DIGEST_NONE] = "",          [DIGEST_SHA1] = "sha1:",     [DIGEST_SHA256] = "sha256:",
        [DIGEST_SHA384] = "sha384:", [DIGEST_SHA512] = "sha512:",
    };
    size_t used = (size_t)snprintf(out, CONTENT_DIGEST_TEXT, "%s", names[digest->algorithm]);

    for (unsigned i = 0; i < digest->size; i++)
        used += (size_t)snprintf(out + used, CONTENT_DIGEST_TEXT - used, "%02x", digest->value[i]);
}
