/*
 * What names are looked up with.  Whoever makes an archive chooses its names, so a hash begins with archive.hash_seed, which is drawn when
 * the archive is opened: names that meet in one place are then hard to choose.  This is no keyed hash, and no proof that none can be.
 */
#ifndef ZIP_NAME_HASH_H
#define ZIP_NAME_HASH_H

#include <stdint.h>

static inline uint64_t name_hash_step(uint64_t hash, unsigned char c)
{
    hash = (hash ^ c) * 1099511628211u;
    return hash ^ hash >> 29;
}

#endif
