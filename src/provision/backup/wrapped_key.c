/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/backup/wrapped_key.h"

#include <openssl/asn1.h>
#include <openssl/err.h>

#include "crypto/crypto.h"

AUTO_KIND(cipher, EVP_CIPHER *, EVP_CIPHER_free(*p))
AUTO_KIND(cipher_ctx, EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free(*p))

void wrapped_key_free(struct wrapped_key *key)
{
    se_buf_free(&key->blob);
    se_buf_free(&key->file_key);
    for (size_t i = 0; i < key->sealed_count; i++)
        se_buf_free(&key->sealed[i]);
    sk_X509_pop_free(key->certificates, X509_free);
    *key = (struct wrapped_key){ .blob = SE_BUF_INIT };
}

enum { BLOCK = 16 };

static se_status run_cipher(se_buf *out, enum wrapping how, const unsigned char *iv,
                            const se_buf *key, se_bytes in, int encrypts)
{
    static const char *const names[] = {
        [WRAPPING_PADDED] = "AES-256-WRAP-PAD",
        [WRAPPING_PLAIN] = "AES-256-WRAP",
        [WRAPPING_CBC] = "AES-256-CBC",
    };
    AUTO(cipher) cipher = EVP_CIPHER_fetch(crypto_context(), names[how], NULL);
    AUTO(cipher_ctx) ctx = EVP_CIPHER_CTX_new();
    AUTO(se_buf) room = SE_BUF_INIT;
    int size = 0, rest = 0;
    bool is_good;

    TRY(buf_new(&room, in.size + 2 * BLOCK, NULL));
    if (ctx)
        EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    is_good = cipher && ctx && key->size == FILE_KEY && in.size <= INT_MAX - 2 * BLOCK &&
              EVP_CipherInit_ex2(ctx, cipher, key->data, how == WRAPPING_CBC ? iv : NULL, encrypts,
                                 NULL) > 0 &&
              EVP_CipherUpdate(ctx, room.data, &size, in.data, (int)in.size) > 0 &&
              EVP_CipherFinal_ex(ctx, room.data + size, &rest) > 0;
    ERR_clear_error();
    return is_good && size + rest > 0
               ? buf_copy(out, (se_bytes){ room.data, (size_t)(size + rest) }, NULL)
               : SE_ERR_REJECTED;
}

se_status file_key_wrap(se_buf *out, const se_buf *key, se_bytes in, se_error *err)
{
    if (run_cipher(out, WRAPPING_PLAIN, NULL, key, in, 1))
        return error_set(err, SE_ERR_CRYPTO, "encrypting the file key");
    return SE_OK;
}

se_status file_key_unwrap(se_buf *out, const se_buf *key, se_bytes blob, se_error *err)
{
    if (run_cipher(out, WRAPPING_PLAIN, NULL, key, blob, 0))
        return error_set(err, SE_ERR_REJECTED, "the file key is under another key, or was changed");
    return SE_OK;
}

/* Tokens pad the PKCS #8 before they encrypt it, with zeros or as PKCS #7 does. */
static size_t pkcs8_size(const se_buf *clear)
{
    const unsigned char *p = clear->data;
    long size = 0;
    int tag = 0, tag_class = 0;

    if (ASN1_get_object(&p, &size, &tag, &tag_class, (long)clear->size) != V_ASN1_CONSTRUCTED ||
        tag != V_ASN1_SEQUENCE) {
        ERR_clear_error();
        return 0;
    }
    return (size_t)(p - clear->data) + (size_t)size;
}

se_status wrapped_key_open(se_buf *out, const struct wrapped_key *key, se_error *err)
{
    AUTO(se_buf) clear = SE_BUF_INIT;
    size_t size = 0;

    *out = (se_buf)SE_BUF_INIT;
    if (!run_cipher(&clear, key->wrapping, key->iv, &key->file_key, buf_bytes(&key->blob), 0))
        size = pkcs8_size(&clear);
    if (!size)
        return error_set(err, SE_ERR_REJECTED,
                         "the backup was changed: there is no private key under its file key");
    return buf_copy(out, (se_bytes){ clear.data, size }, err);
}
