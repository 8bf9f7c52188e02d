/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sealed_file.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <unistd.h>

#include "base/file.h"
#include "base/reader.h"

enum { TAG = 16, NONCE = 12, STRIDE = SEALED_PIECE + TAG };

AUTO_KIND(cipher_ctx, EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free(*p))

se_status sealed_file_open(struct sealed_file *out, const char *folder, se_error *err)
{
    *out = (struct sealed_file){ .fd = file_unnamed(folder) };
    if (out->fd < 0)
        return error_set(err, SE_ERR_IO, "no file without a name in '%s': %s", folder,
                         strerror(errno));
    if (RAND_priv_bytes(out->key, sizeof out->key) == 1)
        return SE_OK;
    sealed_file_close(out);
    return error_set(err, SE_ERR_CRYPTO, "no random bytes for a key");
}

void sealed_file_close(struct sealed_file *file)
{
    file_close(&file->fd);
    OPENSSL_cleanse(file->key, sizeof file->key);
}

/* Both ways. NULL: out of memory. */
static EVP_CIPHER_CTX *begin_piece(const struct sealed_file *file, uint64_t number, bool seals)
{
    AUTO(cipher_ctx) ctx = EVP_CIPHER_CTX_new();
    AUTO(writer) nonce = { 0 };

    writer_number(&nonce, 0, NONCE - sizeof number);
    writer_number(&nonce, number, sizeof number);
    if (!ctx || nonce.failed ||
        !EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, file->key, nonce.buf.data, seals))
        return NULL;
    return MOVE(ctx);
}

static bool seal_piece(unsigned char *out, const struct sealed_file *file, se_bytes piece)
{
    AUTO(cipher_ctx) ctx = begin_piece(file, file->pieces, true);
    int size = 0, rest = 0;

    return ctx && EVP_CipherUpdate(ctx, out, &size, piece.data, (int)piece.size) &&
           EVP_CipherFinal_ex(ctx, out + size, &rest) &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, out + piece.size);
}

static bool open_piece(se_buf *out, const struct sealed_file *file, uint64_t number,
                       se_bytes sealed)
{
    AUTO(cipher_ctx) ctx = begin_piece(file, number, false);
    unsigned char *tag = (unsigned char *)sealed.data + out->size;
    int size = 0, rest = 0;

    return ctx && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) &&
           EVP_CipherUpdate(ctx, out->data, &size, sealed.data, (int)out->size) &&
           EVP_CipherFinal_ex(ctx, out->data + size, &rest) == 1;
}

se_status sealed_file_append(struct sealed_file *file, se_bytes piece, se_error *err)
{
    AUTO(se_buf) sealed = SE_BUF_INIT;

    TRY(buf_new(&sealed, piece.size + TAG, err));
    if (!seal_piece(sealed.data, file, piece))
        return error_set(err, SE_ERR_CRYPTO, "a piece can't be sealed");
    if (write_all(file->fd, sealed.data, sealed.size))
        return error_set(err, SE_ERR_IO, "%s", write_reason(errno));
    file->pieces++;
    return SE_OK;
}

/* The number of bytes that are there, up to `size`; -1 with errno set. */
static ssize_t read_at(int fd, unsigned char *out, size_t size, uint64_t offset)
{
    size_t done = 0;
    ssize_t n = 1;

    while (done < size && n > 0) {
        n = pread(fd, out + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            done += (size_t)n;
    }
    return n < 0 ? -1 : (ssize_t)done;
}

se_status sealed_file_read(se_buf *out, const struct sealed_file *file, uint64_t number,
                           se_error *err)
{
    AUTO(se_buf) sealed = SE_BUF_INIT;
    ssize_t got;

    *out = (se_buf)SE_BUF_INIT;
    TRY(buf_new(&sealed, STRIDE, err));
    got = read_at(file->fd, sealed.data, STRIDE, number * STRIDE);
    if (got < 0)
        return error_set(err, SE_ERR_IO, "%s", strerror(errno));
    if (got <= TAG)
        return error_set(err, SE_ERR_IO, "a piece is missing");
    TRY(buf_new(out, (size_t)got - TAG, err));
    if (open_piece(out, file, number, buf_bytes(&sealed)))
        return SE_OK;
    se_buf_free(out);
    return error_set(err, SE_ERR_IO, "a piece is not what was written");
}
