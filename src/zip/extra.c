/* Extra fields (APPNOTE 4.5): identifier, size, value, one after the other. */
#include <sys/stat.h>

#include "zip/archive.h"
#include "zip/records.h"

static se_status malformed(const char *name, const char *where, const char *what, se_error *err)
{
    return error_set(err, SE_ERR_FORMAT, "'%s': %s in %s", name, what, where);
}

/*
 * APPNOTE 4.5.3: the values in their order, each only when its field is saturated; a reader that counts otherwise reads something else.
 * One that nothing asks for tells readers of streams how long a data descriptor is, and others not.
 */
static bool take_zip64(const struct zip64_fields *wanted, se_bytes value)
{
    uint64_t *const fields[] = { wanted->size, wanted->packed, wanted->offset };
    const unsigned char *p = value.data;
    size_t left = value.size;

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!fields[i])
            continue;
        if (left < 8)
            return false;
        *fields[i] = le64(p);
        p += 8;
        left -= 8;
    }
    return value.size && !left;
}

static bool wants_any(const struct zip64_fields *wanted)
{
    return wanted->size || wanted->packed || wanted->offset;
}

/* A link has its target there, and no content: without the field it would be another thing. */
static bool is_link(unsigned id, se_bytes value)
{
    const unsigned char *p = value.data;

    if (id == EXTRA_UNIX)
        return value.size > EXTRA_UNIX_FIXED;
    return id == EXTRA_ASI_UNIX && (value.size != EXTRA_ASI_FIXED || S_ISLNK(le16(p + EXTRA_ASI_MODE)));
}

static se_status take_field(struct extra_report *report, unsigned id, se_bytes value, const struct extra_header *header, se_error *err)
{
    const char *name = header->name, *where = header->where, *reason;

    if (is_link(id, value))
        return malformed(name, where, "an extra field that can make it a link", err);
    if (!extra_is_tidy(&reason, id, value, name)) {
        if (id == EXTRA_UNICODE_PATH)
            return malformed(name, where, reason, err);
        if (!report->surplus) {
            report->odd = id;
            report->reason = reason;
        }
        report->surplus += 4 + value.size;
    }
    if (id != EXTRA_ZIP64)
        return SE_OK;
    if (report->zip64)
        return malformed(name, where, "two zip64 extra fields", err);
    report->zip64 = true;
    if (!take_zip64(&header->wanted, value))
        return malformed(name, where, "a zip64 extra field that does not hold exactly what is asked for", err);
    return SE_OK;
}

se_status extra_read(struct extra_report *out, const struct extra_header *header, se_bytes extra, se_error *err)
{
    const unsigned char *p = extra.data;
    size_t left = extra.size;
    se_status st;

    *out = (struct extra_report){ .zip64 = false };
    while (left) {
        size_t size = left < 4 ? left : le16(p + 2);

        if (left < 4 || size > left - 4)
            return malformed(header->name, header->where, "extra fields that do not fit", err);
        if ((st = take_field(out, le16(p), (se_bytes){ p + 4, size }, header, err)))
            return st;
        p += 4 + size;
        left -= 4 + size;
    }
    if (wants_any(&header->wanted) && !out->zip64)
        return malformed(header->name, header->where, "a size that only a missing zip64 extra field knows", err);
    return SE_OK;
}
