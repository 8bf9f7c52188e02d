#include "crypto/kit.h"

#include <stdlib.h>

#include "crypto/crypto.h"

enum { BLOCK_MAX = 128 };

se_status kit_new(struct kit **out, se_error *err)
{
    AUTO(kit) kit = calloc(1, sizeof *kit);

    *out = NULL;
    if (!kit || !(kit->hash = EVP_MD_CTX_new()) || !(kit->cipher = EVP_CIPHER_CTX_new()))
        return error_memory(err);
    *out = MOVE(kit);
    return SE_OK;
}

void kit_rest(struct kit *kit)
{
    static const unsigned char nothing[32];

    /* another key in the place of the last one takes less than making the context anew */
    if (EVP_CIPHER_CTX_get0_cipher(kit->cipher) &&
        EVP_CipherInit_ex2(kit->cipher, NULL, nothing, NULL, -1, NULL) <= 0)
        (void)EVP_CIPHER_CTX_reset(kit->cipher);
}

void kit_free(struct kit *kit)
{
    if (!kit)
        return;
    EVP_MD_CTX_free(kit->hash);
    EVP_CIPHER_CTX_free(kit->cipher);
    free(kit);
}

static bool begin(struct kit *kit, enum digest digest, se_bytes first)
{
    return EVP_DigestInit_ex2(kit->hash, crypto_md(digest), NULL) > 0 &&
           EVP_DigestUpdate(kit->hash, first.data, first.size) > 0;
}

static bool add_all(struct kit *kit, const se_bytes *pieces, size_t count)
{
    bool done = true;

    for (size_t i = 0; done && i < count; i++)
        done = !pieces[i].size || EVP_DigestUpdate(kit->hash, pieces[i].data, pieces[i].size) > 0;
    return done;
}

bool kit_hash(unsigned char *out, struct kit *kit, enum digest digest, const se_bytes *pieces,
              size_t count)
{
    return begin(kit, digest, (se_bytes){ out, 0 }) && add_all(kit, pieces, count) &&
           EVP_DigestFinal_ex(kit->hash, out, NULL) > 0;
}

bool kit_hash_repeated(unsigned char out[32], struct kit *kit, se_bytes piece)
{
    bool same = piece.size && piece.size == kit->last.size &&
                memcmp(piece.data, kit->last.bytes, piece.size) == 0;

    if (!same && !kit_hash(kit->last.hash, kit, DIGEST_SHA256, &piece, 1)) {
        kit->last.size = 0;
        return false;
    }
    if (!same && (kit->last.size = piece.size <= REPEATED_MOST ? piece.size : 0))
        memcpy(kit->last.bytes, piece.data, piece.size);
    memcpy(out, kit->last.hash, sizeof kit->last.hash);
    return true;
}

/* The key, with which `pad` is mixed, as the first block. */
static bool begin_keyed(struct kit *kit, enum digest digest, se_bytes key, unsigned char pad)
{
    unsigned char first[BLOCK_MAX];
    size_t block = digest > DIGEST_SHA256 ? BLOCK_MAX : BLOCK_MAX / 2;
    bool done;

    if (key.size > block)
        return false;
    memset(first, pad, sizeof first);
    for (size_t i = 0; i < key.size; i++)
        first[i] ^= ((const unsigned char *)key.data)[i];
    done = begin(kit, digest, (se_bytes){ first, block });
    OPENSSL_cleanse(first, key.size);
    return done;
}

bool kit_hmac(unsigned char *out, struct kit *kit, enum digest digest, se_bytes key,
              const se_bytes *pieces, size_t count)
{
    unsigned size;

    return begin_keyed(kit, digest, key, 0x36) && add_all(kit, pieces, count) &&
           EVP_DigestFinal_ex(kit->hash, out, &size) > 0 && begin_keyed(kit, digest, key, 0x5c) &&
           EVP_DigestUpdate(kit->hash, out, size) > 0 &&
           EVP_DigestFinal_ex(kit->hash, out, NULL) > 0;
}
