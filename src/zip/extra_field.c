/* Extra fields (APPNOTE 4.5): identifier, size, value, one after the other. */
#include <sys/stat.h>

#include "zip/archive.h"
#include "zip/records.h"

static se_status refuse_field(const char *name, const char *where, const char *what, se_error *err)
{
    return error_set(err, SE_ERR_FORMAT, "'%s': %s in %s", name, what, where);
}

static bool is_saturated(const uint64_t *field)
{
    return field && *field == FULL32;
}

/* What nothing asks for, behind what is asked for, and the number of a disk: DotNetZip and Commons Compress write them. */
static bool take_spare_values(struct extra_report *report, uint64_t *const fields[ZIP64_FIELDS], size_t first, se_bytes value)
{
    const unsigned char *p = value.data;
    size_t left = value.size, i = first;

    report->spare = true;
    for (; i < ZIP64_FIELDS && fields[i] && left >= 8; i++, p += 8, left -= 8) {
        report->says[i] = true;
        report->stated[i] = le64(p);
    }
    return !left || (i == ZIP64_FIELDS && left == 4 && !le32(p));
}

/*
 * APPNOTE 4.5.3: the values in their order, each only when its field is saturated; a reader that counts otherwise reads something else.
 * One that nothing asks for tells readers of streams how long a data descriptor is, and others not.
 */
static bool take_zip64_values(struct extra_report *report, uint64_t *const fields[ZIP64_FIELDS], se_bytes value)
{
    const unsigned char *p = value.data;
    size_t taken = 0, first = 0;

    for (size_t i = 0; i < ZIP64_FIELDS; i++) {
        if (!is_saturated(fields[i]))
            continue;
        if (value.size - 8 * taken < 8)
            return false;
        *fields[i] = le64(p + 8 * taken++);
        first = i + 1;
    }
    if (taken && value.size == 8 * taken)
        return true;
    return taken == first && take_spare_values(report, fields, first, (se_bytes){ p + 8 * taken, value.size - 8 * taken });
}

/* A link has its target there, and no content: without the field it would be another thing. */
static bool is_link_field(unsigned id, se_bytes value)
{
    const unsigned char *p = value.data;

    if (id == EXTRA_UNIX)
        return value.size > EXTRA_UNIX_FIXED;
    return id == EXTRA_ASI_UNIX && (value.size != EXTRA_ASI_FIXED || S_ISLNK(le16(p + EXTRA_ASI_MODE)));
}

static se_status take_field(struct extra_report *report, unsigned id, se_bytes value, const struct extra_header *header, se_error *err)
{
    const char *name = header->name, *where = header->where, *reason;

    if (is_link_field(id, value))
        return refuse_field(name, where, "an extra field that can make it a link", err);
    if (!extra_field_is_tidy(&reason, id, value, name)) {
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

se_status extra_fields_read(struct extra_report *out, const struct extra_header *header, se_bytes extra, se_error *err)
{
    const unsigned char *p = extra.data;
    size_t left = extra.size;
    se_status st;

    *out = (struct extra_report){ .zip64 = false };
    while (left) {
        size_t size = left < 4 ? left : le16(p + 2);

        if (left < 4 || size > left - 4)
            return refuse_field(header->name, header->where, "extra fields that do not fit", err);
        if ((st = take_field(out, le16(p), (se_bytes){ p + 4, size }, header, err)))
            return st;
        p += 4 + size;
        left -= 4 + size;
    }
    for (size_t i = 0; !out->zip64 && i < ZIP64_FIELDS; i++)
        if (is_saturated(header->fields[i]))
            return refuse_field(header->name, header->where, "a size that only a missing zip64 extra field knows", err);
    return SE_OK;
}
