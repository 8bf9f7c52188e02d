/* SPDX-License-Identifier: Apache-2.0 */
#include "zip/archive.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

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
