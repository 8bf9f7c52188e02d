/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/pkcs11/pin_blocklist.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "keystore/keystore.h"

enum { SALT_SIZE = 32, HASH_SIZE = 32 };
enum { RECORDS_KEPT = 32, HOUR_S = 3600, TOKEN_SIZE = 16, PIN_SIZE = 2, PIN_ROUNDS = 50000 };
enum { COUNTER_RUNS = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED };

/* ---- in this process ---- */

static struct refusals process_refusals;

bool refused_pin_make(struct refusal *out, const struct module *module, const struct slot *slot,
                      se_bytes pin)
{
    const se_bytes parts[] = { text_bytes(module->path), text_bytes(slot->label),
                               text_bytes(slot->serial), pin };

    return refusal_make(out, parts, sizeof parts / sizeof *parts);
}

bool pin_blocklist_has(const struct refusal *pin)
{
    return refusals_have(&process_refusals, pin, 0);
}

void pin_blocklist_add(const struct refusal *pin)
{
    refusals_add(&process_refusals, pin);
}

/* ---- for the processes to come ---- */

/* Each part with its NUL, so that no two tokens run into the same bytes. */
static bool hash_refusal(unsigned char out[HASH_SIZE], const unsigned char salted_by[SALT_SIZE],
                         const struct module *module, const struct slot *slot, se_bytes pin)
{
    const EVP_MD *sha = crypto_md(DIGEST_SHA256);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = sha && md && EVP_DigestInit_ex(md, sha, NULL) &&
              EVP_DigestUpdate(md, salted_by, SALT_SIZE) &&
              EVP_DigestUpdate(md, module->path, strlen(module->path) + 1) &&
              EVP_DigestUpdate(md, slot->label, strlen(slot->label) + 1) &&
              EVP_DigestUpdate(md, slot->serial, strlen(slot->serial) + 1) &&
              EVP_DigestUpdate(md, pin.data, pin.size) && EVP_DigestFinal_ex(md, out, NULL);

    EVP_MD_CTX_free(md);
    return ok;
}

struct refusal_record {
    int64_t time; /* seconds since 1970; 0: none */
    unsigned char token[TOKEN_SIZE], pin[PIN_SIZE];
    unsigned char counted; /* the token showed that its counter runs */
    unsigned char unused[5];
};

struct refusal_file {
    unsigned char salt[SALT_SIZE];
    struct refusal_record records[RECORDS_KEPT];
};

AUTO_KIND(fd, int, *p < 0 ? 0 : close(*p))

/* A service's own folder, a user's, or else a name in the folder that all share. */
static bool file_path(char path[], size_t size)
{
    static const char *const variables[] = { "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR" };

    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *folder = getenv(variables[i]);

        if (folder && *folder == '/' && !strchr(folder, ':'))
            return snprintf(path, size, "%s/signengine-pins", folder) < (int)size;
    }
    return snprintf(path, size, "/tmp/signengine-pins-%u", geteuid()) < (int)size;
}

/* Others may have put something of that name into a shared folder: it must be a file of this
 * user's, which nobody else can open. */
static int file_open(int flags)
{
    char path[512];
    struct stat info;
    int fd = file_path(path, sizeof path)
                 ? open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600)
                 : -1;

    if (fd >= 0 && !fstat(fd, &info) && S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
        !(info.st_mode & 077) && info.st_nlink == 1)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool file_load(struct refusal_file *out, int fd)
{
    ssize_t size = pread(fd, out, sizeof *out, 0);

    if (size == sizeof *out)
        return true;
    memset(out, 0, sizeof *out);
    return size >= 0 && getrandom(out->salt, sizeof out->salt, 0) == sizeof out->salt;
}

static bool identify_token(struct refusal_record *out, const struct refusal_file *file,
                           const struct module *module, const struct slot *slot)
{
    unsigned char hash[HASH_SIZE];

    *out = (struct refusal_record){ .time = clock_seconds() };
    if (!hash_refusal(hash, file->salt, module, slot, (se_bytes){ NULL, 0 }))
        return false;
    memcpy(out->token, hash, sizeof out->token);
    return true;
}

/* Slow, because PINs are short: it is done after a refusal, or with a token that refused one a
 * short while ago. */
static bool hash_pin(struct refusal_record *record, const struct refusal_file *file, se_bytes pin)
{
    EVP_KDF *kdf = EVP_KDF_fetch(crypto_context(), "PBKDF2", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    unsigned char salt[sizeof file->salt + sizeof record->token];
    unsigned rounds = PIN_ROUNDS;
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]){ "SHA2-256" }, 8),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)pin.data, pin.size),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SALT, salt, sizeof salt),
        OSSL_PARAM_uint(OSSL_KDF_PARAM_ITER, &rounds),
        OSSL_PARAM_END,
    };
    unsigned char derived[32]; /* OpenSSL gives no less; only the beginning is kept */
    bool done;

    memcpy(salt, file->salt, sizeof file->salt);
    memcpy(salt + sizeof file->salt, record->token, sizeof record->token);
    done = context && EVP_KDF_derive(context, derived, sizeof derived, params) > 0;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    if (done)
        memcpy(record->pin, derived, sizeof record->pin);
    OPENSSL_cleanse(derived, sizeof derived);
    return done;
}

static bool is_recent(const struct refusal_record *record, const struct refusal_record *now)
{
    return record->time && record->time <= now->time && now->time - record->time < HOUR_S;
}

static bool is_of_token(const struct refusal_record *record, const struct refusal_record *now)
{
    return is_recent(record, now) && !CRYPTO_memcmp(record->token, now->token, sizeof now->token);
}

bool pin_blocklist_file_has(unsigned *minutes, const struct module *module, const struct slot *slot,
                            CK_FLAGS flags, se_bytes pin)
{
    AUTO(fd) fd = file_open(O_RDONLY);
    struct refusal_file file;
    struct refusal_record now;
    bool hashed = false;

    *minutes = 0;
    if (fd < 0 || flock(fd, LOCK_SH) || !file_load(&file, fd) ||
        !identify_token(&now, &file, module, slot))
        return false;
    (void)flock(fd, LOCK_UN);
    for (size_t i = 0; i < RECORDS_KEPT; i++) {
        const struct refusal_record *record = &file.records[i];

        if (!is_of_token(record, &now) || (record->counted && !(flags & COUNTER_RUNS)))
            continue;
        if (!hashed && !hash_pin(&now, &file, pin))
            return false;
        hashed = true;
        if (!CRYPTO_memcmp(record->pin, now.pin, sizeof now.pin)) {
            *minutes = (unsigned)((now.time - record->time) / 60);
            return true;
        }
    }
    return false;
}

/* A free place, or the oldest. */
static struct refusal_record *choose_place(struct refusal_file *file,
                                           const struct refusal_record *now)
{
    struct refusal_record *chosen = &file->records[0];

    for (size_t i = 0; i < RECORDS_KEPT; i++) {
        struct refusal_record *record = &file->records[i];

        if (!is_recent(record, now))
            return record;
        if (record->time < chosen->time)
            chosen = record;
    }
    return chosen;
}

void pin_blocklist_file_add(struct module *module, const struct slot *slot, se_bytes pin)
{
    AUTO(fd) fd = pin.size ? file_open(O_RDWR | O_CREAT) : -1;
    struct refusal_file file;
    struct refusal_record now;
    struct slot after;

    if (fd < 0 || flock(fd, LOCK_EX) || !file_load(&file, fd) ||
        !identify_token(&now, &file, module, slot) || !hash_pin(&now, &file, pin))
        return;
    slot_load(&after, module, slot->id);
    now.counted = after.flags & COUNTER_RUNS ? 1 : 0;
    *choose_place(&file, &now) = now;
    if (pwrite(fd, &file, sizeof file, 0) != sizeof file)
        (void)!ftruncate(fd, 0);
}

void pin_blocklist_forget(void)
{
    char path[512];

    if (file_path(path, sizeof path))
        (void)unlink(path);
}
