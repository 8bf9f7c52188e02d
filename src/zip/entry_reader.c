/* SPDX-License-Identifier: Apache-2.0 */
#include "zip/entry_reader.h"

#include "zip/records.h"

enum { PIECE = 128 << 10 };

se_status entry_reader_open(struct entry_reader *out, const struct archive *archive,
                            const struct entry *entry, se_error *err)
{
    *out = (struct entry_reader){ .archive = archive,
                                  .entry = entry,
                                  .crc = (uint32_t)crc32_z(0, NULL, 0) };
    if (entry->method == METHOD_STORED)
        return SE_OK;
    out->inflating = inflateInit2(&out->inflater, -MAX_WBITS) == Z_OK;
    return out->inflating
               ? buf_new(&out->input, entry->compressed < PIECE ? (size_t)entry->compressed : PIECE,
                         err)
               : error_memory(err);
}

void entry_reader_close(struct entry_reader *reader)
{
    if (reader->inflating)
        (void)inflateEnd(&reader->inflater);
    se_buf_free(&reader->input);
    *reader = (struct entry_reader){ .archive = NULL };
}

static se_status refuse_damage(const struct entry_reader *r, const char *how, se_error *err)
{
    return error_set(err, SE_ERR_FORMAT, "'%s' is damaged: %s", entry_name(r->archive, r->entry),
                     how);
}

static size_t smaller_of(uint64_t left, size_t room)
{
    return left < room ? (size_t)left : room;
}

static se_status read_stored(size_t *got, struct entry_reader *r, void *data, size_t size,
                             se_error *err)
{
    *got = smaller_of(r->entry->compressed - r->read, size);
    r->ended = !*got;
    r->read += *got;
    return archive_read(r->archive, data, r->entry->data + r->read - *got, *got, err);
}

static se_status refill_input(struct entry_reader *r, se_error *err)
{
    size_t size = smaller_of(r->entry->compressed - r->read, r->input.size);
    se_status st = archive_read(r->archive, r->input.data, r->entry->data + r->read, size, err);

    r->read += size;
    r->inflater.next_in = r->input.data;
    r->inflater.avail_in = (uInt)size;
    return st;
}

/* Other readers go on where the deflated data ends, not where the header says it does. */
static se_status check_inflated_end(struct entry_reader *r, se_error *err)
{
    uint64_t rest = r->entry->compressed - r->read + r->inflater.avail_in;

    r->ended = true;
    if (!rest)
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT, "%ju bytes are hidden behind the deflated data of '%s'",
                     (uintmax_t)rest, entry_name(r->archive, r->entry));
}

static se_status read_deflated(size_t *got, struct entry_reader *r, void *data, size_t size,
                               se_error *err)
{
    z_stream *z = &r->inflater;
    int result = Z_OK;
    se_status st;

    z->next_out = data;
    z->avail_out = (uInt)smaller_of(size, 1 << 30);
    size = z->avail_out;
    while (!r->ended && z->avail_out == size && result == Z_OK) {
        if (!z->avail_in && (st = refill_input(r, err)))
            return st;
        result = inflate(z, Z_NO_FLUSH);
        if (result == Z_STREAM_END && (st = check_inflated_end(r, err)))
            return st;
    }
    *got = size - z->avail_out;
    if (result == Z_OK || result == Z_STREAM_END)
        return SE_OK;
    return refuse_damage(r,
                         result == Z_BUF_ERROR ? "its deflated data is cut off"
                         : z->msg              ? z->msg
                                               : "it does not inflate",
                         err);
}

static se_status check_size_and_sum(const struct entry_reader *r, se_error *err)
{
    if (r->done != r->entry->size)
        return error_set(err, SE_ERR_FORMAT, "'%s' is damaged: %ju bytes instead of %ju",
                         entry_name(r->archive, r->entry), (uintmax_t)r->done,
                         (uintmax_t)r->entry->size);
    return r->crc == r->entry->crc ? SE_OK : refuse_damage(r, "its checksum differs", err);
}

se_status entry_reader_read(size_t *got, struct entry_reader *reader, void *data, size_t size,
                            se_error *err)
{
    se_status st;

    *got = 0;
    if (reader->inflating)
        st = read_deflated(got, reader, data, size, err);
    else
        st = read_stored(got, reader, data, size, err);
    if (st)
        return st;
    reader->done += *got;
    if (reader->done > reader->entry->size)
        return refuse_damage(reader, "it has more bytes than its headers say", err);
    reader->crc = (uint32_t)crc32_z(reader->crc, data, *got);
    return *got ? SE_OK : check_size_and_sum(reader, err);
}

se_status entry_read_all(se_buf *out, const struct archive *archive, const struct entry *entry,
                         size_t limit, se_error *err)
{
    AUTO(entry_reader) reader = { .archive = NULL };
    AUTO(se_buf) all = SE_BUF_INIT;
    unsigned char end[16];
    size_t done = 0, got = 1;

    *out = (se_buf)SE_BUF_INIT;
    if (entry->size > limit)
        return error_set(err, SE_ERR_REJECTED, "'%s' has %ju bytes, more than the limit of %zu",
                         entry_name(archive, entry), (uintmax_t)entry->size, limit);
    TRY(entry_reader_open(&reader, archive, entry, err));
    TRY(buf_new(&all, (size_t)entry->size, err));
    while (got && done < all.size) {
        TRY(entry_reader_read(&got, &reader, all.data + done, all.size - done, err));
        done += got;
    }
    TRY(entry_reader_read(&got, &reader, end, sizeof end, err));
    *out = buf_move(&all);
    return SE_OK;
}
