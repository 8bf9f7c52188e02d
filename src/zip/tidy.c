/* SPDX-License-Identifier: Apache-2.0 */
#include "zip/tidy.h"

#include <sys/stat.h>

#include "base/text.h"
#include "base/utf8.h"
#include "zip/records.h"

/*
 * MS-DOS: unzip leaves volume labels out, 7z and bsdtar make an empty folder of what is marked as
 * one.
 */
enum { DOS_LABEL = 0x08, DOS_FOLDER = 0x10 };

/* Of what is extracted, whoever it belongs to then. */
enum { MODE_PRIVILEGED = S_ISUID | S_ISGID | S_ISVTX, MODE_OPEN = S_IWOTH };

/* ---- attributes and versions ---- */

static uint32_t find_wrong_attributes(bool folder)
{
    return DOS_LABEL | (folder ? 0 : DOS_FOLDER) | (uint32_t)(MODE_PRIVILEGED | MODE_OPEN) << 16;
}

static bool is_special_kind(uint32_t kind)
{
    return kind == S_IFIFO || kind == S_IFSOCK || kind == S_IFCHR || kind == S_IFBLK;
}

/*
 * Info-ZIP calls what it packs from its standard input "-", and of the kind that it had there.  A
 * name that ends in a slash is a folder's for all readers.
 */
static uint32_t tidy_kind(uint32_t attributes, const char *name, bool folder)
{
    const uint32_t kind = attributes >> 16 & S_IFMT, rest = attributes & ~((uint32_t)S_IFMT << 16);

    if (folder && kind == S_IFREG)
        return rest | (uint32_t)S_IFDIR << 16;
    return is_special_kind(kind) && strcmp(name, "-") == 0 ? rest | (uint32_t)S_IFREG << 16
                                                           : attributes;
}

uint32_t tidy_attributes(uint32_t attributes, const char *name, bool folder)
{
    return tidy_kind(attributes, name, folder) & ~find_wrong_attributes(folder);
}

uint16_t tidy_flags(uint16_t flags, const char *name, se_bytes comment)
{
    return text_is_ascii(name) || !utf8_is(text_bytes(name)) || !utf8_is(comment)
               ? flags
               : flags | FLAG_UTF8;
}

uint16_t tidy_version(uint16_t needed)
{
    return needed > VERSION_MOST ? VERSION_MOST : needed;
}

/*
 * Those whose attributes are MS-DOS's in the low half and Unix's in the high one, or nothing:
 * others (Amiga, THEOS) shift them about.
 */
uint16_t tidy_maker(uint16_t made_by)
{
    switch (made_by >> 8) {
    case MADE_BY_DOS:
    case MADE_BY_UNIX:
    case MADE_BY_NTFS:
    case MADE_BY_NTFS_INFOZIP:
    case MADE_BY_VFAT:
    case MADE_BY_MACOS:
        return made_by;
    default:
        return made_by & 0xff;
    }
}

static const char *describe_wrong_attributes(uint32_t wrong)
{
    if (wrong & DOS_LABEL)
        return "marked as the label of a volume, which is not extracted";
    if (wrong & DOS_FOLDER)
        return "a name of a file, and marked as a folder of MS-DOS";
    if (wrong >> 16 & MODE_PRIVILEGED)
        return "set-user-ID, set-group-ID or sticky";
    return "writable by everybody";
}

se_status tidy_check_central(const unsigned char *central, bool folder, const char *name,
                             se_error *err)
{
    const uint32_t wrong = le_get32(central + 38) & find_wrong_attributes(folder);
    const uint16_t maker = le_get16(central + 4);

    if (wrong)
        return error_set(err, SE_ERR_REJECTED,
                         "'%s' is %s: its attributes 0x%08x are not signed" SIGN_ANEW, name,
                         describe_wrong_attributes(wrong), (unsigned)le_get32(central + 38));
    if (tidy_maker(maker) != maker)
        return error_set(err, SE_ERR_REJECTED,
                         "'%s' was made by a system of number %u, whose attributes readers "
                         "understand differently" SIGN_ANEW,
                         name, maker >> 8);
    return tidy_check_version(le_get16(central + 6), name, "the central directory", err);
}

se_status tidy_check_version(uint16_t needed, const char *name, const char *where, se_error *err)
{
    if (tidy_version(needed) == needed)
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT,
                     "'%s' needs version %u.%u in %s, some readers leave out what needs more than "
                     "%d.%d" SIGN_ANEW,
                     name, needed / 10u, needed % 10u, where, VERSION_MOST / 10, VERSION_MOST % 10);
}
