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
    return is_special_kind(kind) && strcmp(name, "-") == 0 ? rest | (uint32_t)S_IFREG << 16 : attributes;
}

uint32_t tidy_attributes(uint32_t attributes, const char *name, bool folder)
{
    return tidy_kind(attributes, name, folder) & ~find_wrong_attributes(folder);
}

uint16_t tidy_flags(uint16_t flags, const char *name, se_bytes comment)
{
    return text_is_ascii(name) || !utf8_is(text_bytes(name)) || !utf8_is(comment) ? flags : flags | FLAG_UTF8;
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

se_status tidy_check_central(const unsigned char *central, bool folder, const char *name, se_error *err)
{
    const uint32_t wrong = le32(central + 38) & find_wrong_attributes(folder);
    const uint16_t maker = le16(central + 4);

    if (wrong)
        return error_set(err, SE_ERR_REJECTED, "'%s' is %s: its attributes 0x%08x are not signed" SIGN_ANEW, name,
                         describe_wrong_attributes(wrong), (unsigned)le32(central + 38));
    if (tidy_maker(maker) != maker)
        return error_set(err, SE_ERR_REJECTED,
                         "'%s' was made by a system of number %u, whose attributes readers understand differently" SIGN_ANEW, name,
                         maker >> 8);
    return tidy_check_version(le16(central + 6), name, "the central directory", err);
}

se_status tidy_check_version(uint16_t needed, const char *name, const char *where, se_error *err)
{
    if (tidy_version(needed) == needed)
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT, "'%s' needs version %u.%u in %s, some readers leave out what needs more than %d.%d" SIGN_ANEW,
                     name, needed / 10u, needed % 10u, where, VERSION_MOST / 10, VERSION_MOST % 10);
}

/* ---- extra fields ---- */

/*
 * Info-ZIP's Unicode path: version, CRC of the name that it stands for, name.  Some readers
 * believe it rather than the header.
 */
static bool is_same_path(se_bytes value, const char *name)
{
    const unsigned char *p = value.data;

    return value.size >= 5 && p[0] == 1 && value.size - 5 == strlen(name) && !strncmp((const char *)p + 5, name, value.size - 5);
}

static bool holds_zeros_from(se_bytes value, size_t from)
{
    const unsigned char *p = value.data;

    for (size_t i = from; i < value.size; i++)
        if (p[i])
            return false;
    return value.size >= from;
}

/* Padding of ours, or of others that align what follows: an alignment, and nothing else. */
static bool is_padding(se_bytes value, const char *name)
{
    (void)name;
    return holds_zeros_from(value, 2);
}

/* Office documents: a signature, how much room to leave, and the room. */
static bool is_growth_hint(se_bytes value, const char *name)
{
    (void)name;
    return holds_zeros_from(value, 4);
}

static bool is_empty_field(se_bytes value, const char *name)
{
    (void)name;
    return !value.size;
}

/* Flags, and a time for each of three of them. */
static bool is_times(se_bytes value, const char *name)
{
    (void)name;
    return value.size >= 1 && value.size <= 13 && value.size % 4 == 1;
}

static bool is_unix_times(se_bytes value, const char *name)
{
    (void)name;
    return value.size == 8;
}

/* One attribute, of three times. */
static bool is_ntfs_times(se_bytes value, const char *name)
{
    const unsigned char *p = value.data;

    (void)name;
    return value.size == 32 && le32(p) == 0 && le16(p + 4) == 1 && le16(p + 6) == 24;
}

static bool is_anything(se_bytes value, const char *name)
{
    (void)value;
    (void)name;
    return true;
}

/*
 * What common writers write and no reader takes a name, kind, owner, mode or content from.  Of all
 * else, some reader does: libarchive's 0x6c78 makes links and folders of files, Info-ZIP's fields
 * change owners.
 */
static const struct {
    unsigned id;
    bool (*is_tidy)(se_bytes value, const char *name);
    const char *otherwise;
} extra_kinds[] = {
    { EXTRA_ZIP64, is_anything, NULL },
    { EXTRA_TIMES, is_times, "holds no times" },
    { EXTRA_UNIX_TIMES, is_unix_times, "names an owner" },
    { EXTRA_UNIX_OWNER_16, is_empty_field, "names an owner" },
    { EXTRA_NTFS_TIMES, is_ntfs_times, "holds more than times" },
    { EXTRA_UNICODE_PATH, is_same_path, "a Unicode path that is another name" },
    { EXTRA_UNICODE_COMMENT, is_anything, NULL },
    { EXTRA_JAR, is_empty_field, "is not empty" },
    { EXTRA_ALIGNMENT, is_padding, "aligns with something other than zeros" },
    { EXTRA_ALIGNMENT_ANDROID, is_padding, "aligns with something other than zeros" },
    { EXTRA_GROWTH_HINT, is_growth_hint, "keeps room with something other than zeros" },
};

bool extra_field_is_tidy(const char **reason, unsigned id, se_bytes value, const char *name)
{
    *reason = id == EXTRA_UNIX_OWNER ? "names an owner" : "is not known to be harmless";
    for (size_t i = 0; i < sizeof extra_kinds / sizeof *extra_kinds; i++)
        if (extra_kinds[i].id == id) {
            *reason = extra_kinds[i].otherwise;
            return extra_kinds[i].is_tidy(value, name);
        }
    return false;
}

size_t extra_fields_tidy(unsigned char *extra, size_t size, const char *name, bool zip64)
{
    const char *reason;
    size_t kept = 0;

    for (size_t at = 0, field; size - at >= 4; at += field) {
        unsigned id = le16(extra + at);

        field = 4u + le16(extra + at + 2);
        if (field > size - at)
            break; /* the file was changed since it was checked */
        if ((id == EXTRA_ZIP64 && !zip64) || !extra_field_is_tidy(&reason, id, (se_bytes){ extra + at + 4, field - 4 }, name))
            continue;
        memmove(extra + kept, extra + at, field);
        kept += field;
    }
    return kept;
}

se_status extra_fields_check(const struct extra_report *report, const char *name, const char *where, se_error *err)
{
    if (report->spare)
        return error_set(err, SE_ERR_FORMAT, "'%s': " EXTRA_ZIP64_ODD " in %s" SIGN_ANEW, name, where);
    if (!report->surplus)
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT, "'%s': the extra field 0x%04x in %s %s: it is not signed, and some readers obey it" SIGN_ANEW,
                     name, report->odd, where, report->reason);
}
