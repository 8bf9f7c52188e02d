/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/data_key_cache.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "crypto/crypto.h"

enum { WAYS_MAX = 4, SECOND = 1000000 /* microseconds */ };

struct cache_entry {
    int64_t until, used; /* until 0: empty */
    size_t size;
    unsigned char id[DATA_KEY_ID], secret[DATA_KEY_MAX];
};

/* In the child of a fork all of it is zero: unlocked, without pages that are locked, and empty. */
struct pages {
    int busy;
    bool locked;
    int64_t clock, next_sweep;
    struct cache_entry entries[];
};

struct data_key_cache {
    struct pages *pages;
    size_t size;       /* of the pages */
    size_t sets, ways; /* a data key has a set, by its id, and any place in that */
    int64_t age;
};

static void cache_unlock(struct data_key_cache *cache)
{
    __atomic_store_n(&cache->pages->busy, 0, __ATOMIC_RELEASE);
}

/* For moments, and not by a mutex, which a fork could leave held.  False: the pages can't be used.
 */
static bool cache_lock(struct data_key_cache *cache)
{
    struct pages *p = cache->pages;

    while (__atomic_exchange_n(&p->busy, 1, __ATOMIC_ACQUIRE))
        sched_yield();
    if (!p->locked)
        p->locked = !mlock(p, cache->size);
    if (!p->locked)
        cache_unlock(cache);
    return p->locked;
}

static void cache_wipe_entry(struct cache_entry *entry)
{
    OPENSSL_cleanse(entry, sizeof *entry);
}

/* What is too old is wiped within a second, as long as there is work. */
static void cache_sweep(struct data_key_cache *cache, int64_t now)
{
    struct pages *p = cache->pages;

    if (now < p->next_sweep)
        return;
    p->next_sweep = now + SECOND;
    for (size_t i = 0; i < cache->sets * cache->ways; i++)
        if (p->entries[i].until && p->entries[i].until <= now)
            cache_wipe_entry(&p->entries[i]);
}

static struct cache_entry *cache_set(const struct data_key_cache *cache,
                                     const unsigned char id[DATA_KEY_ID])
{
    uint64_t number;

    memcpy(&number, id, sizeof number);
    return &cache->pages->entries[number % cache->sets * cache->ways];
}

/* Where `id` is, or else the place that it can have: an empty one, or the one that was not used for
 * the longest time. */
static struct cache_entry *cache_find(const struct data_key_cache *cache,
                                      const unsigned char id[DATA_KEY_ID])
{
    struct cache_entry *set = cache_set(cache, id), *oldest = set;

    for (size_t i = 0; i < cache->ways; i++) {
        if (set[i].until && CRYPTO_memcmp(set[i].id, id, DATA_KEY_ID) == 0)
            return &set[i];
        if (set[i].used < oldest->used)
            oldest = &set[i];
    }
    return oldest;
}

bool data_key_cache_get(se_buf *secret, struct data_key_cache *cache,
                        const unsigned char id[DATA_KEY_ID])
{
    int64_t now = clock_monotonic_us();
    struct cache_entry *entry;
    bool found;

    *secret = (se_buf)SE_BUF_INIT;
    if (!cache || !cache_lock(cache))
        return false;
    cache_sweep(cache, now);
    entry = cache_find(cache, id);
    found = entry->until > now && CRYPTO_memcmp(entry->id, id, DATA_KEY_ID) == 0 &&
            !buf_copy(secret, (se_bytes){ entry->secret, entry->size }, NULL);
    if (found)
        entry->used = ++cache->pages->clock;
    cache_unlock(cache);
    return found;
}

void data_key_cache_put(struct data_key_cache *cache, const unsigned char id[DATA_KEY_ID],
                        se_bytes secret)
{
    struct cache_entry *entry;

    if (!cache || secret.size > DATA_KEY_MAX || !cache_lock(cache))
        return;
    entry = cache_find(cache, id);
    cache_wipe_entry(entry);
    entry->until = clock_monotonic_us() + cache->age;
    entry->used = ++cache->pages->clock;
    entry->size = secret.size;
    memcpy(entry->id, id, DATA_KEY_ID);
    memcpy(entry->secret, secret.data, secret.size);
    cache_unlock(cache);
}

void data_key_cache_free(struct data_key_cache *cache)
{
    if (!cache)
        return;
    OPENSSL_cleanse(cache->pages, cache->size);
    (void)munmap(cache->pages, cache->size);
    free(cache);
}

static struct pages *cache_map_pages(size_t size)
{
    struct pages *pages =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED)
        return NULL;
    if (!madvise(pages, size, MADV_DONTDUMP) && !madvise(pages, size, MADV_WIPEONFORK))
        return pages;
    (void)munmap(pages, size);
    return NULL;
}

static struct data_key_cache *cache_new(size_t count, unsigned long age)
{
    struct data_key_cache *cache = calloc(1, sizeof *cache);

    if (!cache)
        return NULL;
    cache->ways = count < WAYS_MAX ? count : WAYS_MAX;
    cache->sets = count / cache->ways;
    cache->age = (int64_t)age * SECOND;
    cache->size = sizeof(struct pages) + cache->sets * cache->ways * sizeof(struct cache_entry);
    if ((cache->pages = cache_map_pages(cache->size)))
        return cache;
    free(cache);
    return NULL;
}

struct data_key_cache *data_key_cache_of(struct engine *engine, const struct descriptor *descriptor)
{
    struct data_key_cache **kept =
                              &engine->data_key_caches[descriptor - engine->config->descriptors],
                          *made, *none = NULL;
    const struct data_key_limits *l = &descriptor->limits;
    unsigned long size = l->has_cache_size ? l->cache_size : DATA_KEY_CACHE_SIZE;
    unsigned long age = l->has_cache_age ? l->cache_age : DATA_KEY_CACHE_AGE;

    if (!size || !age || descriptor->algorithm.kind != ALGORITHM_CIPHER)
        return NULL;
    if ((made = __atomic_load_n(kept, __ATOMIC_ACQUIRE)) || !(made = cache_new(size, age)))
        return made;
    if (__atomic_compare_exchange_n(kept, &none, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return made;
    data_key_cache_free(made);
    return none;
}
