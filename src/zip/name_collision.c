/* Names that can't stand beside each other: in some file system they are one, or one is a file and the folder of the other. */
#include <stdlib.h>

#include "zip/archive.h"
#include "zip/casefold.h"
#include "zip/name_hash.h"

struct folding {
    const struct archive *archive;
    struct writer folded;
    size_t *places; /* by entry: 1 + where its name is in `folded`; 0: it is plain.  NULL: all are */
    uint32_t *table;
    size_t mask;
};

static void folding_free(struct folding *f)
{
    writer_free(&f->folded);
    free(f->places);
    free(f->table);
}
AUTO_KIND(folding, struct folding, folding_free(p))

static const char *folded_name(const struct folding *f, size_t index)
{
    if (f->places && f->places[index])
        return (const char *)f->folded.buf.data + f->places[index] - 1;
    return entry_name(f->archive, &f->archive->entries[index]);
}

/* A folder's last slash does not count. */
static size_t folded_size(const struct folding *f, size_t index)
{
    const char *name = folded_name(f, index);
    size_t size = strlen(name);

    return size && name[size - 1] == '/' ? size - 1 : size;
}

/* Folded names have no capitals, others still do. */
static unsigned char lower_letter(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 0x20 : c);
}

static bool names_are_equal(const char *name, size_t size, const char *other, size_t other_size)
{
    if (size != other_size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (lower_letter(name[i]) != lower_letter(other[i]))
            return false;
    return true;
}

/* The slot of the entry whose name is the same, or the empty one where it would be. */
static size_t find_slot(const struct folding *f, const char *name, size_t size, uint64_t hash)
{
    size_t at = hash & f->mask;

    for (; f->table[at]; at = (at + 1) & f->mask)
        if (names_are_equal(name, size, folded_name(f, f->table[at] - 1), folded_size(f, f->table[at] - 1)))
            break;
    return at;
}

static se_status refuse_collision(const struct folding *f, size_t before, size_t index, se_error *err)
{
    const char *first = entry_name(f->archive, &f->archive->entries[before]), *name = entry_name(f->archive, &f->archive->entries[index]);

    if (strcmp(name, first) == 0)
        return error_set(err, SE_ERR_REJECTED, "'%s' is there twice", name);
    return error_set(
        err, SE_ERR_REJECTED,
        "'%s' and '%s' are the same where upper and lower case, ways to write a letter, or files and folders, are not told apart", first,
        name);
}

static se_status add_name(struct folding *f, size_t index, se_error *err)
{
    const char *name = folded_name(f, index);
    size_t size = folded_size(f, index), slot;
    uint64_t hash = f->archive->hash_seed;

    for (size_t i = 0; i < size; i++)
        hash = name_hash_step(hash, lower_letter(name[i]));
    slot = find_slot(f, name, size, hash);
    if (f->table[slot])
        return refuse_collision(f, f->table[slot] - 1, index, err);
    f->table[slot] = (uint32_t)index + 1;
    return SE_OK;
}

/* A file can't hold another one: extracting both would fail, or go elsewhere. */
static se_status check_parents(const struct folding *f, size_t index, se_error *err)
{
    const char *name = folded_name(f, index);
    size_t size = folded_size(f, index);
    uint64_t hash = f->archive->hash_seed;

    for (size_t i = 0; i < size; hash = name_hash_step(hash, lower_letter(name[i++]))) {
        const struct entry *parent;
        uint32_t found;

        if (!i || name[i] != '/' || !(found = f->table[find_slot(f, name, i, hash)]))
            continue;
        parent = &f->archive->entries[found - 1];
        if (!parent->folder)
            return error_set(err, SE_ERR_REJECTED, "'%s' is a file, and the folder of '%s'", entry_name(f->archive, parent),
                             entry_name(f->archive, &f->archive->entries[index]));
    }
    return SE_OK;
}

static se_status casefold_names(struct folding *f, se_error *err)
{
    se_status st = SE_OK;

    for (size_t i = 0; !st && i < f->archive->count; i++) {
        const struct entry *e = &f->archive->entries[i];
        se_bytes name = { entry_name(f->archive, e), e->name_size };

        if (!casefold_is_needed(name))
            continue;
        if (!f->places && !(f->places = calloc(f->archive->count, sizeof *f->places)))
            return error_memory(err);
        f->places[i] = f->folded.buf.size + 1;
        st = casefold_name(&f->folded, name, err);
    }
    return st;
}

se_status name_collisions_check(const struct archive *archive, se_error *err)
{
    AUTO(folding) f = { .archive = archive, .mask = 15 };
    se_status st = casefold_names(&f, err);

    while (f.mask < 2 * archive->count)
        f.mask = 2 * f.mask + 1;
    if (!st && !(f.table = calloc(f.mask + 1, sizeof *f.table)))
        return error_memory(err);
    for (size_t i = 0; !st && i < archive->count; i++)
        st = add_name(&f, i, err);
    for (size_t i = 0; !st && i < archive->count; i++)
        st = check_parents(&f, i, err);
    return st;
}
