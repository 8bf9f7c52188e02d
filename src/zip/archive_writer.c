/* SPDX-License-Identifier: Apache-2.0 */
#include "zip/archive_writer.h"

#include <stdlib.h>
#include <time.h>
#include <zlib.h>

#include "zip/extra_field.h"
#include "zip/records.h"
#include "zip/tidy.h"

/* New files are stored, which asks for 1.0 (APPNOTE 4.4.3.2), and made by 2.0 of MS-DOS. */
enum { VERSION_STORED = 10, MADE_BY = 20 };
enum { PIECE = 256 << 10, ZIP64_MOST = 4 + 3 * 8 };

struct archive_writer {
    const struct archive_plan *plan;
    struct output *out;
    se_buf piece; /* written when it is full */
    size_t filled;
    uint64_t at;       /* in the new archive, what is filled included */
    se_buf record;     /* room for one of the old archive */
    uint64_t *offsets; /* by entry of the old archive, in the new one */
    uint64_t entries, directory, directory_end;
};

static void archive_writer_free(struct archive_writer *w)
{
    se_buf_free(&w->piece);
    se_buf_free(&w->record);
    free(w->offsets);
}
AUTO_KIND(archive_writer, struct archive_writer, archive_writer_free(p))

/* ---- bytes ---- */

static se_status flush_piece(struct archive_writer *w, se_error *err)
{
    se_status st = output_write(w->out, (se_bytes){ w->piece.data, w->filled }, err);

    w->filled = 0;
    return st;
}

static size_t room_for(const struct archive_writer *w, uint64_t size)
{
    size_t room = w->piece.size - w->filled;

    return size < room ? (size_t)size : room;
}

static se_status add_filled(struct archive_writer *w, size_t size, se_error *err)
{
    w->filled += size;
    w->at += size;
    return w->filled < w->piece.size ? SE_OK : flush_piece(w, err);
}

static se_status write_bytes(struct archive_writer *w, const void *data, size_t size, se_error *err)
{
    const unsigned char *p = data;
    se_status st = SE_OK;

    for (size_t n; !st && size; p += n, size -= n) {
        n = room_for(w, size);
        memcpy(w->piece.data + w->filled, p, n);
        st = add_filled(w, n, err);
    }
    return st;
}

/* Of the old archive. */
static se_status copy_bytes(struct archive_writer *w, uint64_t from, uint64_t to, se_error *err)
{
    se_status st = SE_OK;

    for (size_t n; !st && from < to; from += n) {
        n = room_for(w, to - from);
        if (!(st = archive_read(w->plan->old, w->piece.data + w->filled, from, n, err)))
            st = add_filled(w, n, err);
    }
    return st;
}

/* ---- new files ---- */

/* MS-DOS has local times (APPNOTE 4.4.6); UTC gives everybody the same bytes. */
static void put_time(unsigned char *p, int64_t seconds)
{
    time_t time = seconds;
    struct tm tm;

    le_put(p + 2, 1 << 5 | 1, 2); /* 1980-01-01, the earliest */
    if (!gmtime_r(&time, &tm) || tm.tm_year < 80 || tm.tm_year > 207)
        return;
    le_put(p, (unsigned)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2), 2);
    le_put(p + 2, (unsigned)((tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday), 2);
}

/* The part that both headers have, from "version needed" to the name's length
 * (APPNOTE 4.3.7, 4.3.12). */
static void put_common(unsigned char *p, const struct new_file *file, int64_t time)
{
    le_put(p, VERSION_STORED, 2);
    put_time(p + 6, time);
    le_put(p + 10, crc32_z(0, file->content.data, file->content.size), 4);
    le_put(p + 14, file->content.size, 4);
    le_put(p + 18, file->content.size, 4);
    le_put(p + 22, strlen(file->name), 2);
}

static se_status write_new_file(struct archive_writer *w, const struct new_file *file,
                                se_error *err)
{
    unsigned char header[LOCAL_SIZE] = { 0 };

    le_put(header, LOCAL_SIGNATURE, 4);
    put_common(header + 4, file, w->plan->time);
    TRY(write_bytes(w, header, sizeof header, err));
    TRY(write_bytes(w, file->name, strlen(file->name), err));
    return write_bytes(w, file->content.data, file->content.size, err);
}

static se_status write_new_central(struct archive_writer *w, const struct new_file *file,
                                   uint64_t offset, se_error *err)
{
    unsigned char header[CENTRAL_SIZE] = { 0 };
    se_status st;

    le_put(header, CENTRAL_SIGNATURE, 4);
    le_put(header + 4, MADE_BY, 2);
    put_common(header + 6, file, w->plan->time);
    le_put(header + 42, offset, 4);
    w->entries++;
    st = write_bytes(w, header, sizeof header, err);
    return st ? st : write_bytes(w, file->name, strlen(file->name), err);
}

/* ---- local records that are kept ---- */

static se_status refuse_extra(const struct archive_writer *w, const struct entry *e, se_error *err)
{
    return error_set(err, SE_ERR_FORMAT, "'%s' has no room for another extra field",
                     entry_name(w->plan->old, e));
}

/* Sums and sizes of the central directory; the zip64 extra field that they need (APPNOTE 4.5.3),
 * and its size, 0: none. */
static size_t put_sizes(unsigned char *header, unsigned char zip64[EXTRA_ZIP64_LOCAL],
                        const struct entry *e)
{
    bool big = entry_is_big(e);

    le_put(header + 14, e->crc, 4);
    le_put(header + 18, big ? FULL32 : e->compressed, 4);
    le_put(header + 22, big ? FULL32 : e->size, 4);
    if (!big)
        return 0;
    le_put(header + 4, VERSION_ZIP64, 2);
    le_put(zip64, EXTRA_ZIP64, 2);
    le_put(zip64 + 2, EXTRA_ZIP64_LOCAL - 4, 2);
    le_put(zip64 + 4, e->size, 8);
    le_put(zip64 + 12, e->compressed, 8);
    return EXTRA_ZIP64_LOCAL;
}

/* The local header without what has no place in it. */
static se_status write_tidy_header(struct archive_writer *w, const struct entry *e, se_error *err)
{
    unsigned char *header = w->record.data, *extra = header + LOCAL_SIZE + e->name_size,
                  zip64[EXTRA_ZIP64_LOCAL];
    size_t size = (size_t)(e->data - e->offset), kept, added;

    TRY(archive_read(w->plan->old, header, e->offset, size, err));
    kept = extra_fields_tidy(extra, size - LOCAL_SIZE - e->name_size, entry_name(w->plan->old, e),
                             !e->sized);
    le_put(header + 4, tidy_version(le_get16(header + 4)), 2);
    le_put(header + 6, e->flags, 2);
    added = e->sized ? put_sizes(header, zip64, e) : 0;
    if (kept + added > EXTRA_MOST)
        return refuse_extra(w, e, err);
    le_put(header + 28, kept + added, 2);
    TRY(write_bytes(w, header, LOCAL_SIZE + e->name_size, err));
    TRY(write_bytes(w, zip64, added, err));
    return write_bytes(w, extra, kept, err);
}

/* A data descriptor goes where the header has the sizes now. */
static se_status write_kept_entry(struct archive_writer *w, const struct entry *e, se_error *err)
{
    uint64_t end = e->sized ? e->data + e->compressed : e->next;
    se_status st;

    if (!e->untidy)
        return copy_bytes(w, e->offset, end, err);
    st = write_tidy_header(w, e, err);
    return st ? st : copy_bytes(w, e->data, end, err);
}

/* ---- the central directory ---- */

static se_status read_central(struct archive_writer *w, const struct entry *e, se_error *err)
{
    unsigned char *record = w->record.data;

    TRY(archive_read(w->plan->old, record, e->central, CENTRAL_SIZE, err));
    return archive_read(
        w->plan->old, record + CENTRAL_SIZE, e->central + CENTRAL_SIZE,
        (size_t)le_get16(record + 28) + le_get16(record + 30) + le_get16(record + 32), err);
}

/* The zip64 extra field that the record needs now; its size, 0: none. */
static size_t put_offset(unsigned char *record, unsigned char zip64[ZIP64_MOST],
                         const struct entry *e, uint64_t offset)
{
    size_t size = 4;

    if (le_get32(record + 24) == FULL32) {
        le_put(zip64 + size, e->size, 8);
        size += 8;
    }
    if (le_get32(record + 20) == FULL32) {
        le_put(zip64 + size, e->compressed, 8);
        size += 8;
    }
    le_put(record + 42, offset < FULL32 ? offset : FULL32, 4);
    if (offset >= FULL32) {
        le_put(zip64 + size, offset, 8);
        size += 8;
    }
    le_put(zip64, EXTRA_ZIP64, 2);
    le_put(zip64 + 2, size - 4, 2);
    if (size == 4)
        return 0;
    if (le_get16(record + 6) < VERSION_ZIP64)
        le_put(record + 6, VERSION_ZIP64, 2);
    return size;
}

static void tidy_central(unsigned char *record, const struct entry *e, const char *name)
{
    le_put(record + 4, tidy_maker(le_get16(record + 4)), 2);
    le_put(record + 6, tidy_version(le_get16(record + 6)), 2);
    le_put(record + 8, e->flags, 2);
    le_put(record + 38, tidy_attributes(le_get32(record + 38), name, e->folder), 4);
}

static se_status write_kept_central(struct archive_writer *w, const struct entry *e,
                                    uint64_t offset, se_error *err)
{
    unsigned char *record = w->record.data, zip64[ZIP64_MOST];
    const char *name = entry_name(w->plan->old, e);
    size_t head, extra, kept, added;

    TRY(read_central(w, e, err));
    head = (size_t)CENTRAL_SIZE + le_get16(record + 28);
    extra = le_get16(record + 30);
    kept = extra_fields_tidy(record + head, extra, name, false);
    tidy_central(record, e, name);
    added = put_offset(record, zip64, e, offset);
    if (kept + added > EXTRA_MOST)
        return refuse_extra(w, e, err);
    le_put(record + 30, kept + added, 2);
    w->entries++;
    TRY(write_bytes(w, record, head, err));
    TRY(write_bytes(w, zip64, added, err));
    TRY(write_bytes(w, record + head, kept, err));
    return write_bytes(w, record + head + extra, le_get16(record + 32), err);
}

/* ---- the end ---- */

/* APPNOTE 4.3.14, 4.3.15. */
static se_status write_end64(struct archive_writer *w, se_error *err)
{
    unsigned char record[EOCD64_SIZE + LOCATOR_SIZE] = { 0 }, *locator = record + EOCD64_SIZE;

    le_put(record, EOCD64_SIGNATURE, 4);
    le_put(record + 4, EOCD64_SIZE - 12, 8);
    le_put(record + 12, VERSION_ZIP64, 2);
    le_put(record + 14, VERSION_ZIP64, 2);
    le_put(record + 24, w->entries, 8);
    le_put(record + 32, w->entries, 8);
    le_put(record + 40, w->directory_end - w->directory, 8);
    le_put(record + 48, w->directory, 8);
    le_put(locator, LOCATOR_SIGNATURE, 4);
    le_put(locator + 8, w->directory_end, 8);
    le_put(locator + 16, 1, 4);
    return write_bytes(w, record, sizeof record, err);
}

/* Saturated where the value has no room: it is in the zip64 record then (APPNOTE 4.4.1.4). */
static uint64_t value_or_full(uint64_t value, uint64_t full)
{
    return value < full ? value : full;
}

/* APPNOTE 4.3.16. */
static se_status write_end(struct archive_writer *w, se_error *err)
{
    const struct archive *old = w->plan->old;
    uint64_t size = w->directory_end - w->directory;
    unsigned char record[EOCD_SIZE] = { 0 };
    se_status st = SE_OK;

    if ((w->entries >= FULL16 || size >= FULL32 || w->directory >= FULL32) &&
        (st = write_end64(w, err)))
        return st;
    le_put(record, EOCD_SIGNATURE, 4);
    le_put(record + 8, value_or_full(w->entries, FULL16), 2);
    le_put(record + 10, value_or_full(w->entries, FULL16), 2);
    le_put(record + 12, value_or_full(size, FULL32), 4);
    le_put(record + 16, value_or_full(w->directory, FULL32), 4);
    le_put(record + 20, old->eocd.comment, 2);
    TRY(write_bytes(w, record, sizeof record, err));
    TRY(copy_bytes(w, old->eocd.at + EOCD_SIZE, old->size, err));
    return flush_piece(w, err);
}

/* ---- all of it ---- */

static se_status write_entries(struct archive_writer *w, uint64_t new_offsets[NEW_FILES],
                               se_error *err)
{
    const struct archive *old = w->plan->old;
    se_status st = SE_OK;

    for (size_t i = 0; !st && i < NEW_FILES; i++) {
        new_offsets[i] = w->at;
        st = write_new_file(w, &w->plan->files[i], err);
    }
    for (size_t i = 0; !st && i < old->count; i++) {
        w->offsets[i] = w->at;
        if (!w->plan->dropped[i])
            st = write_kept_entry(w, &old->entries[i], err);
    }
    return st;
}

static se_status write_directory(struct archive_writer *w, const uint64_t new_offsets[NEW_FILES],
                                 se_error *err)
{
    const struct archive *old = w->plan->old;
    se_status st = SE_OK;

    w->directory = w->at;
    for (size_t i = 0; !st && i < NEW_FILES; i++)
        st = write_new_central(w, &w->plan->files[i], new_offsets[i], err);
    for (size_t i = 0; !st && i < old->count; i++)
        if (!w->plan->dropped[i])
            st = write_kept_central(w, &old->entries[i], w->offsets[i], err);
    w->directory_end = w->at;
    return st;
}

se_status archive_write(struct output *out, const struct archive_plan *plan, se_error *err)
{
    AUTO(archive_writer) w = { .plan = plan,
                               .out = out,
                               .offsets = calloc(plan->old->count + 1, sizeof *w.offsets) };
    uint64_t new_offsets[NEW_FILES];

    if (!w.offsets)
        return error_memory(err);
    TRY(buf_new(&w.piece, PIECE, err));
    TRY(buf_new(&w.record, CENTRAL_MOST, err));
    TRY(write_entries(&w, new_offsets, err));
    TRY(write_directory(&w, new_offsets, err));
    return write_end(&w, err);
}
