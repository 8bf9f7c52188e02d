/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A zip archive, read by its raw records and more strictly than any reader: whatever two readers
 * could understand differently is refused. Stored bytes are all accounted for: local headers, data
 * and data descriptors lie side by side from the first byte to the central directory, which is
 * followed by the end records and nothing else.
 */
#ifndef ZIP_ARCHIVE_H
#define ZIP_ARCHIVE_H

#include "base/buf.h"
#include "zip/records.h"

/* One file of the archive.  Central directory and local header agree on all of it. */
struct entry {
    uint64_t offset, data,
        next; /* of its local header, its compressed bytes, and what comes after it */
    uint64_t compressed, size; /* bytes, packed and not */
    uint64_t central;          /* offset of its central record */
    uint32_t crc, name;        /* name: where in archive.names, NUL-terminated */
    uint16_t name_size, method;
    uint16_t flags;      /* as a new archive has them */
    bool zip64;          /* its local header has such a field */
    bool folder, untidy; /* untidy: its local header is not what it has to be in a new archive */
    bool sized; /* there it gets sums and sizes from the central directory, and no data descriptor
                   follows */
};

struct archive_limits {
    uint64_t entries;
    uint64_t total; /* bytes uncompressed */
    uint64_t ratio; /* of sizes, for entries above RATIO_MATTERS bytes */
    bool tidies;    /* what a new archive puts right (tidy.h) is no reason to refuse the old one */
};
enum { RATIO_MATTERS = 16 << 20 };

/* The end of central directory record (APPNOTE 4.3.16), or what the zip64 one (4.3.14) says
 * instead. */
struct eocd {
    uint64_t at, first; /* offset of the record; of the zip64 one in front of it, if there is one */
    uint64_t size, offset;  /* of the central directory */
    uint64_t entries, here; /* in all; on this disk */
    uint32_t disk, directory_disk;
    uint16_t comment; /* its bytes */
};

struct archive {
    int fd;
    uint64_t size;
    struct archive_limits limits;
    struct entry *entries; /* in the order in which they are stored */
    size_t count;
    struct writer names;
    uint32_t *table; /* finds entries by name */
    size_t table_size;
    uint64_t hash_seed; /* of names */
    struct eocd eocd;
};

/* What the caller's params say of time and limits; 0: the default. */
SE_MUST_CHECK se_status zip_time_read(int64_t *time, se_error *err);
struct archive_limits archive_limits_of(uint64_t entries, uint64_t total, uint64_t ratio);

/*
 * SE_ERR_FORMAT: not a zip, or one that could be read in more than one way.  SE_ERR_REJECTED: a
 * name, a kind of file or a size that has no place in an archive of ours.
 */
SE_MUST_CHECK se_status archive_open(struct archive *out, const char *path,
                                     const struct archive_limits *limits, se_error *err);
void archive_close(struct archive *archive);
AUTO_KIND(archive, struct archive, archive_close(p))

/* Exactly `size` bytes at `offset`. */
SE_MUST_CHECK se_status archive_read(const struct archive *archive, void *out, uint64_t offset,
                                     size_t size, se_error *err);

/* Whether its sizes have no room in a header's own fields. */
static inline bool entry_is_big(const struct entry *entry)
{
    return entry->size >= FULL32 || entry->compressed >= FULL32;
}

static inline const char *entry_name(const struct archive *archive, const struct entry *entry)
{
    return writer_string(&archive->names) + entry->name;
}

/* ---- the steps of archive_open() ---- */

/* eocd.c: finds the end record, which sets `eocd`; nothing is behind it; what hides in its comment,
 * and the zip64 one. */
SE_MUST_CHECK se_status eocd_find(struct archive *archive, se_error *err);
SE_MUST_CHECK se_status eocd_check_tail(struct archive *archive, se_error *err);
SE_MUST_CHECK se_status eocd_read(struct archive *archive, se_error *err);

/* It is of one file, says where the central directory is, and how many entries that has, which are
 * not too many. */
SE_MUST_CHECK se_status eocd_check_disks(struct archive *archive, se_error *err);
SE_MUST_CHECK se_status eocd_check_place(struct archive *archive, se_error *err);
SE_MUST_CHECK se_status eocd_check_count(struct archive *archive, se_error *err);

/* central_dir.c: reads the central directory, which sets `entries`, `count` and `names`; limits of
 * sizes, before anything is inflated. */
SE_MUST_CHECK se_status central_dir_read(struct archive *archive, se_error *err);
SE_MUST_CHECK se_status central_dir_check_sizes(struct archive *archive, se_error *err);

/* local_header.c: compares every local header with it, and accounts for every byte. */
SE_MUST_CHECK se_status local_headers_check(struct archive *archive, se_error *err);

/* archive.c: makes the table; draws the seed. */
SE_MUST_CHECK se_status archive_index_names(struct archive *archive, se_error *err);

/* name_collision.c: what names must not be, each by itself and beside each other. */
SE_MUST_CHECK se_status entry_names_check(struct archive *archive, se_error *err);

/* ---- entries by their names ---- */

/*
 * Whoever makes an archive chooses its names, so a hash begins with archive.hash_seed, which is
 * drawn when the archive is opened: names that meet in one place are then hard to choose.  This is
 * no keyed hash, and no proof that none can be.
 */
static inline uint64_t name_hash_step(uint64_t hash, unsigned char c)
{
    hash = (hash ^ c) * 1099511628211u;
    return hash ^ hash >> 29;
}

/* The entry of exactly that name; NULL: there is none. */
const struct entry *archive_find(const struct archive *archive, const char *name);
const struct entry *archive_find_prefix(const struct archive *archive, const char *name,
                                        size_t size);

/* By entry: a folder below which there is nothing.  Others are made by whatever lies below them.
 * NULL: out of memory. */
bool *archive_find_leaves(const struct archive *archive);

#endif
