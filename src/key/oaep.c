/* The padding is our own: what OpenSSL's costs, above all a draw of the random generator, is a good part of what a field costs. */
#include "key/oaep.h"

#include "key/crypto.h"
#include "key/rsa_public.h"

/* It is prepared once for a key; when two threads do it at once, one of them does it in vain. */
static se_status prepared(const struct rsa_public **out, struct key *key, se_error *err)
{
    struct rsa_public *made, *none = NULL;
    se_status st;

    if ((*out = __atomic_load_n(&key->encryption, __ATOMIC_ACQUIRE)))
        return SE_OK;
    if ((st = rsa_public_new(&made, X509_get0_pubkey(key->certificate), err)))
        return st;
    *out = made;
    if (__atomic_compare_exchange_n(&key->encryption, &none, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return SE_OK;
    rsa_public_free(made);
    *out = none;
    return SE_OK;
}

/* RFC 8017, B.2.1: what `seed` becomes is mixed with the bytes at `out`, which are no more than a modulus has. */
static bool mgf1(unsigned char *out, size_t size, struct kit *kit, enum digest digest, se_bytes seed)
{
    const size_t step = (size_t)EVP_MD_get_size(crypto_md(digest));
    unsigned char count[4] = { 0 }, block[HASH_MAX];
    const se_bytes pieces[] = { seed, { count, sizeof count } };
    bool done = true;

    for (size_t at = 0; done && at < size; at += step) {
        done = kit_hash(block, kit, digest, pieces, 2);
        for (size_t i = 0; i < step && at + i < size; i++)
            out[at + i] ^= block[i];
        count[3]++; /* a modulus has less than 256 blocks */
    }
    OPENSSL_cleanse(block, sizeof block);
    return done;
}

/* RFC 8017, 7.1.1, step 2: 0, the seed, and a block of the hash of the label, zeros, 1 and the message; both masked with each other. */
static se_status pad(se_buf *padded, struct kit *kit, const struct unwrap_how *how, se_bytes clear, se_error *err)
{
    const size_t hash = (size_t)EVP_MD_get_size(crypto_md(how->digest)), size = padded->size - 1 - hash;
    unsigned char *seed = padded->data + 1, *block = seed + hash;
    se_status st = kit_random(seed, kit, hash, err);

    if (st)
        return st;
    block[size - clear.size - 1] = 1;
    if (clear.size)
        memcpy(block + size - clear.size, clear.data, clear.size);
    if (kit_hash(block, kit, how->digest, NULL, 0) && mgf1(block, size, kit, how->mgf1, (se_bytes){ seed, hash }) &&
        mgf1(seed, hash, kit, how->mgf1, (se_bytes){ block, size }))
        return SE_OK;
    return crypto_error(err, SE_ERR_CRYPTO, "cannot hash");
}

se_status oaep_wrap(se_buf *out, struct key *key, struct kit *kit, const struct unwrap_how *how, se_bytes clear, se_error *err)
{
    AUTO(se_buf) padded = SE_BUF_INIT;
    const struct rsa_public *public;
    size_t size, least;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if (!crypto_md(how->digest) || !crypto_md(how->mgf1))
        return error_set(err, SE_ERR_CRYPTO, "OAEP needs a digest");
    if ((st = prepared(&public, key, err)))
        return st;
    size = rsa_public_size(public);
    least = 2 + 2 * (size_t)EVP_MD_get_size(crypto_md(how->digest));
    if (size < least || clear.size > size - least)
        return error_set(err, SE_ERR_USAGE, "%zu bytes are more than this key encrypts", clear.size);
    if ((st = buf_new(&padded, size, err)) || (st = pad(&padded, kit, how, clear, err)))
        return st;
    return rsa_public_encrypt(out, public, buf_bytes(&padded), err);
}
