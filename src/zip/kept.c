/* Copied in runs, within the kernel where it can: there, file systems that can share blocks do so instead. */
#include "zip/kept.h"

#include <errno.h>
#include <unistd.h>

#include "zip/records.h"

enum { RUN = 32 << 20 };

struct copying {
    struct pen *pen;
    const struct archive *archive;
    const atomic_bool *stopped;
    uint64_t at, end; /* of what is to be copied yet */
};

static bool kernel_refuses(int error)
{
    return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM || error == ETXTBSY;
}

static bool goes_on(const struct copying *c)
{
    return c->at < c->end && !(c->stopped && atomic_load(c->stopped));
}

/* What is left is to be copied by hand. */
static se_status copy_in_kernel(struct copying *c, se_error *err)
{
    struct output *out = c->pen->out;
    loff_t from = (loff_t)c->at;
    ssize_t n = 1;

    while (n > 0 && goes_on(c)) {
        n = copy_file_range(c->archive->fd, &from, out->fd, NULL, c->end - c->at < RUN ? (size_t)(c->end - c->at) : RUN, 0);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n < 0 && !kernel_refuses(errno))
            return error_set(err, SE_ERR_IO, "cannot copy its entries to '%s': %s", out->path, strerror(errno));
        else if (n > 0) {
            c->at += (size_t)n;
            output_wrote(out, (size_t)n);
        }
    }
    return SE_OK;
}

static se_status copy_by_hand(struct copying *c, se_error *err)
{
    se_buf *piece = &c->pen->piece;
    se_status st = SE_OK;

    while (!st && goes_on(c)) {
        size_t size = c->end - c->at < piece->size ? (size_t)(c->end - c->at) : piece->size;

        if (!(st = archive_read(c->archive, piece->data, c->at, size, err)))
            st = output_write(c->pen->out, (se_bytes){ piece->data, size }, err);
        c->at += size;
    }
    return st;
}

static se_status copy_run(struct copying *c, se_error *err)
{
    uint64_t size = c->end - c->at;
    se_status st;

    if ((st = copy_in_kernel(c, err)) || (st = copy_by_hand(c, err)))
        return st;
    c->pen->at += size;
    return c->at < c->end ? error_set(err, SE_ERR_CANCELLED, "given up") : SE_OK;
}

static bool is_copied(const struct kept *kept, size_t index)
{
    return index < kept->archive->count && !kept->dropped[index] && !kept->archive->entries[index].untidy;
}

/* Sums and sizes of the central directory; the zip64 extra field that they need, and its size, 0: none. */
static size_t put_sizes(unsigned char *header, unsigned char zip64[EXTRA_ZIP64_LOCAL], const struct entry *e)
{
    bool big = entry_is_big(e);

    le_put(header + 14, e->crc, 4);
    le_put(header + 18, big ? FULL32 : e->packed, 4);
    le_put(header + 22, big ? FULL32 : e->size, 4);
    if (!big)
        return 0;
    le_put(header + 4, VERSION_ZIP64, 2);
    le_put(zip64, EXTRA_ZIP64, 2);
    le_put(zip64 + 2, EXTRA_ZIP64_LOCAL - 4, 2);
    le_put(zip64 + 4, e->size, 8);
    le_put(zip64 + 12, e->packed, 8);
    return EXTRA_ZIP64_LOCAL;
}

/* The local header without what has no place in it; where the copying begins. */
static se_status put_tidied(struct pen *pen, const struct archive *a, const struct entry *e, se_error *err)
{
    AUTO(se_buf) header = SE_BUF_INIT;
    size_t head = LOCAL_SIZE + e->name_size, size = (size_t)(e->data - e->offset), kept, added;
    unsigned char zip64[EXTRA_ZIP64_LOCAL];
    se_status st = buf_new(&header, size, err);

    if (st || (st = archive_read(a, header.data, e->offset, size, err)))
        return st;
    if (e->head - head > UINT16_MAX)
        return error_set(err, SE_ERR_FORMAT, "'%s' has no room for another extra field", entry_name(a, e));
    kept = extra_tidy(header.data + head, size - head, entry_name(a, e), !e->sized);
    le_put(header.data + 4, tidy_version(le16(header.data + 4)), 2);
    le_put(header.data + 6, e->flags, 2);
    le_put(header.data + 28, e->head - head, 2);
    added = e->sized ? put_sizes(header.data, zip64, e) : 0;
    if ((st = pen_put(pen, header.data, head, err)) || (st = pen_put(pen, zip64, added, err)) ||
        (st = pen_put(pen, header.data + head, kept, err)))
        return st;
    return pen_flush(pen, err);
}

/* Where its bytes end that are copied: its data, or the descriptor behind. */
static uint64_t copied_end(const struct entry *e)
{
    return e->sized ? e->data + e->packed : e->next;
}

uint64_t kept_entry_size(const struct entry *entry)
{
    return entry->head + (copied_end(entry) - entry->data);
}

uint64_t kept_size(const struct kept *kept)
{
    const struct archive *a = kept->archive;
    uint64_t size = 0;

    for (size_t i = 0; i < a->count; i++)
        if (!kept->dropped[i])
            size += kept_entry_size(&a->entries[i]);
    return size;
}

se_status kept_copy(struct pen *pen, const struct kept *kept, const atomic_bool *stopped, se_error *err)
{
    const struct archive *a = kept->archive;
    struct copying c = { .pen = pen, .archive = a, .stopped = stopped };
    se_status st = pen_flush(pen, err);

    for (size_t i = 0, next; !st && i < a->count; i = next) {
        const struct entry *e = &a->entries[i];

        for (next = i + 1; is_copied(kept, i) && is_copied(kept, next);)
            next++;
        if (kept->dropped[i] || (e->untidy && (st = put_tidied(pen, a, e, err))))
            continue;
        c.at = e->untidy ? e->data : e->offset;
        c.end = copied_end(&a->entries[next - 1]);
        st = copy_run(&c, err);
    }
    return st;
}
