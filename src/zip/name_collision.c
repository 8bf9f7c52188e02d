/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What names must not be: each by itself, and beside each other, where in some file system two are
 * one, or one is a file and the folder of the other.
 */
#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>

#include "base/utf8.h"
#include "zip/archive.h"
#include "zip/records.h"
#include "zip/tidy.h"

/* ---- each by itself ---- */

static const char *judge_characters(const struct entry *e, const char *name, bool tidies)
{
    uint32_t point;

    if (!utf8_is(text_bytes(name)))
        return "is not UTF-8";
    for (const char *p = name; *p;) {
        p += utf8_next(&point, p);
        if (point >= 0x80 && !(e->flags & FLAG_UTF8))
            return tidies ? "has letters beyond ASCII, and can't be marked as UTF-8 together with "
                            "its comment, which is none"
                          : "has letters beyond ASCII and is not marked as UTF-8: readers would "
                            "see different names" SIGN_ANEW;
        if (utf8_is_control(point))
            return "holds a control character";
        if (point == '\\')
            return "holds a backslash, which some systems take for a slash";
    }
    return NULL;
}

static bool is_dos_drive(const char *name)
{
    return ((name[0] | 0x20) >= 'a' && (name[0] | 0x20) <= 'z') && name[1] == ':';
}

static const char *judge_path(const char *name)
{
    if (*name == '/' || is_dos_drive(name))
        return "is an absolute path";
    for (const char *part = name; *part;) {
        size_t size = strcspn(part, "/");

        if (!size)
            return "has an empty part";
        if ((size == 1 && *part == '.') || (size == 2 && part[0] == '.' && part[1] == '.'))
            return "leads out of its folder, or would be written in another way";
        part += size + (part[size] == '/');
    }
    return NULL;
}

/* unzip takes ";" and digits at the end for a version of VMS, and leaves them out. */
static const char *judge_end(const char *name)
{
    const char *part = strrchr(name, '/'), *last = strrchr(part ? part : name, ';');

    return last && !last[1 + strspn(last + 1, "0123456789")]
               ? "ends like one of VMS, with a version that some readers leave out"
               : NULL;
}

static se_status check_name(const struct entry *e, const char *name, bool tidies, se_error *err)
{
    const char *why = judge_characters(e, name, tidies);

    if (!why)
        why = judge_path(name);
    if (!why)
        why = judge_end(name);
    return why ? error_set(err, SE_ERR_REJECTED, "the name '%s' %s", name, why) : SE_OK;
}

/* ---- case folding ---- */

struct folded {
    uint8_t *text;
    size_t size;
};
AUTO_KIND(folded, struct folded, free(p->text))

static bool needs_casefold(se_bytes name)
{
    const unsigned char *p = name.data;
    unsigned char all = 0;

    for (size_t i = 0; i < name.size; i++)
        all |= p[i];
    return all >= 0x80;
}

static void put_visible(struct writer *out, const struct folded *name)
{
    size_t size;
    uint32_t point;

    for (size_t i = 0; i < name->size; i += size) {
        size = utf8_take(&point, (se_bytes){ name->text + i, name->size - i });
        if (!size)
            size = name->size - i;
        if (!uc_is_property_default_ignorable_code_point(point))
            writer_put(out, name->text + i, size);
    }
    writer_put(out, "", 1);
}

/*
 * Appends a name, UTF-8, and a NUL: compatibility decomposition, full case folding (The Unicode
 * Standard, D146), and no characters that may be ignored.  That is more than any one file system
 * does: macOS decomposes, Linux (casefold) ignores, Windows takes full-width letters for plain ones
 * where programs ask for names in an old code page.
 */
static se_status casefold_name(struct writer *out, se_bytes name, se_error *err)
{
    AUTO(folded) folded = { NULL, 0 };

    folded.text = u8_casefold(name.data, name.size, NULL, UNINORM_NFKD, NULL, &folded.size);
    if (!folded.text && name.size)
        return error_memory(err);
    put_visible(out, &folded);
    return out->failed ? error_memory(err) : SE_OK;
}

/* ---- beside each other ---- */

struct folding {
    const struct archive *archive;
    struct writer folded;
    size_t
        *places; /* by entry: 1 + where its name is in `folded`; 0: it is plain.  NULL: all are */
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

/* The bucket of the entry whose name is the same, or the empty one where it would be. */
static size_t folded_bucket(const struct folding *f, const char *name, size_t size, uint64_t hash)
{
    size_t at = hash & f->mask;

    for (; f->table[at]; at = (at + 1) & f->mask)
        if (names_are_equal(name, size, folded_name(f, f->table[at] - 1),
                            folded_size(f, f->table[at] - 1)))
            break;
    return at;
}

static se_status refuse_collision(const struct folding *f, size_t before, size_t index,
                                  se_error *err)
{
    const char *first = entry_name(f->archive, &f->archive->entries[before]),
               *name = entry_name(f->archive, &f->archive->entries[index]);

    if (strcmp(name, first) == 0)
        return error_set(err, SE_ERR_REJECTED, "'%s' is there twice", name);
    return error_set(err, SE_ERR_REJECTED,
                     "'%s' and '%s' are the same where upper and lower case, ways to write a "
                     "letter, or files and folders, are not told apart",
                     first, name);
}

static se_status folding_add(struct folding *f, size_t index, se_error *err)
{
    const char *name = folded_name(f, index);
    size_t size = folded_size(f, index), bucket;
    uint64_t hash = f->archive->hash_seed;

    for (size_t i = 0; i < size; i++)
        hash = name_hash_step(hash, lower_letter(name[i]));
    bucket = folded_bucket(f, name, size, hash);
    if (f->table[bucket])
        return refuse_collision(f, f->table[bucket] - 1, index, err);
    f->table[bucket] = (uint32_t)index + 1;
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

        if (!i || name[i] != '/' || !(found = f->table[folded_bucket(f, name, i, hash)]))
            continue;
        parent = &f->archive->entries[found - 1];
        if (!parent->folder)
            return error_set(err, SE_ERR_REJECTED, "'%s' is a file, and the folder of '%s'",
                             entry_name(f->archive, parent),
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

        if (!needs_casefold(name))
            continue;
        if (!f->places && !(f->places = calloc(f->archive->count, sizeof *f->places)))
            return error_memory(err);
        f->places[i] = f->folded.buf.size + 1;
        st = casefold_name(&f->folded, name, err);
    }
    return st;
}

static se_status check_collisions(const struct archive *archive, se_error *err)
{
    AUTO(folding) f = { .archive = archive, .mask = 15 };
    se_status st = casefold_names(&f, err);

    while (f.mask < 2 * archive->count)
        f.mask = 2 * f.mask + 1;
    if (!st && !(f.table = calloc(f.mask + 1, sizeof *f.table)))
        return error_memory(err);
    for (size_t i = 0; !st && i < archive->count; i++)
        st = folding_add(&f, i, err);
    for (size_t i = 0; !st && i < archive->count; i++)
        st = check_parents(&f, i, err);
    return st;
}

se_status entry_names_check(struct archive *archive, se_error *err)
{
    se_status st = SE_OK;

    for (size_t i = 0; !st && i < archive->count; i++)
        st = check_name(&archive->entries[i], entry_name(archive, &archive->entries[i]),
                        archive->limits.tidies, err);
    return st ? st : check_collisions(archive, err);
}
