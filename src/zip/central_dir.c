/* SPDX-License-Identifier: Apache-2.0 */
/* The central directory (APPNOTE 4.3.12), read through a window: it may be large. */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/text.h"
#include "zip/archive.h"
#include "zip/extra_field.h"
#include "zip/records.h"
#include "zip/tidy.h"

enum { NAME_MOST = 4096, NAMES_MOST = 64 << 20 };

struct window {
    const struct archive *archive;
    se_buf bytes;
    size_t at, filled;
    uint64_t next, end; /* what comes after the window */
};
AUTO_KIND(window, struct window, se_buf_free(&p->bytes))

/* Fills the window up behind what is left in it. */
static se_status window_refill(struct window *w, se_error *err)
{
    size_t left = w->filled - w->at, room = w->bytes.size - left;
    size_t more = w->end - w->next < room ? (size_t)(w->end - w->next) : room;

    memmove(w->bytes.data, w->bytes.data + w->at, left);
    TRY(archive_read(w->archive, w->bytes.data + left, w->next, more, err));
    w->at = 0;
    w->filled = left + more;
    w->next += more;
    return SE_OK;
}

static se_status window_take(const unsigned char **out, struct window *w, size_t size,
                             se_error *err)
{
    se_status st;

    if (w->filled - w->at < size && (st = window_refill(w, err)))
        return st;
    if (w->filled - w->at < size)
        return error_set(err, SE_ERR_FORMAT, "the central directory ends inside a record");
    *out = w->bytes.data + w->at;
    w->at += size;
    return SE_OK;
}

static uint64_t window_position(const struct window *w)
{
    return w->next - (w->filled - w->at);
}

/* What the high half of the external attributes says about the kind of file, if it says anything.
 */
static const char *describe_kind(uint32_t attributes, bool folder)
{
    switch (attributes >> 16 & S_IFMT) {
    case 0:
        return NULL;
    case S_IFREG:
        return folder ? "a name of a folder, and marked as a file" : NULL;
    case S_IFDIR:
        return folder ? NULL : "a name of a file, and marked as a folder";
    case S_IFLNK:
        return "a symbolic link";
    default:
        return "a device, pipe or socket";
    }
}

static se_status check_flags(const struct entry *e, const char *name, se_error *err)
{
    if (e->flags & FLAG_ENCRYPTED)
        return error_set(err, SE_ERR_FORMAT, "'%s' is encrypted", name);
    if (e->flags & ~(FLAG_LEVEL | FLAG_DESCRIPTOR | FLAG_UTF8))
        return error_set(err, SE_ERR_FORMAT, "'%s' has flags 0x%04x, which are not known", name,
                         (unsigned)e->flags);
    if (e->method != METHOD_STORED && e->method != METHOD_DEFLATED)
        return error_set(err, SE_ERR_FORMAT,
                         "'%s' is compressed with method %u: Java reads stored and deflated ones",
                         name, (unsigned)e->method);
    if (e->method == METHOD_STORED && e->compressed != e->size)
        return error_set(err, SE_ERR_FORMAT, "'%s' is stored, and has %ju bytes in %ju", name,
                         (uintmax_t)e->size, (uintmax_t)e->compressed);
    return SE_OK;
}

static se_status check_file_kind(const struct archive *archive, const struct entry *e,
                                 uint32_t attributes, const char *name, se_error *err)
{
    const char *mended = describe_kind(tidy_attributes(attributes, name, e->folder), e->folder);
    const char *special = archive->limits.tidies ? mended : describe_kind(attributes, e->folder);

    if (special)
        return error_set(err, SE_ERR_REJECTED, "'%s' is %s%s", name, special,
                         mended ? "" : SIGN_ANEW);
    if (e->folder && e->size)
        return error_set(err, SE_ERR_REJECTED, "'%s' is a folder and has %ju bytes", name,
                         (uintmax_t)e->size);
    return SE_OK;
}

static se_status entry_add_name(struct archive *archive, struct entry *e, const unsigned char *name,
                                size_t size, se_error *err)
{
    if (!size || size > NAME_MOST)
        return error_set(err, SE_ERR_REJECTED,
                         "the name of entry %zu has %zu bytes, 1 to %d are accepted",
                         archive->count + 1, size, (int)NAME_MOST);
    if (memchr(name, 0, size))
        return error_set(err, SE_ERR_REJECTED, "the name of entry %zu holds a NUL byte: '%.*s'",
                         archive->count + 1, (int)size, (const char *)name);
    if (archive->names.buf.size + size + 1 > NAMES_MOST)
        return error_set(err, SE_ERR_REJECTED, "names of more than %d MB", NAMES_MOST >> 20);
    e->name = (uint32_t)archive->names.buf.size;
    e->name_size = (uint16_t)size;
    e->folder = name[size - 1] == '/';
    writer_put(&archive->names, name, size);
    writer_put(&archive->names, "", 1);
    return archive->names.failed ? error_memory(err) : SE_OK;
}

static void read_fixed_fields(struct entry *e, const unsigned char *p)
{
    e->flags = le_get16(p + 8);
    e->method = le_get16(p + 10);
    e->crc = le_get32(p + 16);
    e->compressed = le_get32(p + 20);
    e->size = le_get32(p + 24);
    e->offset = le_get32(p + 42);
}

static se_status read_extra_fields(const struct archive *archive, struct entry *e, se_bytes extra,
                                   se_error *err)
{
    const struct extra_header header = { entry_name(archive, e),
                                         "the central directory",
                                         { &e->size, &e->compressed, &e->offset } };
    struct extra_report report;
    se_status st = extra_fields_read(&report, &header, extra, err);

    for (size_t i = 0; !st && i < ZIP64_FIELDS; i++)
        if (report.says[i] && report.stated[i] != *header.fields[i])
            st = error_set(err, SE_ERR_FORMAT,
                           "'%s': " EXTRA_ZIP64_ODD " in %s: it says %ju, and %ju stands there",
                           header.name, header.where, (uintmax_t)report.stated[i],
                           (uintmax_t)*header.fields[i]);
    return st || archive->limits.tidies
               ? st
               : extra_fields_check(&report, header.name, header.where, err);
}

static se_status read_record(struct archive *archive, struct window *w, se_error *err)
{
    struct entry *e = &archive->entries[archive->count];
    unsigned char fixed[CENTRAL_SIZE];
    uint64_t start = window_position(w);
    const unsigned char *p;
    size_t name_size, extra_size;
    const char *name;

    TRY(window_take(&p, w, CENTRAL_SIZE, err));
    if (le_get32(p) != CENTRAL_SIGNATURE)
        return error_set(err, SE_ERR_FORMAT,
                         "no central directory record at byte %ju, where entry %zu is expected",
                         (uintmax_t)start, archive->count + 1);
    if (le_get16(p + 34))
        return error_set(err, SE_ERR_FORMAT, "entry %zu is on another disk", archive->count + 1);
    *e = (struct entry){ .central = start };
    read_fixed_fields(e, p);
    memcpy(fixed, p, sizeof fixed);
    name_size = le_get16(p + 28);
    extra_size = le_get16(p + 30);
    TRY(window_take(&p, w, name_size + extra_size + le_get16(p + 32), err));
    TRY(entry_add_name(archive, e, p, name_size, err));
    name = entry_name(archive, e);
    if (archive->limits.tidies)
        e->flags = tidy_flags(e->flags, name,
                              (se_bytes){ p + name_size + extra_size, le_get16(fixed + 32) });
    TRY(read_extra_fields(archive, e, (se_bytes){ p + name_size, extra_size }, err));
    TRY(check_flags(e, name, err));
    TRY(check_file_kind(archive, e, le_get32(fixed + 38), name, err));
    archive->count++;
    return archive->limits.tidies ? SE_OK : tidy_check_central(fixed, e->folder, name, err);
}

/* At the most, so that they are not copied about while they grow. */
static size_t estimate_names(const struct archive *archive)
{
    uint64_t room = archive->eocd.size - archive->eocd.entries * (CENTRAL_SIZE - 1);

    return room < NAMES_MOST ? (size_t)room : NAMES_MOST;
}

se_status central_dir_read(struct archive *archive, se_error *err)
{
    AUTO(window) w = {
        .archive = archive,
        .next = archive->eocd.offset,
        .end = archive->eocd.first,
    };
    se_status st = buf_new(&w.bytes, CENTRAL_MOST, err);

    if (st)
        return st;
    archive->entries = calloc(archive->eocd.entries + 1, sizeof *archive->entries);
    if (!archive->entries)
        return error_memory(err);
    writer_expect(&archive->names, estimate_names(archive));
    while (!st && archive->count < archive->eocd.entries)
        st = read_record(archive, &w, err);
    if (st)
        return st;
    if (window_position(&w) != w.end)
        return error_set(err, SE_ERR_FORMAT,
                         "%ju bytes after the last record of the central directory",
                         (uintmax_t)(w.end - window_position(&w)));
    return SE_OK;
}

/* Bytes that the headers promise, before any is inflated. */
se_status central_dir_check_sizes(struct archive *archive, se_error *err)
{
    const struct archive_limits *limits = &archive->limits;
    uint64_t total = 0;

    for (size_t i = 0; i < archive->count; i++) {
        const struct entry *e = &archive->entries[i];

        if (e->size > limits->total || (total += e->size) > limits->total)
            return error_set(
                err, SE_ERR_REJECTED,
                "'%s': the archive unpacks to more than the limit of %ju bytes (--max-size)",
                entry_name(archive, e), (uintmax_t)limits->total);
        if (e->size > RATIO_MATTERS && e->size / limits->ratio > e->compressed)
            return error_set(err, SE_ERR_REJECTED,
                             "'%s': %ju bytes in %ju, above the limit of %ju to 1 (--max-ratio)",
                             entry_name(archive, e), (uintmax_t)e->size, (uintmax_t)e->compressed,
                             (uintmax_t)limits->ratio);
    }
    return SE_OK;
}
