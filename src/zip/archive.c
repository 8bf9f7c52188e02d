/* SPDX-License-Identifier: Apache-2.0 */
#include "zip/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* ---- what the caller's params say ---- */

enum { ENTRIES_MOST = 100000, RATIO_MOST = 200 };
#define TOTAL_MOST ((uint64_t)64 << 30)

se_status zip_time_read(int64_t *time, se_error *err)
{
    if (*time < 0)
        return error_set(err, SE_ERR_USAGE, "a time before 1970");
    if (!*time)
        *time = clock_seconds();
    return SE_OK;
}

struct archive_limits archive_limits_of(uint64_t entries, uint64_t total, uint64_t ratio)
{
    struct archive_limits limits = {
        .entries = entries ? entries : ENTRIES_MOST,
        .total = total ? total : TOTAL_MOST,
        .ratio = ratio ? ratio : RATIO_MOST,
    };

    if (limits.entries > UINT32_MAX - 1)
        limits.entries = UINT32_MAX - 1;
    return limits;
}

/* ---- the file ---- */

se_status archive_read(const struct archive *archive, void *out, uint64_t offset, size_t size,
                       se_error *err)
{
    unsigned char *p = out;

    while (size) {
        ssize_t n = pread(archive->fd, p, size, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, SE_ERR_IO, "cannot read the archive: %s", strerror(errno));
        if (!n)
            return error_set(err, SE_ERR_FORMAT,
                             "the archive ends at byte %ju, where more is expected",
                             (uintmax_t)offset);
        p += n;
        offset += (size_t)n;
        size -= (size_t)n;
    }
    return SE_OK;
}

static se_status open_archive_file(struct archive *archive, const char *path, se_error *err)
{
    struct stat info;

    archive->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (archive->fd < 0 || fstat(archive->fd, &info))
        return error_set(err, errno == EACCES || errno == EPERM ? SE_ERR_ACCESS : SE_ERR_IO,
                         "cannot read: %s", strerror(errno));
    if (!S_ISREG(info.st_mode))
        return error_set(err, SE_ERR_IO, "not a regular file: an archive is read from its end");
    archive->size = (uint64_t)info.st_size;
    return SE_OK;
}

#define PACK_ANEW "; unpack it and pack it anew, as with 'zip -r'"

/* What helps who wants to sign an archive that a step refuses. */
static const struct {
    se_status (*take)(struct archive *, se_error *);
    const char *remedy; /* "": nothing, or the text says it */
} steps[] = {
    { eocd_find, "" },
    { eocd_check_tail, "; cut them off, as with 'head -c'" },
    { eocd_read, PACK_ANEW },
    { eocd_check_disks, "; 'zip -s 0' makes one file of its parts" },
    { eocd_check_place, PACK_ANEW },
    { eocd_check_count, "" },
    { central_dir_read, PACK_ANEW },
    { central_dir_check_sizes, "" },
    { local_headers_check, PACK_ANEW },
    { archive_index_names, "" },
    { entry_names_check, "; unpack it, give that another name and pack it anew" },
};

se_status archive_open(struct archive *out, const char *path, const struct archive_limits *limits,
                       se_error *err)
{
    se_status st;

    *out = (struct archive){ .fd = -1, .limits = *limits };
    st = open_archive_file(out, path, err);
    for (size_t i = 0; !st && i < sizeof steps / sizeof *steps; i++) {
        st = steps[i].take(out, err);
        if (limits->tidies && (st == SE_ERR_FORMAT || st == SE_ERR_REJECTED))
            (void)error_suffix(err, st, "%s", steps[i].remedy);
    }
    if (st)
        archive_close(out);
    return st;
}

void archive_close(struct archive *archive)
{
    if (archive->fd >= 0)
        close(archive->fd);
    free(archive->entries);
    free(archive->table);
    writer_free(&archive->names);
    *archive = (struct archive){ .fd = -1 };
}

/* ---- found by name ---- */

static size_t name_bucket(const struct archive *archive, const char *name, size_t size)
{
    uint64_t hash = archive->hash_seed;
    size_t at;

    for (size_t i = 0; i < size; i++)
        hash = name_hash_step(hash, (unsigned char)name[i]);
    for (at = hash & (archive->table_size - 1); archive->table[at];
         at = (at + 1) & (archive->table_size - 1)) {
        const struct entry *e = &archive->entries[archive->table[at] - 1];

        if (e->name_size == size && strncmp(name, entry_name(archive, e), size) == 0)
            break;
    }
    return at;
}

se_status archive_index_names(struct archive *archive, se_error *err)
{
    if (getrandom(&archive->hash_seed, sizeof archive->hash_seed, 0) != sizeof archive->hash_seed)
        return error_set(err, SE_ERR_CRYPTO, "no random bytes");
    for (archive->table_size = 16; archive->table_size < 2 * archive->count;)
        archive->table_size *= 2;
    if (!(archive->table = calloc(archive->table_size, sizeof *archive->table)))
        return error_memory(err);
    for (size_t i = 0; i < archive->count; i++) {
        const struct entry *e = &archive->entries[i];

        archive->table[name_bucket(archive, entry_name(archive, e), e->name_size)] =
            (uint32_t)i + 1;
    }
    return SE_OK;
}

const struct entry *archive_find_prefix(const struct archive *archive, const char *name,
                                        size_t size)
{
    uint32_t found = archive->table[name_bucket(archive, name, size)];

    return found ? &archive->entries[found - 1] : NULL;
}

const struct entry *archive_find(const struct archive *archive, const char *name)
{
    return archive_find_prefix(archive, name, strlen(name));
}

static void unmark_parents(bool *leaves, const struct archive *archive, const struct entry *e)
{
    const char *name = entry_name(archive, e);

    for (size_t size = e->name_size - (size_t)e->folder; size; size--) {
        const struct entry *parent =
            name[size - 1] == '/' ? archive_find_prefix(archive, name, size) : NULL;

        if (!parent)
            continue;
        if (!leaves[parent - archive->entries])
            return; /* its own parents have been seen */
        leaves[parent - archive->entries] = false;
    }
}

bool *archive_find_leaves(const struct archive *archive)
{
    bool *leaves = calloc(archive->count + 1, sizeof *leaves), any = false;

    if (!leaves)
        return NULL;
    for (size_t i = 0; i < archive->count; i++)
        any |= leaves[i] = archive->entries[i].folder;
    for (size_t i = 0; any && i < archive->count; i++)
        unmark_parents(leaves, archive, &archive->entries[i]);
    return leaves;
}
