/* Names: what none may be, and finding them. */
#include <stdlib.h>
#include <sys/random.h>

#include "base/utf8.h"
#include "zip/archive.h"
#include "zip/name_hash.h"
#include "zip/records.h"

/* ---- each by itself ---- */

static const char *judge_characters(const struct entry *e, const char *name, bool tidies)
{
    uint32_t point;

    if (!utf8_is(text_bytes(name)))
        return "is not UTF-8";
    for (const char *p = name; *p;) {
        p += utf8_next(&point, p);
        if (point >= 0x80 && !(e->flags & FLAG_UTF8))
            return tidies ? "has letters beyond ASCII, and can't be marked as UTF-8 together with its comment, which is none"
                          : "has letters beyond ASCII and is not marked as UTF-8: readers would see different names" SIGN_ANEW;
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

    return last && !last[1 + strspn(last + 1, "0123456789")] ? "ends like one of VMS, with a version that some readers leave out" : NULL;
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

/* ---- found by name ---- */

static size_t find_slot(const struct archive *archive, const char *name, size_t size)
{
    uint64_t hash = archive->hash_seed;
    size_t at;

    for (size_t i = 0; i < size; i++)
        hash = name_hash_step(hash, (unsigned char)name[i]);
    for (at = hash & (archive->table_size - 1); archive->table[at]; at = (at + 1) & (archive->table_size - 1)) {
        const struct entry *e = &archive->entries[archive->table[at] - 1];

        if (e->name_size == size && strncmp(name, entry_name(archive, e), size) == 0)
            break;
    }
    return at;
}

static se_status make_name_table(struct archive *archive, se_error *err)
{
    for (archive->table_size = 16; archive->table_size < 2 * archive->count;)
        archive->table_size *= 2;
    if (!(archive->table = calloc(archive->table_size, sizeof *archive->table)))
        return error_memory(err);
    for (size_t i = 0; i < archive->count; i++) {
        const struct entry *e = &archive->entries[i];

        archive->table[find_slot(archive, entry_name(archive, e), e->name_size)] = (uint32_t)i + 1;
    }
    return SE_OK;
}

se_status entry_names_check(struct archive *archive, se_error *err)
{
    se_status st = SE_OK;

    if (getrandom(&archive->hash_seed, sizeof archive->hash_seed, 0) != sizeof archive->hash_seed)
        return error_set(err, SE_ERR_CRYPTO, "no random bytes");
    for (size_t i = 0; !st && i < archive->count; i++)
        st = check_name(&archive->entries[i], entry_name(archive, &archive->entries[i]), archive->limits.tidies, err);
    if (st || (st = name_collisions_check(archive, err)))
        return st;
    return make_name_table(archive, err);
}

const struct entry *archive_find_prefix(const struct archive *archive, const char *name, size_t size)
{
    uint32_t found = archive->table[find_slot(archive, name, size)];

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
        const struct entry *parent = name[size - 1] == '/' ? archive_find_prefix(archive, name, size) : NULL;

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
