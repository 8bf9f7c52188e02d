#include "engine/memory.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "crypto/crypto.h"

enum { WAYS_MAX = 4, SECOND = 1000000000 };

struct place {
    int64_t until, used; /* until 0: empty */
    size_t size;
    unsigned char id[DATA_KEY_ID], secret[DATA_KEY_MAX];
};

/* In the child of a fork all of it is zero: unlocked, without pages that are locked, and empty. */
struct pages {
    int busy;
    bool locked;
    int64_t clock, next_sweep;
    struct place places[];
};

struct data_keys {
    struct pages *pages;
    size_t size;       /* of the pages */
    size_t sets, ways; /* a data key has a set, by its id, and any place in that */
    int64_t age;
};

static int64_t monotonic(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

static void release(struct data_keys *keys)
{
    __atomic_store_n(&keys->pages->busy, 0, __ATOMIC_RELEASE);
}

/* For moments, and not by a mutex, which a fork could leave held.  False: the pages can't be used.
 */
static bool take(struct data_keys *keys)
{
    struct pages *p = keys->pages;

    while (__atomic_exchange_n(&p->busy, 1, __ATOMIC_ACQUIRE))
        sched_yield();
    if (!p->locked)
        p->locked = !mlock(p, keys->size);
    if (!p->locked)
        release(keys);
    return p->locked;
}

static void empty(struct place *place)
{
    OPENSSL_cleanse(place, sizeof *place);
}

/* What is too old is wiped within a second, as long as there is work. */
static void sweep(struct data_keys *keys, int64_t now)
{
    struct pages *p = keys->pages;

    if (now < p->next_sweep)
        return;
    p->next_sweep = now + SECOND;
    for (size_t i = 0; i < keys->sets * keys->ways; i++)
        if (p->places[i].until && p->places[i].until <= now)
            empty(&p->places[i]);
}

static struct place *set_of(const struct data_keys *keys, const unsigned char id[DATA_KEY_ID])
{
    uint64_t number;

    memcpy(&number, id, sizeof number);
    return &keys->pages->places[number % keys->sets * keys->ways];
}

/* Where `id` is, or else the place that it can have: an empty one, or the one that was not used for
 * the longest time. */
static struct place *find(const struct data_keys *keys, const unsigned char id[DATA_KEY_ID])
{
    struct place *set = set_of(keys, id), *oldest = set;

    for (size_t i = 0; i < keys->ways; i++) {
        if (set[i].until && CRYPTO_memcmp(set[i].id, id, DATA_KEY_ID) == 0)
            return &set[i];
        if (set[i].used < oldest->used)
            oldest = &set[i];
    }
    return oldest;
}

bool memory_recall(se_buf *secret, struct data_keys *keys, const unsigned char id[DATA_KEY_ID])
{
    int64_t now = monotonic();
    struct place *place;
    bool found;

    *secret = (se_buf)SE_BUF_INIT;
    if (!keys || !take(keys))
        return false;
    sweep(keys, now);
    place = find(keys, id);
    found = place->until > now && CRYPTO_memcmp(place->id, id, DATA_KEY_ID) == 0 &&
            !buf_copy(secret, (se_bytes){ place->secret, place->size }, NULL);
    if (found)
        place->used = ++keys->pages->clock;
    release(keys);
    return found;
}

void memory_keep(struct data_keys *keys, const unsigned char id[DATA_KEY_ID], se_bytes secret)
{
    struct place *place;

    if (!keys || secret.size > DATA_KEY_MAX || !take(keys))
        return;
    place = find(keys, id);
    empty(place);
    place->until = monotonic() + keys->age;
    place->used = ++keys->pages->clock;
    place->size = secret.size;
    memcpy(place->id, id, DATA_KEY_ID);
    memcpy(place->secret, secret.data, secret.size);
    release(keys);
}

void memory_free(struct data_keys *keys)
{
    if (!keys)
        return;
    OPENSSL_cleanse(keys->pages, keys->size);
    (void)munmap(keys->pages, keys->size);
    free(keys);
}

static struct pages *map(size_t size)
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

static struct data_keys *make(size_t count, unsigned long age)
{
    struct data_keys *keys = calloc(1, sizeof *keys);

    if (!keys)
        return NULL;
    keys->ways = count < WAYS_MAX ? count : WAYS_MAX;
    keys->sets = count / keys->ways;
    keys->age = (int64_t)age * SECOND;
    keys->size = sizeof(struct pages) + keys->sets * keys->ways * sizeof(struct place);
    if ((keys->pages = map(keys->size)))
        return keys;
    free(keys);
    return NULL;
}

struct data_keys *memory_of(se_engine *engine, const struct descriptor *descriptor)
{
    struct data_keys **kept = &engine->memories[descriptor - engine->config->descriptors], *made,
                     *none = NULL;
    const struct data_key_limits *l = &descriptor->limits;
    unsigned long size = l->has_cache_size ? l->cache_size : DATA_KEY_CACHE_SIZE;
    unsigned long age = l->has_cache_age ? l->cache_age : DATA_KEY_CACHE_AGE;

    if (!size || !age || descriptor->algorithm.kind != ALGORITHM_CIPHER)
        return NULL;
    if ((made = __atomic_load_n(kept, __ATOMIC_ACQUIRE)) || !(made = make(size, age)))
        return made;
    if (__atomic_compare_exchange_n(kept, &none, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return made;
    memory_free(made);
    return none;
}
