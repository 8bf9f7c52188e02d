/* Extra fields (APPNOTE 4.5): identifier, size, value, one after the other. */
#include "zip/archive.h"
#include "zip/records.h"

static se_status malformed(const char *name, const char *where, const char *what, se_error *err)
{
    return error_set(err, SE_ERR_FORMAT, "'%s': %s in %s", name, what, where);
}

/* APPNOTE 4.5.3: the values in their order, each only when its field is saturated; a reader that counts otherwise reads something else. */
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
    return !left;
}

static bool wants_any(const struct zip64_fields *wanted)
{
    return wanted->size || wanted->packed || wanted->offset;
}

/* Info-ZIP's Unicode path: version, CRC of the name that it stands for, name.  Some readers believe it rather than the header. */
static bool is_same_path(se_bytes value, const char *name)
{
    const unsigned char *p = value.data;

    return value.size >= 5 && p[0] == 1 && value.size - 5 == strlen(name) && !strncmp((const char *)p + 5, name, value.size - 5);
}

/* Padding of ours, or of others that align what follows: an alignment, and nothing else. */
static bool is_padding(se_bytes value)
{
    const unsigned char *p = value.data;

    for (size_t i = 2; i < value.size; i++)
        if (p[i])
            return false;
    return value.size >= 2;
}

static se_status take_field(bool *seen, unsigned id, se_bytes value, const struct zip64_fields *wanted, const char *name, const char *where,
                            se_error *err)
{
    if (id == EXTRA_UNICODE_PATH && !is_same_path(value, name))
        return malformed(name, where, "a Unicode path that is another name", err);
    if (id == EXTRA_ASI_UNIX || (id == EXTRA_UNIX && value.size > EXTRA_UNIX_FIXED))
        return malformed(name, where, "an extra field that can make it a link", err);
    if (id == EXTRA_ALIGNMENT && !is_padding(value))
        return malformed(name, where, "an extra field for alignment that is not zeros", err);
    if (id != EXTRA_ZIP64)
        return SE_OK;
    if (*seen)
        return malformed(name, where, "two zip64 extra fields", err);
    *seen = true;
    if (!take_zip64(wanted, value))
        return malformed(name, where, "a zip64 extra field that does not hold exactly what is asked for", err);
    return SE_OK;
}

se_status extra_read(const struct zip64_fields *wanted, se_bytes extra, const char *name, const char *where, se_error *err)
{
    const unsigned char *p = extra.data;
    size_t left = extra.size;
    bool seen = false;
    se_status st;

    while (left) {
        size_t size = left < 4 ? left : le16(p + 2);

        if (left < 4 || size > left - 4)
            return malformed(name, where, "extra fields that do not fit", err);
        if ((st = take_field(&seen, le16(p), (se_bytes){ p + 4, size }, wanted, name, where, err)))
            return st;
        p += 4 + size;
        left -= 4 + size;
    }
    return wants_any(wanted) && !seen ? malformed(name, where, "a size that only a missing zip64 extra field knows", err) : SE_OK;
}
