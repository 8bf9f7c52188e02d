#include "zip/content.h"

#include "zip/records.h"

enum { PIECE = 128 << 10 };

se_status content_open(struct content *out, const struct archive *archive, const struct entry *entry, se_error *err)
{
    *out = (struct content){ .archive = archive, .entry = entry, .crc = (uint32_t)crc32_z(0, NULL, 0) };
    if (entry->method == METHOD_STORED)
        return SE_OK;
    out->inflating = inflateInit2(&out->inflater, -MAX_WBITS) == Z_OK;
    return out->inflating ? buf_new(&out->input, entry->compressed < PIECE ? (size_t)entry->compressed : PIECE, err) : error_memory(err);
}

void content_close(struct content *content)
{
    if (content->inflating)
        (void)inflateEnd(&content->inflater);
    se_buf_free(&content->input);
    *content = (struct content){ .archive = NULL };
}

static se_status damaged(const struct content *c, const char *how, se_error *err)
{
    return error_set(err, SE_ERR_FORMAT, "'%s' is damaged: %s", entry_name(c->archive, c->entry), how);
}

static size_t piece_size(uint64_t left, size_t room)
{
    return left < room ? (size_t)left : room;
}

static se_status read_stored(size_t *got, struct content *c, void *data, size_t size, se_error *err)
{
    *got = piece_size(c->entry->compressed - c->read, size);
    c->ended = !*got;
    c->read += *got;
    return archive_read(c->archive, data, c->entry->data + c->read - *got, *got, err);
}

static se_status refill(struct content *c, se_error *err)
{
    size_t size = piece_size(c->entry->compressed - c->read, c->input.size);
    se_status st = archive_read(c->archive, c->input.data, c->entry->data + c->read, size, err);

    c->read += size;
    c->inflater.next_in = c->input.data;
    c->inflater.avail_in = (uInt)size;
    return st;
}

/* Other readers go on where the deflated data ends, not where the header says it does. */
static se_status end_inflating(struct content *c, se_error *err)
{
    uint64_t rest = c->entry->compressed - c->read + c->inflater.avail_in;

    c->ended = true;
    if (!rest)
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT, "%ju bytes are hidden behind the deflated data of '%s'", (uintmax_t)rest,
                     entry_name(c->archive, c->entry));
}

static se_status read_deflated(size_t *got, struct content *c, void *data, size_t size, se_error *err)
{
    z_stream *z = &c->inflater;
    int result = Z_OK;
    se_status st;

    z->next_out = data;
    z->avail_out = (uInt)piece_size(size, 1 << 30);
    size = z->avail_out;
    while (!c->ended && z->avail_out == size && result == Z_OK) {
        if (!z->avail_in && (st = refill(c, err)))
            return st;
        result = inflate(z, Z_NO_FLUSH);
        if (result == Z_STREAM_END && (st = end_inflating(c, err)))
            return st;
    }
    *got = size - z->avail_out;
    if (result == Z_OK || result == Z_STREAM_END)
        return SE_OK;
    return damaged(c, result == Z_BUF_ERROR ? "its deflated data is cut off" : z->msg ? z->msg : "it does not inflate", err);
}

static se_status check_end(const struct content *c, se_error *err)
{
    if (c->done != c->entry->size)
        return error_set(err, SE_ERR_FORMAT, "'%s' is damaged: %ju bytes instead of %ju", entry_name(c->archive, c->entry),
                         (uintmax_t)c->done, (uintmax_t)c->entry->size);
    return c->crc == c->entry->crc ? SE_OK : damaged(c, "its checksum differs", err);
}

se_status content_read(size_t *got, struct content *content, void *data, size_t size, se_error *err)
{
    se_status st;

    *got = 0;
    if (content->inflating)
        st = read_deflated(got, content, data, size, err);
    else
        st = read_stored(got, content, data, size, err);
    if (st)
        return st;
    content->done += *got;
    if (content->done > content->entry->size)
        return damaged(content, "it has more bytes than its headers say", err);
    content->crc = (uint32_t)crc32_z(content->crc, data, *got);
    return *got ? SE_OK : check_end(content, err);
}

se_status content_all(se_buf *out, const struct archive *archive, const struct entry *entry, size_t limit, se_error *err)
{
    AUTO(content) content = { .archive = NULL };
    AUTO(se_buf) all = SE_BUF_INIT;
    unsigned char end[16];
    size_t done = 0, got = 1;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if (entry->size > limit)
        return error_set(err, SE_ERR_REJECTED, "'%s' has %ju bytes, more than the limit of %zu", entry_name(archive, entry),
                         (uintmax_t)entry->size, limit);
    if ((st = content_open(&content, archive, entry, err)) || (st = buf_new(&all, (size_t)entry->size, err)))
        return st;
    while (!st && got && done < all.size) {
        st = content_read(&got, &content, all.data + done, all.size - done, err);
        done += got;
    }
    if (!st)
        st = content_read(&got, &content, end, sizeof end, err);
    if (!st)
        *out = buf_move(&all);
    return st;
}
