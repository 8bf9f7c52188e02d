#include "keystore/pkcs11/refusal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include "base/fork_lock.h"
#include "crypto/crypto.h"

enum { KEPT = 64 }; /* the oldest gives way */

static struct refusal kept[KEPT];
static size_t count;

/* of this process: the hashes are worth nothing elsewhere */
static unsigned char salt[REFUSAL_SALT];
static bool salted;

/* From the system: OpenSSL's generators take a twentieth of a process that signs once, which has no
 * other need of them. */
static void set_up(void)
{
    salted = getrandom(salt, sizeof salt, 0) == sizeof salt;
}

/* Each part with its NUL, so that no two tokens run into the same bytes. */
bool refusal_hash(unsigned char out[REFUSAL_SIZE], const unsigned char salted_by[REFUSAL_SALT],
                  const struct module *module, const struct slot *slot, se_bytes pin)
{
    const EVP_MD *sha = crypto_md(DIGEST_SHA256);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = sha && md && EVP_DigestInit_ex(md, sha, NULL) &&
              EVP_DigestUpdate(md, salted_by, REFUSAL_SALT) &&
              EVP_DigestUpdate(md, module->path, strlen(module->path) + 1) &&
              EVP_DigestUpdate(md, slot->label, strlen(slot->label) + 1) &&
              EVP_DigestUpdate(md, slot->serial, strlen(slot->serial) + 1) &&
              EVP_DigestUpdate(md, pin.data, pin.size) && EVP_DigestFinal_ex(md, out, NULL);

    EVP_MD_CTX_free(md);
    return ok;
}

bool refusal_make(struct refusal *out, const struct module *module, const struct slot *slot,
                  se_bytes pin)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, set_up);
    return salted && refusal_hash(out->hash, salt, module, slot, pin);
}

static bool known(const struct refusal *refusal)
{
    for (size_t i = 0; i < count && i < KEPT; i++)
        if (!CRYPTO_memcmp(&kept[i], refusal, sizeof *refusal))
            return true;
    return false;
}

bool refusal_known(const struct refusal *refusal)
{
    bool is;

    fork_lock_take();
    is = known(refusal);
    fork_lock_give();
    return is;
}

void refusal_remember(const struct refusal *refusal)
{
    fork_lock_take();
    if (!known(refusal))
        kept[count++ % KEPT] = *refusal;
    fork_lock_give();
}
