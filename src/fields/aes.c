#include "fields/aes.h"

#include <openssl/err.h>

#include "crypto/crypto.h"

size_t aes_iv_size(enum cipher cipher)
{
    return cipher == CIPHER_AES_GCM ? GCM_IV : AES_BLOCK;
}

size_t aes_size(enum cipher cipher, size_t plain)
{
    return cipher == CIPHER_AES_GCM ? plain : plain / AES_BLOCK * AES_BLOCK + AES_BLOCK;
}

/* The key, the IV and what is authenticated besides. */
static bool begin(struct kit *kit, const struct aes *aes, int encrypt)
{
    const EVP_CIPHER *cipher = crypto_cipher(aes->cipher, aes->bits);
    int unused;

    if (cipher == EVP_CIPHER_CTX_get0_cipher(kit->cipher))
        cipher = NULL; /* as it is: naming it would make the context anew */
    if (EVP_CipherInit_ex2(kit->cipher, cipher, aes->key, aes->iv, encrypt, NULL) <= 0)
        return false;
    for (size_t i = 0; i < aes->aad_count; i++)
        if (aes->aad[i].size && EVP_CipherUpdate(kit->cipher, NULL, &unused, aes->aad[i].data,
                                                 (int)aes->aad[i].size) <= 0)
            return false;
    return true;
}

static bool run(unsigned char *out, size_t *size, struct kit *kit, se_bytes in)
{
    int done = 0, rest = 0;

    if (in.size && EVP_CipherUpdate(kit->cipher, out, &done, in.data, (int)in.size) <= 0)
        return false;
    if (EVP_CipherFinal_ex(kit->cipher, out + done, &rest) <= 0)
        return false;
    *size = (size_t)done + (size_t)rest;
    return true;
}

se_status aes_encrypt(unsigned char *out, unsigned char *tag, struct kit *kit,
                      const struct aes *aes, se_bytes in, se_error *err)
{
    size_t size;

    if (!begin(kit, aes, 1) || !run(out, &size, kit, in) ||
        (aes->cipher == CIPHER_AES_GCM &&
         EVP_CIPHER_CTX_ctrl(kit->cipher, EVP_CTRL_AEAD_GET_TAG, (int)aes->tag_size, tag) <= 0))
        return crypto_error(err, SE_ERR_CRYPTO, "AES failed");
    return SE_OK;
}

se_status aes_decrypt(se_buf *out, struct kit *kit, const struct aes *aes, se_bytes in,
                      const unsigned char *tag, se_error *err)
{
    bool gcm = aes->cipher == CIPHER_AES_GCM;
    AUTO(se_buf) plain = SE_BUF_INIT;

    *out = (se_buf)SE_BUF_INIT;
    if (!gcm && (!in.size || in.size % AES_BLOCK))
        return SE_ERR_REJECTED;
    TRY(buf_new(&plain, in.size, err));
    if (!begin(kit, aes, 0) || (gcm && EVP_CIPHER_CTX_ctrl(kit->cipher, EVP_CTRL_AEAD_SET_TAG,
                                                           (int)aes->tag_size, (void *)tag) <= 0))
        return crypto_error(err, SE_ERR_CRYPTO, "AES failed");
    if (!run(plain.data, &plain.size, kit, in)) {
        plain.size = in.size; /* so that all of it is wiped */
        ERR_clear_error();
        return SE_ERR_REJECTED;
    }
    *out = buf_move(&plain);
    return SE_OK;
}
