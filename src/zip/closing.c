#include "zip/closing.h"

#include "zip/records.h"

enum { GUESS = 1024, EXTRA_ZIP64_MOST = 4 + 3 * 8 };

struct closing {
    struct pen *pen;
    const struct front *front;
    const struct kept *kept;
    uint64_t entries, directory, directory_end;
};

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

static void tidy_record(unsigned char *record, const struct entry *e, const char *name)
{
    le_put(record + 4, tidy_maker(le16(record + 4)), 2);
    le_put(record + 6, tidy_version(le16(record + 6)), 2);
    le_put(record + 8, e->flags, 2);
    le_put(record + 38, tidy_attributes(le32(record + 38), name, e->folder), 4);
}

static se_status put_kept(struct closing *c, const struct entry *e, uint64_t offset, se_error *err)
{
    unsigned char zip64[EXTRA_ZIP64_MOST];
    AUTO(se_buf) record = SE_BUF_INIT;
    size_t name_size, extra_size, comment_size, kept, added;
    unsigned char *extra;
    se_status st = read_record(&record, c->kept->archive, e, err);

    if (st)
        return st;
    name_size = le16(record.data + 28);
    extra_size = le16(record.data + 30);
    comment_size = le16(record.data + 32);
    extra = record.data + CENTRAL_SIZE + name_size;
    kept = extra_tidy(extra, extra_size, entry_name(c->kept->archive, e), false);
    tidy_record(record.data, e, entry_name(c->kept->archive, e));
    added = make_zip64(zip64, record.data, e, offset);
    if (kept + added > COMMENT_MOST)
        return error_set(err, SE_ERR_FORMAT, "'%s' has no room for another extra field", entry_name(c->kept->archive, e));
    le_put(record.data + 30, kept + added, 2);
    if (added && le16(record.data + 6) < VERSION_ZIP64)
        le_put(record.data + 6, VERSION_ZIP64, 2);
    c->entries++;
    if ((st = pen_put(c->pen, record.data, CENTRAL_SIZE + name_size, err)) || (st = pen_put(c->pen, zip64, added, err)) ||
        (st = pen_put(c->pen, extra, kept, err)))
        return st;
    return pen_put(c->pen, extra + extra_size, comment_size, err);
}

static se_status put_directory(struct closing *c, se_error *err)
{
    const struct archive *a = c->kept->archive;
    uint64_t offset = front_size(c->front);
    se_status st;

    c->directory = c->pen->at;
    c->entries = FRONT_FILES;
    st = front_put_central(c->pen, c->front, err);
    for (size_t i = 0; !st && i < a->count; i++)
        if (!c->kept->dropped[i]) {
            st = put_kept(c, &a->entries[i], offset, err);
            offset += kept_entry_size(&a->entries[i]);
        }
    c->directory_end = c->pen->at;
    return st;
}

/* ---- the end ---- */

static uint64_t capped(uint64_t value, uint64_t full)
{
    return value < full ? value : full;
}

static se_status put_end64(struct closing *c, se_error *err)
{
    unsigned char record[END64_SIZE + LOCATOR_SIZE] = { 0 }, *locator = record + END64_SIZE;

    le_put(record, END64_SIGNATURE, 4);
    le_put(record + 4, END64_SIZE - 12, 8);
    le_put(record + 12, VERSION_ZIP64, 2);
    le_put(record + 14, VERSION_ZIP64, 2);
    le_put(record + 24, c->entries, 8);
    le_put(record + 32, c->entries, 8);
    le_put(record + 40, c->directory_end - c->directory, 8);
    le_put(record + 48, c->directory, 8);
    le_put(locator, LOCATOR_SIGNATURE, 4);
    le_put(locator + 8, c->directory_end, 8);
    le_put(locator + 16, 1, 4);
    return pen_put(c->pen, record, sizeof record, err);
}

static se_status put_end(struct closing *c, se_error *err)
{
    const struct archive *a = c->kept->archive;
    uint64_t size = c->directory_end - c->directory;
    size_t tail_size = (size_t)(a->size - a->end);
    AUTO(se_buf) tail = SE_BUF_INIT;
    se_status st = buf_new(&tail, tail_size, err);

    if (st || (st = archive_read(a, tail.data, a->end, tail_size, err)))
        return st;
    if ((c->entries >= FULL16 || size >= FULL32 || c->directory >= FULL32) && (st = put_end64(c, err)))
        return st;
    le_put(tail.data + 8, capped(c->entries, FULL16), 2);
    le_put(tail.data + 10, capped(c->entries, FULL16), 2);
    le_put(tail.data + 12, capped(size, FULL32), 4);
    le_put(tail.data + 16, capped(c->directory, FULL32), 4);
    le_put(tail.data + 4, 0, 4);
    return pen_put(c->pen, tail.data, tail_size, err);
}

se_status closing_put(struct pen *pen, const struct front *front, const struct kept *kept, se_error *err)
{
    struct closing c = { .pen = pen, .front = front, .kept = kept };
    se_status st = put_directory(&c, err);

    return st ? st : put_end(&c, err);
}
