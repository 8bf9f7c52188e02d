/*
 * Local records are copied in runs, within the kernel where it can; central records get their new offset; the end records are made anew.
 */
#include "zip/rewrite.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "zip/records.h"

enum {
    PIECE = 256 << 10,
    RUN = 32 << 20,
    GUESS = 1024,
    VERSION_PLAIN = 10,
    VERSION_ZIP64 = 45,
    MADE_BY = 20,
    EXTRA_ZIP64_MOST = 4 + 3 * 8
};

struct writing {
    const struct rewrite *job;
    struct output *out;
    se_buf piece; /* what is to be written next */
    size_t filled;
    uint64_t at; /* in the new file */
    uint16_t time, date;
    uint64_t entries, directory, directory_end;
};

static void writing_free(struct writing *w)
{
    se_buf_free(&w->piece);
}
AUTO_KIND(writing, struct writing, writing_free(p))

static se_status flush(struct writing *w, se_error *err)
{
    se_status st = output_write(w->out, (se_bytes){ w->piece.data, w->filled }, err);

    w->filled = 0;
    return st;
}

static se_status put(struct writing *w, const void *data, size_t size, se_error *err)
{
    const unsigned char *p = data;
    se_status st = SE_OK;

    w->at += size;
    while (!st && size) {
        size_t room = w->piece.size - w->filled, n = size < room ? size : room;

        memcpy(w->piece.data + w->filled, p, n);
        w->filled += n;
        p += n;
        size -= n;
        if (w->filled == w->piece.size)
            st = flush(w, err);
    }
    return st;
}

/* ---- copying ---- */

static bool kernel_refuses(int error)
{
    return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM || error == ETXTBSY;
}

/* *at moves on; what is left is to be copied by hand. */
static se_status copy_in_kernel(struct writing *w, uint64_t *at, uint64_t end, se_error *err)
{
    loff_t from = (loff_t)*at;
    ssize_t n = 1;

    while (n > 0 && *at < end) {
        n = copy_file_range(w->job->archive->fd, &from, w->out->fd, NULL, end - *at < RUN ? (size_t)(end - *at) : RUN, 0);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n < 0 && !kernel_refuses(errno))
            return error_set(err, SE_ERR_IO, "cannot copy the entries: %s", strerror(errno));
        else if (n > 0) {
            *at += (size_t)n;
            output_wrote(w->out, (size_t)n);
        }
    }
    return SE_OK;
}

static se_status copy_by_hand(struct writing *w, uint64_t at, uint64_t end, se_error *err)
{
    se_status st = SE_OK;

    while (!st && at < end) {
        size_t size = end - at < w->piece.size ? (size_t)(end - at) : w->piece.size;

        if (!(st = archive_read(w->job->archive, w->piece.data, at, size, err)))
            st = output_write(w->out, (se_bytes){ w->piece.data, size }, err);
        at += size;
    }
    return st;
}

static se_status copy(struct writing *w, uint64_t start, uint64_t end, se_error *err)
{
    uint64_t at = start;
    se_status st = flush(w, err);

    if (st || (st = copy_in_kernel(w, &at, end, err)))
        return st;
    w->at += end - start;
    return copy_by_hand(w, at, end, err);
}

static se_status copy_kept(struct writing *w, se_error *err)
{
    const struct archive *a = w->job->archive;
    se_status st = SE_OK;

    for (size_t i = 0, next; !st && i < a->count; i = next) {
        for (next = i + 1; next < a->count && w->job->dropped[next] == w->job->dropped[i];)
            next++;
        if (!w->job->dropped[i])
            st = copy(w, a->entries[i].offset, a->entries[next - 1].next, err);
    }
    return st;
}

/* ---- the files in front ---- */

/* MS-DOS has local times; UTC gives everybody the same bytes. */
static void set_time(struct writing *w, int64_t seconds)
{
    time_t time = seconds;
    struct tm tm;

    w->date = 1 << 5 | 1; /* 1980-01-01, the earliest */
    if (!gmtime_r(&time, &tm) || tm.tm_year < 80 || tm.tm_year > 207)
        return;
    w->time = (uint16_t)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2);
    w->date = (uint16_t)((tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday);
}

/* The part that both headers have, from "version needed" to the extra field's length. */
static void put_common(unsigned char *p, const struct writing *w, const struct front_file *file)
{
    const unsigned long crc = crc32_z(0, file->content.data, file->content.size);

    le_put(p, VERSION_PLAIN, 2);
    le_put(p + 6, w->time, 2);
    le_put(p + 8, w->date, 2);
    le_put(p + 10, crc, 4);
    le_put(p + 14, file->content.size, 4);
    le_put(p + 18, file->content.size, 4);
    le_put(p + 22, strlen(file->name), 2);
}

static se_status put_front(struct writing *w, const struct front_file *file, se_error *err)
{
    unsigned char header[LOCAL_SIZE] = { 0 };
    se_status st;

    le_put(header, LOCAL_SIGNATURE, 4);
    put_common(header + 4, w, file);
    if ((st = put(w, header, sizeof header, err)) || (st = put(w, file->name, strlen(file->name), err)))
        return st;
    return put(w, file->content.data, file->content.size, err);
}

static se_status put_front_central(struct writing *w, const struct front_file *file, uint64_t offset, se_error *err)
{
    unsigned char header[CENTRAL_SIZE] = { 0 };
    se_status st;

    le_put(header, CENTRAL_SIGNATURE, 4);
    le_put(header + 4, MADE_BY, 2);
    put_common(header + 6, w, file);
    le_put(header + 42, offset, 4);
    w->entries++;
    st = put(w, header, sizeof header, err);
    return st ? st : put(w, file->name, strlen(file->name), err);
}

static uint64_t front_size(const struct front_file *file)
{
    return LOCAL_SIZE + strlen(file->name) + file->content.size;
}

/* ---- the central directory ---- */

/* A record of the old directory in memory; more than one read only when it is unusually long. */
static se_status read_record(se_buf *out, const struct archive *a, const struct entry *e, se_error *err)
{
    uint64_t left = a->directory + a->directory_size - e->central;
    size_t size, guess = left < GUESS ? (size_t)left : GUESS;
    se_status st = buf_new(out, guess, err);

    if (st || (st = archive_read(a, out->data, e->central, guess, err)))
        return st;
    size = (size_t)CENTRAL_SIZE + le16(out->data + 28) + le16(out->data + 30) + le16(out->data + 32);
    if (size <= guess) {
        out->size = size;
        return SE_OK;
    }
    se_buf_free(out);
    st = buf_new(out, size, err);
    return st ? st : archive_read(a, out->data, e->central, size, err);
}

/* The zip64 extra field that the record needs now; its size, 0: none. */
static size_t make_zip64(unsigned char out[EXTRA_ZIP64_MOST], unsigned char *record, const struct entry *e, uint64_t offset)
{
    size_t size = 4;

    if (le32(record + 24) == FULL32) {
        le_put(out + size, e->size, 8);
        size += 8;
    }
    if (le32(record + 20) == FULL32) {
        le_put(out + size, e->packed, 8);
        size += 8;
    }
    le_put(record + 42, offset < FULL32 ? offset : FULL32, 4);
    if (offset >= FULL32) {
        le_put(out + size, offset, 8);
        size += 8;
    }
    le_put(out, EXTRA_ZIP64, 2);
    le_put(out + 2, size - 4, 2);
    return size > 4 ? size : 0;
}

/* The extra fields but zip64, moved together; their size. */
static size_t drop_zip64(unsigned char *extra, size_t size)
{
    size_t kept = 0;

    for (size_t at = 0, field; at < size; at += field) {
        field = 4u + le16(extra + at + 2);
        if (le16(extra + at) == EXTRA_ZIP64)
            continue;
        memmove(extra + kept, extra + at, field);
        kept += field;
    }
    return kept;
}

static se_status put_kept_central(struct writing *w, const struct entry *e, uint64_t offset, se_error *err)
{
    unsigned char zip64[EXTRA_ZIP64_MOST];
    AUTO(se_buf) record = SE_BUF_INIT;
    size_t name_size, extra_size, comment_size, kept, added;
    unsigned char *extra;
    se_status st = read_record(&record, w->job->archive, e, err);

    if (st)
        return st;
    name_size = le16(record.data + 28);
    extra_size = le16(record.data + 30);
    comment_size = le16(record.data + 32);
    extra = record.data + CENTRAL_SIZE + name_size;
    kept = drop_zip64(extra, extra_size);
    added = make_zip64(zip64, record.data, e, offset);
    if (kept + added > COMMENT_MOST)
        return error_set(err, SE_ERR_FORMAT, "'%s' has no room for another extra field", entry_name(w->job->archive, e));
    le_put(record.data + 30, kept + added, 2);
    if (added && le16(record.data + 6) < VERSION_ZIP64)
        le_put(record.data + 6, VERSION_ZIP64, 2);
    w->entries++;
    if ((st = put(w, record.data, CENTRAL_SIZE + name_size, err)) || (st = put(w, zip64, added, err)) || (st = put(w, extra, kept, err)))
        return st;
    return put(w, extra + extra_size, comment_size, err);
}

static se_status put_directory(struct writing *w, se_error *err)
{
    const struct archive *a = w->job->archive;
    uint64_t offset = 0;
    se_status st = SE_OK;

    w->directory = w->at;
    for (size_t i = 0; !st && i < w->job->file_count; i++) {
        st = put_front_central(w, &w->job->files[i], offset, err);
        offset += front_size(&w->job->files[i]);
    }
    for (size_t i = 0; !st && i < a->count; i++)
        if (!w->job->dropped[i]) {
            st = put_kept_central(w, &a->entries[i], offset, err);
            offset += a->entries[i].next - a->entries[i].offset;
        }
    w->directory_end = w->at;
    return st;
}

/* ---- the end ---- */

static uint64_t capped(uint64_t value, uint64_t full)
{
    return value < full ? value : full;
}

static se_status put_end64(struct writing *w, se_error *err)
{
    unsigned char record[END64_SIZE + LOCATOR_SIZE] = { 0 }, *locator = record + END64_SIZE;

    le_put(record, END64_SIGNATURE, 4);
    le_put(record + 4, END64_SIZE - 12, 8);
    le_put(record + 12, VERSION_ZIP64, 2);
    le_put(record + 14, VERSION_ZIP64, 2);
    le_put(record + 24, w->entries, 8);
    le_put(record + 32, w->entries, 8);
    le_put(record + 40, w->directory_end - w->directory, 8);
    le_put(record + 48, w->directory, 8);
    le_put(locator, LOCATOR_SIGNATURE, 4);
    le_put(locator + 8, w->directory_end, 8);
    le_put(locator + 16, 1, 4);
    return put(w, record, sizeof record, err);
}

static se_status put_end(struct writing *w, se_error *err)
{
    const struct archive *a = w->job->archive;
    uint64_t size = w->directory_end - w->directory;
    size_t tail_size = (size_t)(a->size - a->end);
    AUTO(se_buf) tail = SE_BUF_INIT;
    se_status st = buf_new(&tail, tail_size, err);

    if (st || (st = archive_read(a, tail.data, a->end, tail_size, err)))
        return st;
    if ((w->entries >= FULL16 || size >= FULL32 || w->directory >= FULL32) && (st = put_end64(w, err)))
        return st;
    le_put(tail.data + 8, capped(w->entries, FULL16), 2);
    le_put(tail.data + 10, capped(w->entries, FULL16), 2);
    le_put(tail.data + 12, capped(size, FULL32), 4);
    le_put(tail.data + 16, capped(w->directory, FULL32), 4);
    le_put(tail.data + 4, 0, 4);
    return put(w, tail.data, tail_size, err);
}

se_status rewrite(struct output *out, const struct rewrite *job, se_error *err)
{
    AUTO(writing) w = { .job = job, .out = out };
    se_status st = buf_new(&w.piece, PIECE, err);

    set_time(&w, job->time);
    for (size_t i = 0; !st && i < job->file_count; i++)
        st = put_front(&w, &job->files[i], err);
    if (st || (st = copy_kept(&w, err)) || (st = put_directory(&w, err)) || (st = put_end(&w, err)))
        return st;
    return flush(&w, err);
}
