#include "keystore/pkcs11/pin_memory.h"

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
#include <time.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "keystore/keystore.h"
#include "keystore/pkcs11/refusal.h"

enum { KEPT = 32, HOUR_S = 3600, TOKEN_SIZE = 16, PIN_SIZE = 2, PIN_ROUNDS = 50000 };
enum { COUNTING = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED };

struct record {
    int64_t time; /* seconds since 1970; 0: none */
    unsigned char token[TOKEN_SIZE], pin[PIN_SIZE];
    unsigned char counted; /* the token showed that its counter runs */
    unsigned char unused[5];
};

struct memory {
    unsigned char salt[REFUSAL_SALT];
    struct record records[KEPT];
};

AUTO_KIND(fd, int, *p < 0 ? 0 : close(*p))

/* A service's own folder, a user's, or else a name in the folder that all share. */
static bool find_path(char path[], size_t size)
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
static int open_file(int flags)
{
    char path[512];
    struct stat info;
    int fd = find_path(path, sizeof path)
                 ? open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600)
                 : -1;

    if (fd >= 0 && !fstat(fd, &info) && S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
        !(info.st_mode & 077) && info.st_nlink == 1)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool load(struct memory *out, int fd)
{
    ssize_t size = pread(fd, out, sizeof *out, 0);

    if (size == sizeof *out)
        return true;
    memset(out, 0, sizeof *out);
    return size >= 0 && getrandom(out->salt, sizeof out->salt, 0) == sizeof out->salt;
}

static bool identify(struct record *out, const struct memory *memory, const struct module *module,
                     const struct slot *slot)
{
    unsigned char hash[REFUSAL_SIZE];

    *out = (struct record){ .time = time(NULL) };
    if (!refusal_hash(hash, memory->salt, module, slot, (se_bytes){ NULL, 0 }))
        return false;
    memcpy(out->token, hash, sizeof out->token);
    return true;
}

/* Slow, because PINs are short: it is done after a refusal, or with a token that refused one a
 * short while ago. */
static bool add_pin(struct record *record, const struct memory *memory, se_bytes pin)
{
    EVP_KDF *kdf = EVP_KDF_fetch(crypto_context(), "PBKDF2", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    unsigned char salt[sizeof memory->salt + sizeof record->token];
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

    memcpy(salt, memory->salt, sizeof memory->salt);
    memcpy(salt + sizeof memory->salt, record->token, sizeof record->token);
    done = context && EVP_KDF_derive(context, derived, sizeof derived, params) > 0;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    if (done)
        memcpy(record->pin, derived, sizeof record->pin);
    OPENSSL_cleanse(derived, sizeof derived);
    return done;
}

static bool is_recent(const struct record *record, const struct record *now)
{
    return record->time && record->time <= now->time && now->time - record->time < HOUR_S;
}

static bool is_of_token(const struct record *record, const struct record *now)
{
    return is_recent(record, now) && !CRYPTO_memcmp(record->token, now->token, sizeof now->token);
}

bool pin_memory_knows(unsigned *minutes, const struct module *module, const struct slot *slot,
                      CK_FLAGS flags, se_bytes pin)
{
    AUTO(fd) fd = open_file(O_RDONLY);
    struct memory memory;
    struct record now;
    bool hashed = false;

    *minutes = 0;
    if (fd < 0 || flock(fd, LOCK_SH) || !load(&memory, fd) ||
        !identify(&now, &memory, module, slot))
        return false;
    (void)flock(fd, LOCK_UN);
    for (size_t i = 0; i < KEPT; i++) {
        const struct record *record = &memory.records[i];

        if (!is_of_token(record, &now) || (record->counted && !(flags & COUNTING)))
            continue;
        if (!hashed && !add_pin(&now, &memory, pin))
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
static struct record *choose_place(struct memory *memory, const struct record *now)
{
    struct record *chosen = &memory->records[0];

    for (size_t i = 0; i < KEPT; i++) {
        struct record *record = &memory->records[i];

        if (!is_recent(record, now))
            return record;
        if (record->time < chosen->time)
            chosen = record;
    }
    return chosen;
}

void pin_memory_add(struct module *module, const struct slot *slot, se_bytes pin)
{
    AUTO(fd) fd = pin.size ? open_file(O_RDWR | O_CREAT) : -1;
    struct memory memory;
    struct record now;
    struct slot after;

    if (fd < 0 || flock(fd, LOCK_EX) || !load(&memory, fd) ||
        !identify(&now, &memory, module, slot) || !add_pin(&now, &memory, pin))
        return;
    slot_load(&after, module, slot->id);
    now.counted = after.flags & COUNTING ? 1 : 0;
    *choose_place(&memory, &now) = now;
    if (pwrite(fd, &memory, sizeof memory, 0) != sizeof memory)
        (void)!ftruncate(fd, 0);
}

void store_forget_refused_pins(void)
{
    char path[512];

    if (find_path(path, sizeof path))
        (void)unlink(path);
}
