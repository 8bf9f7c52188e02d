/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/refusals.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/fork_lock.h"
#include "crypto/crypto.h"

/* of this process: the hashes are worth nothing elsewhere */
static unsigned char process_salt[REFUSAL_HASH];
static bool salted;

AUTO_KIND(hashing, EVP_MD_CTX *, EVP_MD_CTX_free(*p))

/* From the system: a process that signs once needs OpenSSL's generators for nothing else, and they
 * would take a twentieth of its time. */
static void make_salt(void)
{
    salted = getrandom(process_salt, sizeof process_salt, 0) == sizeof process_salt;
}

/* Each part with its length, so that no two lists run into the same bytes. */
static bool hash_parts(unsigned char out[REFUSAL_HASH], const se_bytes *parts, size_t count)
{
    const EVP_MD *sha = crypto_md(DIGEST_SHA256);
    AUTO(hashing) md = EVP_MD_CTX_new();
    bool ok = sha && md && EVP_DigestInit_ex(md, sha, NULL) &&
              EVP_DigestUpdate(md, process_salt, sizeof process_salt);

    for (size_t i = 0; ok && i < count; i++)
        ok = EVP_DigestUpdate(md, &parts[i].size, sizeof parts[i].size) &&
             EVP_DigestUpdate(md, parts[i].data, parts[i].size);
    return ok && EVP_DigestFinal_ex(md, out, NULL);
}

bool refusal_make(struct refusal *out, const se_bytes *parts, size_t count)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_salt);
    return salted && hash_parts(out->hash, parts, count);
}

/* ---- with the lock held ---- */

/* REFUSALS_KEPT: it is not there. */
static size_t find_refusal(const struct refusals *list, const struct refusal *refusal)
{
    for (size_t i = 0; i < list->count && i < REFUSALS_KEPT; i++)
        if (!CRYPTO_memcmp(&list->kept[i], refusal, sizeof *refusal))
            return i;
    return REFUSALS_KEPT;
}

static void put_refusal(struct refusals *list, const struct refusal *refusal)
{
    size_t place = find_refusal(list, refusal);

    if (place == REFUSALS_KEPT)
        place = list->count++ % REFUSALS_KEPT;
    list->kept[place] = *refusal;
    list->times[place] = clock_boot_ms();
}

/* ---- */

bool refusals_have(const struct refusals *list, const struct refusal *refusal, int64_t last_ms)
{
    size_t place;
    bool have;

    fork_lock_take();
    place = find_refusal(list, refusal);
    have = place < REFUSALS_KEPT && (!last_ms || clock_boot_ms() - list->times[place] < last_ms);
    fork_lock_give();
    return have;
}

void refusals_add(struct refusals *list, const struct refusal *refusal)
{
    fork_lock_take();
    put_refusal(list, refusal);
    fork_lock_give();
}

void refusals_forget(struct refusals *list)
{
    fork_lock_take();
    *list = (struct refusals){ .count = 0 };
    fork_lock_give();
}
