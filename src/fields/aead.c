/* SPDX-License-Identifier: Apache-2.0 */
#include "fields/aead.h"

#include <openssl/core_names.h>
#include <openssl/err.h>

#include "crypto/crypto.h"

bool aead_kind_equal(const struct aead_kind *a, const struct aead_kind *b)
{
    return a->cipher == b->cipher && a->bits == b->bits && a->digest == b->digest &&
           a->tag_size == b->tag_size;
}

size_t aead_iv_size(enum cipher cipher)
{
    return cipher == CIPHER_AES_GCM ? GCM_IV : AES_BLOCK;
}

size_t aead_text_size(enum cipher cipher, size_t plain)
{
    return cipher == CIPHER_AES_GCM ? plain : plain / AES_BLOCK * AES_BLOCK + AES_BLOCK;
}

static bool hmac_init(struct aead *aead, se_bytes key)
{
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                         (char *)crypto_digest(aead->kind.digest), 0),
        OSSL_PARAM_construct_end(),
    };

    aead->hmac = EVP_MAC_CTX_new(crypto_hmac());
    return aead->hmac && EVP_MAC_init(aead->hmac, key.data, key.size, params) > 0;
}

se_status aead_init(struct aead *out, const struct aead_kind *kind, const unsigned char *aes,
                    se_bytes hmac, bool encrypt, se_error *err)
{
    *out = (struct aead){ .kind = *kind, .aes = EVP_CIPHER_CTX_new() };
    if (out->aes &&
        EVP_CipherInit_ex2(out->aes, crypto_cipher(kind->cipher, kind->bits), aes, NULL, encrypt,
                           NULL) > 0 &&
        (kind->digest == DIGEST_NONE || hmac_init(out, hmac)))
        return SE_OK;
    aead_free(out);
    return crypto_error(err, SE_ERR_CRYPTO, "AES failed");
}

se_status aead_copy(struct aead *out, const struct aead *aead, se_error *err)
{
    *out = (struct aead){ .kind = aead->kind, .aes = EVP_CIPHER_CTX_new() };
    if (out->aes && EVP_CIPHER_CTX_copy(out->aes, aead->aes) > 0 &&
        (!aead->hmac || (out->hmac = EVP_MAC_CTX_dup(aead->hmac))))
        return SE_OK;
    aead_free(out);
    return crypto_error(err, SE_ERR_CRYPTO, "AES failed");
}

void aead_free(struct aead *aead)
{
    EVP_CIPHER_CTX_free(aead->aes);
    EVP_MAC_CTX_free(aead->hmac);
    *aead = (struct aead){ .aes = NULL };
}

/* The IV, and what GCM authenticates besides. */
static bool aes_begin(struct aead *aead, const struct aead_input *in)
{
    int unused;

    if (EVP_CipherInit_ex2(aead->aes, NULL, NULL, in->iv, -1, NULL) <= 0)
        return false;
    for (size_t i = 0; aead->kind.cipher == CIPHER_AES_GCM && i < 2; i++)
        if (in->aad[i].size &&
            EVP_CipherUpdate(aead->aes, NULL, &unused, in->aad[i].data, (int)in->aad[i].size) <= 0)
            return false;
    return true;
}

static bool aes_finish(unsigned char *out, size_t *size, struct aead *aead, se_bytes text)
{
    int done = 0, rest = 0;

    if (text.size && EVP_CipherUpdate(aead->aes, out, &done, text.data, (int)text.size) <= 0)
        return false;
    if (EVP_CipherFinal_ex(aead->aes, out + done, &rest) <= 0)
        return false;
    *size = (size_t)done + (size_t)rest;
    return true;
}

/* RFC 7518, 5.2.2.1, step 5: the last piece is the number of bits that are associated. */
static bool hmac_make(unsigned char out[AEAD_TAG_MAX], struct aead *aead,
                      const struct aead_input *in, se_bytes text)
{
    uint64_t aad_bits = 8 * ((uint64_t)in->aad[0].size + in->aad[1].size);
    unsigned char bits[8];
    const se_bytes pieces[] = {
        in->aad[0], in->aad[1], { in->iv, AES_BLOCK }, text, { bits, sizeof bits }
    };
    size_t size;

    for (size_t i = 0; i < sizeof bits; i++)
        bits[i] = (unsigned char)(aad_bits >> (56 - 8 * i));
    if (EVP_MAC_init(aead->hmac, NULL, 0, NULL) <= 0) /* with the key that it has */
        return false;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        if (pieces[i].size && EVP_MAC_update(aead->hmac, pieces[i].data, pieces[i].size) <= 0)
            return false;
    return EVP_MAC_final(aead->hmac, out, &size, AEAD_TAG_MAX) > 0;
}

se_status aead_encrypt(unsigned char *out, unsigned char *tag, struct aead *aead,
                       const struct aead_input *in, se_error *err)
{
    const struct aead_kind *kind = &aead->kind;
    unsigned char mac[AEAD_TAG_MAX];
    size_t size;

    if (!aes_begin(aead, in) || !aes_finish(out, &size, aead, in->text))
        return crypto_error(err, SE_ERR_CRYPTO, "AES failed");
    if (kind->cipher == CIPHER_AES_GCM &&
        EVP_CIPHER_CTX_ctrl(aead->aes, EVP_CTRL_AEAD_GET_TAG, (int)kind->tag_size, tag) <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "AES failed");
    if (!aead->hmac)
        return SE_OK;
    if (!hmac_make(mac, aead, in, (se_bytes){ out, size }))
        return crypto_error(err, SE_ERR_CRYPTO, "HMAC failed");
    memcpy(tag, mac, kind->tag_size);
    return SE_OK;
}

/* CBC: before anything is decrypted.  GCM hands nothing out if its tag is wrong. */
static se_status tag_check(struct aead *aead, const struct aead_input *in, const unsigned char *tag,
                           se_error *err)
{
    unsigned char mac[AEAD_TAG_MAX];
    bool same;

    if (aead->kind.cipher == CIPHER_AES_CBC && (!in->text.size || in->text.size % AES_BLOCK))
        return SE_ERR_REJECTED;
    if (!aead->hmac)
        return SE_OK;
    if (!hmac_make(mac, aead, in, in->text))
        return crypto_error(err, SE_ERR_CRYPTO, "HMAC failed");
    same = CRYPTO_memcmp(mac, tag, aead->kind.tag_size) == 0;
    OPENSSL_cleanse(mac, sizeof mac);
    return same ? SE_OK : SE_ERR_REJECTED;
}

se_status aead_decrypt(se_buf *out, struct aead *aead, const struct aead_input *in,
                       const unsigned char *tag, se_error *err)
{
    AUTO(se_buf) plain = SE_BUF_INIT;

    *out = (se_buf)SE_BUF_INIT;
    TRY(tag_check(aead, in, tag, err));
    TRY(buf_new(&plain, in->text.size, err));
    if (!aes_begin(aead, in) || (aead->kind.cipher == CIPHER_AES_GCM &&
                                 EVP_CIPHER_CTX_ctrl(aead->aes, EVP_CTRL_AEAD_SET_TAG,
                                                     (int)aead->kind.tag_size, (void *)tag) <= 0))
        return crypto_error(err, SE_ERR_CRYPTO, "AES failed");
    if (!aes_finish(plain.data, &plain.size, aead, in->text)) {
        plain.size = in->text.size; /* so that all of it is wiped */
        ERR_clear_error();
        return SE_ERR_REJECTED;
    }
    *out = MOVE(plain);
    return SE_OK;
}
