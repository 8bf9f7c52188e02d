/* SPDX-License-Identifier: Apache-2.0 */
/* Extra fields (APPNOTE 4.5): identifier, size, value, one after the other. */
#include "zip/extra_field.h"

#include <sys/stat.h>

#include "zip/records.h"
#include "zip/tidy.h"

/* ---- which of them have a place ---- */

/*
 * Info-ZIP's Unicode path: version, CRC of the name that it stands for, name.  Some readers
 * believe it rather than the header.
 */
static bool is_same_path(se_bytes value, const char *name)
{
    const unsigned char *p = value.data;

    return value.size >= 5 && p[0] == 1 && value.size - 5 == strlen(name) &&
           !strncmp((const char *)p + 5, name, value.size - 5);
}

static bool holds_zeros_from(se_bytes value, size_t from)
{
    const unsigned char *p = value.data;

    for (size_t i = from; i < value.size; i++)
        if (p[i])
            return false;
    return value.size >= from;
}

/* Padding, by who aligns what follows: an alignment, and nothing else. */
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
    return value.size == 32 && le_get32(p) == 0 && le_get16(p + 4) == 1 && le_get16(p + 6) == 24;
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

/* Whether a field has a place: known, and understood by all readers alike.  `reason`: why it has
 * none. */
static bool is_tidy_field(const char **reason, unsigned id, se_bytes value, const char *name)
{
    *reason = id == EXTRA_UNIX_OWNER ? "names an owner" : "is not known to be harmless";
    for (size_t i = 0; i < sizeof extra_kinds / sizeof *extra_kinds; i++)
        if (extra_kinds[i].id == id) {
            *reason = extra_kinds[i].otherwise;
            return extra_kinds[i].is_tidy(value, name);
        }
    return false;
}

/* ---- found in a header ---- */

static se_status refuse_field(const char *name, const char *where, const char *what, se_error *err)
{
    return error_set(err, SE_ERR_FORMAT, "'%s': %s in %s", name, what, where);
}

static bool is_in_zip64(const uint64_t *field)
{
    return field && *field == FULL32;
}

/* What nothing asks for, behind what is asked for, and the number of a disk: DotNetZip and Commons
 * Compress write them. */
static bool take_spare_values(struct extra_report *report, uint64_t *const fields[ZIP64_FIELDS],
                              size_t first, se_bytes value)
{
    const unsigned char *p = value.data;
    size_t left = value.size, i = first;

    report->spare = true;
    for (; i < ZIP64_FIELDS && fields[i] && left >= 8; i++, p += 8, left -= 8) {
        report->says[i] = true;
        report->stated[i] = le_get64(p);
    }
    return !left || (i == ZIP64_FIELDS && left == 4 && !le_get32(p));
}

/*
 * APPNOTE 4.5.3: the values in their order, each only when its field is saturated; a reader that
 * counts otherwise reads something else. One that nothing asks for tells readers of streams how
 * long a data descriptor is, and others not.
 */
static bool take_zip64_values(struct extra_report *report, uint64_t *const fields[ZIP64_FIELDS],
                              se_bytes value)
{
    const unsigned char *p = value.data;
    size_t taken = 0, first = 0;

    for (size_t i = 0; i < ZIP64_FIELDS; i++) {
        if (!is_in_zip64(fields[i]))
            continue;
        if (value.size - 8 * taken < 8)
            return false;
        *fields[i] = le_get64(p + 8 * taken++);
        first = i + 1;
    }
    if (taken && value.size == 8 * taken)
        return true;
    return taken == first && take_spare_values(report, fields, first,
                                               (se_bytes){ p + 8 * taken, value.size - 8 * taken });
}

/* A link has its target there, and no content: without the field it would be another thing. */
static bool is_link_field(unsigned id, se_bytes value)
{
    const unsigned char *p = value.data;

    if (id == EXTRA_UNIX)
        return value.size > EXTRA_UNIX_FIXED;
    return id == EXTRA_ASI_UNIX &&
           (value.size != EXTRA_ASI_FIXED || S_ISLNK(le_get16(p + EXTRA_ASI_MODE)));
}

static se_status take_field(struct extra_report *report, unsigned id, se_bytes value,
                            const struct extra_header *header, se_error *err)
{
    const char *name = header->name, *where = header->where, *reason;

    if (is_link_field(id, value))
        return refuse_field(name, where, "an extra field that can make it a link", err);
    if (!is_tidy_field(&reason, id, value, name)) {
        if (id == EXTRA_UNICODE_PATH)
            return refuse_field(name, where, reason, err);
        if (!report->surplus) {
            report->odd = id;
            report->reason = reason;
        }
        report->surplus += 4 + value.size;
    }
    if (id != EXTRA_ZIP64)
        return SE_OK;
    if (report->zip64)
        return refuse_field(name, where, "two zip64 extra fields", err);
    report->zip64 = true;
    if (!take_zip64_values(report, header->fields, value))
        return refuse_field(name, where, EXTRA_ZIP64_ODD, err);
    return SE_OK;
}

se_status extra_fields_read(struct extra_report *out, const struct extra_header *header,
                            se_bytes extra, se_error *err)
{
    const unsigned char *p = extra.data;
    size_t left = extra.size;

    *out = (struct extra_report){ .zip64 = false };
    while (left) {
        size_t size = left < 4 ? left : le_get16(p + 2);

        if (left < 4 || size > left - 4)
            return refuse_field(header->name, header->where, "extra fields that do not fit", err);
        TRY(take_field(out, le_get16(p), (se_bytes){ p + 4, size }, header, err));
        p += 4 + size;
        left -= 4 + size;
    }
    for (size_t i = 0; !out->zip64 && i < ZIP64_FIELDS; i++)
        if (is_in_zip64(header->fields[i]))
            return refuse_field(header->name, header->where,
                                "a size that only a missing zip64 extra field knows", err);
    return SE_OK;
}

/* ---- refused, or left out ---- */

size_t extra_fields_tidy(unsigned char *extra, size_t size, const char *name, bool zip64)
{
    const char *reason;
    size_t kept = 0;

    for (size_t at = 0, field; size - at >= 4; at += field) {
        unsigned id = le_get16(extra + at);

        field = 4u + le_get16(extra + at + 2);
        if (field > size - at)
            break; /* the file was changed since it was checked */
        if ((id == EXTRA_ZIP64 && !zip64) ||
            !is_tidy_field(&reason, id, (se_bytes){ extra + at + 4, field - 4 }, name))
            continue;
        memmove(extra + kept, extra + at, field);
        kept += field;
    }
    return kept;
}

se_status extra_fields_check(const struct extra_report *report, const char *name, const char *where,
                             se_error *err)
{
    if (report->spare)
        return error_set(err, SE_ERR_FORMAT, "'%s': " EXTRA_ZIP64_ODD " in %s" SIGN_ANEW, name,
                         where);
    if (!report->surplus)
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT,
                     "'%s': the extra field 0x%04x in %s %s: it is not signed, and some readers "
                     "obey it" SIGN_ANEW,
                     name, report->odd, where, report->reason);
}
