/* SPDX-License-Identifier: Apache-2.0 */
/* Local headers (APPNOTE 4.3.7) and data descriptors (4.3.9): they say what the central directory
 * says, and nothing is between them. */
#include <stdlib.h>
#include <string.h>

#include "zip/archive.h"
#include "zip/extra_field.h"
#include "zip/records.h"
#include "zip/tidy.h"

enum { DESCRIPTOR_MOST = 24 };

static const char where[] = "the local header";

static int compare_offsets(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* In most archives they are in order already, and qsort() would copy all of them. */
static void sort_entries(struct archive *archive)
{
    for (size_t i = 1; i < archive->count; i++)
        if (archive->entries[i].offset < archive->entries[i - 1].offset) {
            qsort(archive->entries, archive->count, sizeof *archive->entries, compare_offsets);
            return;
        }
}

static se_status refuse_absence(const char *name, uint64_t offset, se_error *err)
{
    return error_set(err, SE_ERR_FORMAT, "'%s': no local header at byte %ju", name,
                     (uintmax_t)offset);
}

static se_status refuse_difference(const char *name, const char *what, uint64_t local,
                                   uint64_t central, se_error *err)
{
    return error_set(err, SE_ERR_FORMAT,
                     "'%s': the local header's %s is %ju, the central directory's %ju", name, what,
                     (uintmax_t)local, (uintmax_t)central);
}

/* What a new archive says otherwise in the local header, and with no descriptor, is no reason to
 * refuse the old one. */
static bool mend_sizes(const struct archive *archive, struct entry *e)
{
    if (!archive->limits.tidies)
        return false;
    e->untidy = e->sized = true;
    return true;
}

/* With a data descriptor the header may leave sums and sizes open. */
static bool field_fits(uint64_t local, uint64_t central, const struct entry *e)
{
    return local == central || (!local && (e->flags & FLAG_DESCRIPTOR));
}

/* What a zip64 field says beside fields that have a value. */
static bool spare_fields_fit(const struct extra_report *report, const struct entry *e)
{
    const uint64_t central[ZIP64_FIELDS] = { e->size, e->compressed, e->offset };

    for (size_t i = 0; i < ZIP64_FIELDS; i++)
        if (report->says[i] && !field_fits(report->stated[i], central[i], e))
            return false;
    return true;
}

/* Both sizes are in the zip64 field, or none (APPNOTE 4.5.3): libarchive looks at them one by one,
 * Java does not. */
static se_status compare_sizes(struct extra_report *report, const struct archive *archive,
                               struct entry *e, const unsigned char *header, se_bytes extra,
                               se_error *err)
{
    const char *name = entry_name(archive, e);
    uint64_t crc = le_get32(header + 14), compressed = le_get32(header + 18),
             size = le_get32(header + 22), offset = e->offset;
    bool half = (compressed == FULL32) != (size == FULL32) &&
                !(compressed == e->compressed && size == e->size);
    struct extra_header fields = {
        name, where, { &size, &compressed, offset == FULL32 ? NULL : &offset }
    }; /* the header does not ask for it */

    if (half && !mend_sizes(archive, e))
        memset(fields.fields, 0, sizeof fields.fields);
    TRY(extra_fields_read(report, &fields, extra, err));
    if (!field_fits(crc, e->crc, e))
        return refuse_difference(name, "checksum", crc, e->crc, err);
    if (!field_fits(compressed, e->compressed, e))
        return refuse_difference(name, "compressed size", compressed, e->compressed, err);
    if (!field_fits(size, e->size, e))
        return refuse_difference(name, "size", size, e->size, err);
    if (!report->spare || (spare_fields_fit(report, e) && mend_sizes(archive, e)))
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT, "'%s': " EXTRA_ZIP64_ODD " in %s%s", name, where,
                     spare_fields_fit(report, e) ? SIGN_ANEW : "");
}

/* What is neither in the central directory nor tidy is put right by a new archive, or refused. */
static se_status compare_unsigned_fields(const struct archive *archive, struct entry *e,
                                         const unsigned char *header, se_bytes extra, se_error *err)
{
    const char *name = entry_name(archive, e);
    uint16_t needed = le_get16(header + 4);
    struct extra_report report;
    se_status st = SE_OK;

    TRY(compare_sizes(&report, archive, e, header, extra, err));
    e->zip64 = report.zip64;
    e->untidy |= report.surplus || tidy_version(needed) != needed;
    if (archive->limits.tidies || !e->untidy)
        return SE_OK;
    return (st = tidy_check_version(needed, name, where, err))
               ? st
               : extra_fields_check(&report, name, where, err);
}

/* Marks that are missing in one place only, or say how much effort a compressor made, change
 * nothing for who has the central directory. */
static se_status compare_flags(const struct archive *archive, struct entry *e, uint16_t local,
                               se_error *err)
{
    const uint16_t differ = local ^ e->flags;

    if (!differ)
        return SE_OK;
    if (!archive->limits.tidies || differ & ~(FLAG_UTF8 | FLAG_LEVEL | FLAG_DESCRIPTOR))
        return refuse_difference(entry_name(archive, e), "flags", local, e->flags, err);
    e->untidy = true;
    e->sized |= differ & FLAG_DESCRIPTOR;
    e->flags |= differ & FLAG_DESCRIPTOR; /* there may be one */
    return SE_OK;
}

static se_status compare_header(const struct archive *archive, struct entry *e,
                                const unsigned char *header, se_error *err)
{
    size_t name_size = le_get16(header + 26);
    const char *local = (const char *)header + LOCAL_SIZE, *name = entry_name(archive, e);

    if (name_size != e->name_size || strncmp(local, name, name_size))
        return error_set(err, SE_ERR_FORMAT,
                         "the central directory's '%s' is '%.*s' in its local header", name,
                         (int)name_size, local);
    TRY(compare_flags(archive, e, le_get16(header + 6), err));
    if (le_get16(header + 8) != e->method)
        return refuse_difference(name, "compression method", le_get16(header + 8), e->method, err);
    return compare_unsigned_fields(archive, e, header,
                                   (se_bytes){ local + name_size, le_get16(header + 28) }, err);
}

/* `header`: room for LOCAL_MOST bytes. */
static se_status check_header(const struct archive *archive, struct entry *e, unsigned char *header,
                              se_error *err)
{
    const char *name = entry_name(archive, e);
    size_t variable;

    if (archive->eocd.offset - e->offset < LOCAL_SIZE)
        return refuse_absence(name, e->offset, err);
    TRY(archive_read(archive, header, e->offset, LOCAL_SIZE, err));
    if (le_get32(header) != LOCAL_SIGNATURE)
        return refuse_absence(name, e->offset, err);
    variable = (size_t)le_get16(header + 26) + le_get16(header + 28);
    e->data = e->offset + LOCAL_SIZE + variable;
    if (e->data > e->next || e->compressed > e->next - e->data)
        return error_set(err, SE_ERR_FORMAT, "'%s' reaches into what comes after it", name);
    TRY(archive_read(archive, header + LOCAL_SIZE, e->offset + LOCAL_SIZE, variable, err));
    return compare_header(archive, e, header, err);
}

/*
 * Sizes are of 64 bits where the local header has a zip64 field (APPNOTE 4.3.9.1), and where they
 * need it: Java has written its header, without that field, before it knows.
 */
static size_t descriptor_width(const struct entry *e)
{
    return e->zip64 || e->compressed > FULL32 || e->size > FULL32 ? 8 : 4;
}

/* With or without signature, unless readers would take the checksum for one. */
static bool is_descriptor(const struct entry *e, const unsigned char *p, size_t size, size_t width)
{
    size_t head = size == 4 + 2 * width ? 0 : 4;

    if (size != head + 4 + 2 * width || (!head && e->crc == DESCRIPTOR_SIGNATURE))
        return false;
    return (!head || le_get32(p) == DESCRIPTOR_SIGNATURE) && le_get32(p + head) == e->crc &&
           le_get(p + head + 4, width) == e->compressed &&
           le_get(p + head + 4 + width, width) == e->size;
}

/* Java's streams read one of 64 bits as one of 32 bits, and end with an error, unless the entry has
 * 4 GB and more. */
static bool has_wide_descriptor(const struct entry *e)
{
    return descriptor_width(e) == 8 && !entry_is_big(e);
}

/* Behind an empty entry the first half fits, and what follows seems to be the end. */
static bool has_ambiguous_descriptor(const struct entry *e)
{
    return !e->size && has_wide_descriptor(e);
}

/* Some writers leave it out, or have another width in mind. */
static bool is_odd_descriptor(const struct entry *e, const unsigned char *p, size_t size)
{
    return !size || is_descriptor(e, p, size, 4) || is_descriptor(e, p, size, 8);
}

static se_status check_descriptor(const struct archive *archive, struct entry *e,
                                  const unsigned char *p, size_t size, se_error *err)
{
    const char *name = entry_name(archive, e);
    bool odd = is_odd_descriptor(e, p, size);

    if (!odd || (!is_descriptor(e, p, size, descriptor_width(e)) && !mend_sizes(archive, e)))
        return error_set(
            err, SE_ERR_FORMAT,
            "the %zu bytes after '%s' are not its data descriptor with sizes of %zu bits%s", size,
            name, 8 * descriptor_width(e), odd ? SIGN_ANEW : "");
    if (e->method == METHOD_STORED && !mend_sizes(archive, e))
        return error_set(err, SE_ERR_FORMAT,
                         "'%s' is stored with a data descriptor: who reads it as a stream can't "
                         "know where it ends" SIGN_ANEW,
                         name);
    if (has_ambiguous_descriptor(e) && !mend_sizes(archive, e))
        return error_set(err, SE_ERR_FORMAT,
                         "'%s' is empty, and followed by a data descriptor of 64 bits: a stream "
                         "may seem to end there" SIGN_ANEW,
                         name);
    if (has_wide_descriptor(e))
        (void)mend_sizes(archive, e);
    return SE_OK;
}

static se_status check_bytes_behind(const struct archive *archive, struct entry *e, se_error *err)
{
    unsigned char rest[DESCRIPTOR_MOST];
    uint64_t end = e->data + e->compressed, size = e->next - end;
    const char *name = entry_name(archive, e);

    if (!(e->flags & FLAG_DESCRIPTOR))
        return size ? error_set(err, SE_ERR_FORMAT, "%ju bytes after '%s' belong to nothing",
                                (uintmax_t)size, name)
                    : SE_OK;
    if (size > sizeof rest)
        return error_set(err, SE_ERR_FORMAT,
                         "%ju bytes after '%s', a data descriptor has at most %zu", (uintmax_t)size,
                         name, sizeof rest);
    TRY(archive_read(archive, rest, end, (size_t)size, err));
    TRY(check_descriptor(archive, e, rest, (size_t)size, err));
    if (e->sized)
        e->flags &= (uint16_t)~FLAG_DESCRIPTOR;
    return SE_OK;
}

static se_status check_order(struct archive *archive, se_error *err)
{
    uint64_t first = archive->count ? archive->entries[0].offset : archive->eocd.offset;

    if (first)
        return error_set(err, SE_ERR_FORMAT, "%ju bytes before the first entry belong to nothing",
                         (uintmax_t)first);
    for (size_t i = 0; i < archive->count; i++) {
        struct entry *e = &archive->entries[i];

        e->next = i + 1 < archive->count ? archive->entries[i + 1].offset : archive->eocd.offset;
        if (e->next <= e->offset)
            return error_set(err, SE_ERR_FORMAT, "'%s' begins at byte %ju, where something else is",
                             entry_name(archive, e), (uintmax_t)e->offset);
    }
    return SE_OK;
}

se_status local_headers_check(struct archive *archive, se_error *err)
{
    AUTO(se_buf) header = SE_BUF_INIT;
    se_status st;

    TRY(buf_new(&header, LOCAL_MOST, err));
    sort_entries(archive);
    st = check_order(archive, err);
    for (size_t i = 0; !st && i < archive->count; i++)
        if (!(st = check_header(archive, &archive->entries[i], header.data, err)))
            st = check_bytes_behind(archive, &archive->entries[i], err);
    return st;
}
