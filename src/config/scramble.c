#include "config/scramble.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/base64.h"
#include "base/text.h"

AUTO_KIND(cipher, EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free(*p))

/* BLOCK: what the PIN is padded to, so that the value does not tell how long it is */
enum { NONCE = 12, TAG = 16, BLOCK = 32, PIN_MAX = 4096 };

#define PREFIX_SIZE (sizeof SCRAMBLE_PREFIX - 1)

/* The PIN, 0x80, and zeros up to the next block (ISO/IEC 7816-4). */
static se_status pad(se_buf *out, se_bytes pin, se_error *err)
{
    TRY(buf_new(out, (pin.size / BLOCK + 1) * BLOCK, err));
    if (pin.size)
        memcpy(out->data, pin.data, pin.size);
    out->data[pin.size] = 0x80;
    return SE_OK;
}

static bool unpad(se_buf *padded)
{
    size_t size = padded->size;

    while (size && !padded->data[size - 1])
        size--;
    if (!size || padded->data[size - 1] != 0x80)
        return false;
    padded->data[size - 1] = '\0';
    padded->size = size - 1;
    return true;
}

static EVP_CIPHER_CTX *start(const unsigned char *nonce, se_bytes key, bool seal)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int unused;

    if (ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key.data, nonce, seal) == 1 &&
        EVP_CipherUpdate(ctx, NULL, &unused, (const unsigned char *)SCRAMBLE_PREFIX, PREFIX_SIZE) ==
            1)
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

static bool seal(se_buf *sealed, const se_buf *padded, se_bytes key)
{
    AUTO(cipher) ctx = start(sealed->data, key, true);
    unsigned char *at = sealed->data + NONCE, *tag = at + padded->size;
    int n;

    return ctx && EVP_CipherUpdate(ctx, at, &n, padded->data, (int)padded->size) == 1 &&
           EVP_CipherFinal_ex(ctx, tag, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1;
}

/* What it decrypts is not looked at before the tag was right. */
static bool unseal(se_buf *padded, se_buf *sealed, se_bytes key)
{
    AUTO(cipher) ctx = start(sealed->data, key, false);
    unsigned char *at = sealed->data + NONCE, *tag = at + padded->size;
    int n;

    return ctx && EVP_CipherUpdate(ctx, padded->data, &n, at, (int)padded->size) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1 &&
           EVP_CipherFinal_ex(ctx, padded->data + n, &n) == 1;
}

static se_status encode(se_buf *out, const se_buf *sealed, se_error *err)
{
    AUTO(se_buf) digits = SE_BUF_INIT;
    AUTO(writer) w = { 0 };

    TRY(base64_encode(&digits, buf_bytes(sealed), err));
    writer_text(&w, SCRAMBLE_PREFIX);
    writer_put(&w, digits.data, digits.size);
    return writer_finish(out, &w, err);
}

se_status scramble_seal(se_buf *out, se_bytes pin, se_bytes key, se_error *err)
{
    AUTO(se_buf) padded = SE_BUF_INIT;
    AUTO(se_buf) sealed = SE_BUF_INIT;

    *out = (se_buf)SE_BUF_INIT;
    if (!pin.size || pin.size > PIN_MAX || memchr(pin.data, 0, pin.size))
        return error_set(err, SE_ERR_USAGE, "a PIN must be a text of 1 to %d bytes", PIN_MAX);
    TRY(pad(&padded, pin, err));
    TRY(buf_new(&sealed, NONCE + padded.size + TAG, err));
    if (RAND_bytes(sealed.data, NONCE) != 1 || !seal(&sealed, &padded, key))
        return error_set(err, SE_ERR_CRYPTO, "the PIN could not be scrambled");
    return encode(out, &sealed, err);
}

se_status scramble_decode(se_buf *out, const char *value, se_error *err)
{
    *out = (se_buf)SE_BUF_INIT;
    if (!text_starts(value, SCRAMBLE_PREFIX))
        return error_set(err, SE_ERR_FORMAT, "a scrambled PIN begins with " SCRAMBLE_PREFIX);
    TRY(base64_decode(out, text_bytes(value + PREFIX_SIZE), err));
    if (out->size >= NONCE + BLOCK + TAG && (out->size - NONCE - TAG) % BLOCK == 0)
        return SE_OK;
    se_buf_free(out);
    return error_set(err, SE_ERR_FORMAT, "a scrambled PIN does not have this size");
}

se_status scramble_open(se_buf *out, const char *value, se_bytes key, se_error *err)
{
    AUTO(se_buf) sealed = SE_BUF_INIT;
    AUTO(se_buf) padded = SE_BUF_INIT;

    *out = (se_buf)SE_BUF_INIT;
    TRY(scramble_decode(&sealed, value, err));
    TRY(buf_new(&padded, sealed.size - NONCE - TAG, err));
    if (!unseal(&padded, &sealed, key) || !unpad(&padded))
        return error_set(err, SE_ERR_ACCESS, "not scrambled with this key, or altered since");
    *out = buf_move(&padded);
    return SE_OK;
}
