/* SPDX-License-Identifier: Apache-2.0 */
#include "config/pins.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/text.h"

enum { SECRET_MAX = 4096 };

AUTO_KIND(cipher, EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free(*p))

/* ---- the key file ---- */

/* Unnamed pipes and terminals were opened by the parent process, which answers for them. */
static bool has_owner(int fd, const struct stat *info)
{
    struct statfs system;

    return S_ISREG(info->st_mode) ||
           (S_ISFIFO(info->st_mode) && !fstatfs(fd, &system) && system.f_type != PIPEFS_MAGIC);
}

/*
 * Checks the open file, because its name may lead elsewhere a moment later.  Links are followed:
 * the file has to be root's or ours, which one put in its place by another user is not.
 */
static se_status check_secret_file(int fd, const char *path, unsigned forbidden, se_error *err)
{
    struct stat info;

    if (fstat(fd, &info))
        return error_set(err, SE_ERR_ACCESS, "cannot read '%s': %s", path, strerror(errno));
    if (!has_owner(fd, &info))
        return SE_OK;
    if (info.st_mode & forbidden)
        return error_set(err, SE_ERR_ACCESS, "'%s' has mode %04o: others may %s it", path,
                         (unsigned)info.st_mode & 07777,
                         info.st_mode & forbidden & (S_IWGRP | S_IWOTH) ? "change" : "read");
    if (info.st_uid && info.st_uid != geteuid())
        return error_set(
            err, SE_ERR_ACCESS,
            "'%s' belongs to user %u, who may change it: root or user %u has to own it", path,
            (unsigned)info.st_uid, (unsigned)geteuid());
    return SE_OK;
}

se_status secret_file_read(se_buf *out, const char *path, unsigned forbidden, se_error *err)
{
    AUTO(file) fd = file_open(path);
    se_error why = SE_ERROR_INIT;

    *out = (se_buf)SE_BUF_INIT;
    if (fd < 0)
        return error_set(err, SE_ERR_ACCESS, "cannot read '%s': %s", path, strerror(errno));
    TRY(check_secret_file(fd, path, forbidden, err));
    if (file_read_open(out, fd, path, SECRET_MAX, &why))
        return error_set(err, why.status == SE_ERR_MEMORY ? why.status : SE_ERR_ACCESS, "%s",
                         why.text);
    return SE_OK;
}

static void drop_newline(se_buf *text)
{
    if (text->size && text->data[text->size - 1] == '\n')
        text->data[--text->size] = '\0';
}

se_status pin_key_read(se_buf *out, const char *path, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(se_buf) key = SE_BUF_INIT;

    *out = (se_buf)SE_BUF_INIT;
    TRY_PREFIX(secret_file_read(&text, path, S_IWGRP | S_IROTH | S_IWOTH, err), err,
               "the key that scrambles PINs: ");
    drop_newline(&text);
    if (base64_decode(&key, buf_bytes(&text), NULL) || key.size != PIN_KEY_SIZE)
        return error_set(err, SE_ERR_ACCESS,
                         "the key that scrambles PINs: '%s' does not hold %d bytes in base64", path,
                         PIN_KEY_SIZE);
    *out = buf_move(&key);
    return SE_OK;
}

static se_status make_key_text(se_buf *text, se_error *err)
{
    AUTO(se_buf) key = SE_BUF_INIT;
    AUTO(se_buf) digits = SE_BUF_INIT;
    AUTO(writer) line = { 0 };

    TRY(buf_new(&key, PIN_KEY_SIZE, err));
    if (RAND_priv_bytes(key.data, PIN_KEY_SIZE) != 1)
        return error_set(err, SE_ERR_CRYPTO, "no random numbers");
    TRY(base64_encode(&digits, buf_bytes(&key), err));
    writer_put(&line, digits.data, digits.size);
    writer_text(&line, "\n");
    return writer_finish(text, &line, err);
}

static int write_key_file(int fd, const se_buf *text)
{
    int failed = fchmod(fd, 0600) || write_all(fd, text->data, text->size) || fsync(fd);
    int reason = errno;

    close(fd);
    errno = reason;
    return failed;
}

/* When two processes scramble at once, the second takes the key of the first. */
static se_status make_key_file(const char *path, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st = make_key_text(&text, err);
    int fd;

    if (st)
        return st;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return SE_OK;
    if (fd < 0)
        return error_set(err, SE_ERR_ACCESS, "cannot make '%s', the key that scrambles PINs: %s",
                         path, strerror(errno));
    if (write_key_file(fd, &text)) {
        se_status failed =
            error_set(err, SE_ERR_ACCESS, "cannot write '%s', the key that scrambles PINs: %s",
                      path, strerror(errno));

        (void)unlink(path);
        return failed;
    }
    return SE_OK;
}

se_status pin_key_make(se_buf *out, const char *path, se_error *err)
{
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if (access(path, F_OK) && errno == ENOENT && (st = make_key_file(path, err)))
        return st;
    return pin_key_read(out, path, err);
}

/* ---- AES-256-GCM around one PIN ---- */

#define SCRAMBLE_PREFIX "{se1}"
/* BLOCK: PINs are padded to a multiple, so that the value does not show their length */
enum { NONCE = 12, TAG = 16, BLOCK = 32, PIN_MAX = 4096 };

#define PREFIX_SIZE (sizeof SCRAMBLE_PREFIX - 1)

/* The PIN, 0x80, and zeros up to the next block (ISO/IEC 7816-4). */
static se_status pad_pin(se_buf *out, se_bytes pin, se_error *err)
{
    TRY(buf_new(out, (pin.size / BLOCK + 1) * BLOCK, err));
    if (pin.size)
        memcpy(out->data, pin.data, pin.size);
    out->data[pin.size] = 0x80;
    return SE_OK;
}

static bool unpad_pin(se_buf *padded)
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

static EVP_CIPHER_CTX *start_cipher(const unsigned char *nonce, se_bytes key, bool seal)
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

static bool seal_pin(se_buf *sealed, const se_buf *padded, se_bytes key)
{
    AUTO(cipher) ctx = start_cipher(sealed->data, key, true);
    unsigned char *at = sealed->data + NONCE, *tag = at + padded->size;
    int n;

    return ctx && EVP_CipherUpdate(ctx, at, &n, padded->data, (int)padded->size) == 1 &&
           EVP_CipherFinal_ex(ctx, tag, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1;
}

/* The plaintext is used only after the tag has been checked. */
static bool open_pin(se_buf *padded, se_buf *sealed, se_bytes key)
{
    AUTO(cipher) ctx = start_cipher(sealed->data, key, false);
    unsigned char *at = sealed->data + NONCE, *tag = at + padded->size;
    int n;

    return ctx && EVP_CipherUpdate(ctx, padded->data, &n, at, (int)padded->size) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1 &&
           EVP_CipherFinal_ex(ctx, padded->data + n, &n) == 1;
}

static se_status encode_sealed(se_buf *out, const se_buf *sealed, se_error *err)
{
    AUTO(se_buf) digits = SE_BUF_INIT;
    AUTO(writer) w = { 0 };

    TRY(base64_encode(&digits, buf_bytes(sealed), err));
    writer_text(&w, SCRAMBLE_PREFIX);
    writer_put(&w, digits.data, digits.size);
    return writer_finish(out, &w, err);
}

static se_status scramble_pin(se_buf *out, se_bytes pin, se_bytes key, se_error *err)
{
    AUTO(se_buf) padded = SE_BUF_INIT;
    AUTO(se_buf) sealed = SE_BUF_INIT;

    *out = (se_buf)SE_BUF_INIT;
    if (!pin.size || pin.size > PIN_MAX || memchr(pin.data, 0, pin.size))
        return error_set(err, SE_ERR_USAGE, "a PIN must be a text of 1 to %d bytes", PIN_MAX);
    TRY(pad_pin(&padded, pin, err));
    TRY(buf_new(&sealed, NONCE + padded.size + TAG, err));
    if (RAND_bytes(sealed.data, NONCE) != 1 || !seal_pin(&sealed, &padded, key))
        return error_set(err, SE_ERR_CRYPTO, "the PIN could not be scrambled");
    return encode_sealed(out, &sealed, err);
}

se_status pins_decode(se_buf *out, const char *value, se_error *err)
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

static se_status unscramble_pin(se_buf *out, const char *value, se_bytes key, se_error *err)
{
    AUTO(se_buf) sealed = SE_BUF_INIT;
    AUTO(se_buf) padded = SE_BUF_INIT;

    *out = (se_buf)SE_BUF_INIT;
    TRY(pins_decode(&sealed, value, err));
    TRY(buf_new(&padded, sealed.size - NONCE - TAG, err));
    if (!open_pin(&padded, &sealed, key) || !unpad_pin(&padded))
        return error_set(err, SE_ERR_ACCESS, "not scrambled with this key, or altered since");
    *out = buf_move(&padded);
    return SE_OK;
}

/* ---- PINs ---- */

bool pins_is_scrambled(const char *value)
{
    return text_starts(value, SCRAMBLE_PREFIX);
}

se_status pins_scramble(se_buf *out, se_bytes pin, const char *pin_key, se_error *err)
{
    AUTO(se_buf) key = SE_BUF_INIT;

    *out = (se_buf)SE_BUF_INIT;
    TRY(pin_key_make(&key, pin_key, err));
    return scramble_pin(out, pin, buf_bytes(&key), err);
}

se_status pins_reveal(se_buf *out, const char *value, const char *pin_key, se_error *err)
{
    AUTO(se_buf) key = SE_BUF_INIT;
    se_error why = SE_ERROR_INIT;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    TRY(pin_key_read(&key, pin_key, err));
    if ((st = unscramble_pin(out, value, buf_bytes(&key), &why)))
        return error_set(err, st == SE_ERR_MEMORY ? st : SE_ERR_ACCESS,
                         "the PIN can't be unscrambled with '%s': %s", pin_key, why.text);
    return SE_OK;
}

bool pins_equal(const se_buf *a, const se_buf *b)
{
    return a->size == b->size && !CRYPTO_memcmp(a->data, b->data, a->size);
}
