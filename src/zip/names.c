/* Names: what none may be, and which can't stand beside each other in a file system that does not tell cases apart. */
#include <locale.h>
#include <stdlib.h>
#include <wctype.h>

#include "base/utf8.h"
#include "zip/archive.h"
#include "zip/records.h"

/* ---- each by itself ---- */

/* 0 at the end, UINT32_MAX for a byte that is no UTF-8. */
static uint32_t next_point(const char **p)
{
    uint32_t point = 0;
    size_t size = **p ? utf8_next(&point, *p) : 0;

    if (!size && **p) {
        point = UINT32_MAX;
        size = 1;
    }
    *p += size;
    return point;
}

static const char *bad_characters(const struct entry *e, const char *name)
{
    const char *p = name;
    uint32_t point;

    while ((point = next_point(&p))) {
        if (point == UINT32_MAX)
            return "is not UTF-8";
        if (point >= 0x80 && !(e->flags & FLAG_UTF8))
            return "has letters beyond ASCII and is not marked as UTF-8: readers would see different names";
        if (utf8_is_control(point))
            return "holds a control character";
        if (point == '\\')
            return "holds a backslash, which some systems take for a slash";
    }
    return NULL;
}

static bool is_drive(const char *name)
{
    return ((name[0] | 0x20) >= 'a' && (name[0] | 0x20) <= 'z') && name[1] == ':';
}

static const char *bad_path(const char *name)
{
    if (*name == '/' || is_drive(name))
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

static se_status check_name(const struct entry *e, const char *name, se_error *err)
{
    const char *why = bad_characters(e, name);

    if (!why)
        why = bad_path(name);
    return why ? error_set(err, SE_ERR_REJECTED, "the name '%s' %s", name, why) : SE_OK;
}

/* ---- together ---- */

/* Lower case by Unicode, where the C library has it; the file systems of other machines do the same. */
static uint32_t fold(uint32_t point, locale_t locale)
{
    if (point < 0x80 || !locale)
        return point >= 'A' && point <= 'Z' ? point + 0x20 : point;
    return (uint32_t)towlower_l((wint_t)towupper_l((wint_t)point, locale), locale);
}

static uint64_t hash(const char *name, size_t size, locale_t locale)
{
    const char *p = name, *end = p + size;
    uint64_t h = 14695981039346656037u;

    while (p < end) {
        h = (h ^ fold(next_point(&p), locale)) * 1099511628211u;
        h ^= h >> 29;
    }
    return h;
}

static bool same_folded(const char *a, size_t size, const char *b, locale_t locale)
{
    const char *p = a, *q = b, *end = p + size;

    while (p < end)
        if (fold(next_point(&p), locale) != fold(next_point(&q), locale))
            return false;
    return !*q || (q[0] == '/' && !q[1]);
}

/* The slot of the entry whose name folds to the same, or the empty one where it would be.  A folder's last slash does not count. */
static size_t find_slot(const struct archive *archive, const char *name, size_t size, locale_t locale)
{
    size_t at = hash(name, size, locale) & (archive->table_size - 1);

    for (; archive->table[at]; at = (at + 1) & (archive->table_size - 1))
        if (same_folded(name, size, entry_name(archive, &archive->entries[archive->table[at] - 1]), locale))
            break;
    return at;
}

static size_t bare_size(const struct entry *e)
{
    return e->name_size - (size_t)e->folder;
}

static se_status add(struct archive *archive, size_t index, locale_t locale, se_error *err)
{
    const struct entry *e = &archive->entries[index], *before;
    const char *name = entry_name(archive, e);
    size_t slot = find_slot(archive, name, bare_size(e), locale);

    if (!archive->table[slot]) {
        archive->table[slot] = (uint32_t)index + 1;
        return SE_OK;
    }
    before = &archive->entries[archive->table[slot] - 1];
    if (strcmp(name, entry_name(archive, before)) == 0)
        return error_set(err, SE_ERR_REJECTED, "'%s' is there twice", name);
    return error_set(err, SE_ERR_REJECTED,
                     "'%s' and '%s' are the same where upper and lower case, or files and folders, are not told apart",
                     entry_name(archive, before), name);
}

/* A file can't hold another one: extracting both would fail, or go elsewhere. */
static se_status check_parents(const struct archive *archive, const struct entry *e, locale_t locale, se_error *err)
{
    const char *name = entry_name(archive, e);

    for (size_t size = 1; size < bare_size(e); size++) {
        const struct entry *parent;
        uint32_t found;

        if (name[size] != '/' || !(found = archive->table[find_slot(archive, name, size, locale)]))
            continue;
        parent = &archive->entries[found - 1];
        if (!parent->folder)
            return error_set(err, SE_ERR_REJECTED, "'%s' is a file, and the folder of '%s'", entry_name(archive, parent), name);
    }
    return SE_OK;
}

static se_status make_table(struct archive *archive, se_error *err)
{
    for (archive->table_size = 16; archive->table_size < 2 * archive->count;)
        archive->table_size *= 2;
    archive->table = calloc(archive->table_size, sizeof *archive->table);
    return archive->table ? SE_OK : error_memory(err);
}

static se_status check_together(struct archive *archive, locale_t locale, se_error *err)
{
    se_status st = make_table(archive, err);

    for (size_t i = 0; !st && i < archive->count; i++)
        st = add(archive, i, locale, err);
    for (size_t i = 0; !st && i < archive->count; i++)
        st = check_parents(archive, &archive->entries[i], locale, err);
    return st;
}

se_status archive_check_names(struct archive *archive, se_error *err)
{
    locale_t locale;
    se_status st = SE_OK;

    for (size_t i = 0; !st && i < archive->count; i++)
        st = check_name(&archive->entries[i], entry_name(archive, &archive->entries[i]), err);
    if (st)
        return st;
    archive->locale = locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return check_together(archive, locale, err);
}

const struct entry *archive_find(const struct archive *archive, const char *name)
{
    size_t size = strlen(name);
    const struct entry *e;
    uint32_t found;

    if (!size)
        return NULL;
    found = archive->table[find_slot(archive, name, size - (name[size - 1] == '/'), archive->locale)];
    e = found ? &archive->entries[found - 1] : NULL;
    return e && strcmp(entry_name(archive, e), name) == 0 ? e : NULL;
}
