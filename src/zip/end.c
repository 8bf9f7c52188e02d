/* The end of an archive: end of central directory record, zip64 record and locator (APPNOTE 4.3.14 to 4.3.16). */
#include "zip/archive.h"
#include "zip/records.h"

/* What either end record says. */
struct end {
    uint64_t disk, directory_disk, here, entries, size, offset;
};

/* The tail that may hold the end record. */
struct tail {
    se_buf bytes;
    uint64_t offset; /* of its first byte */
    size_t end;      /* in it, of the end record */
};

static se_status read_tail(struct tail *tail, const struct archive *archive, se_error *err)
{
    uint64_t most = END_SIZE + COMMENT_MOST, size = archive->size < most ? archive->size : most;
    se_status st;

    if (size < END_SIZE)
        return error_set(err, SE_ERR_FORMAT, "not a zip: %ju bytes", (uintmax_t)archive->size);
    tail->offset = archive->size - size;
    if ((st = buf_new(&tail->bytes, (size_t)size, err)))
        return st;
    return archive_read(archive, tail->bytes.data, tail->offset, (size_t)size, err);
}

/* An end record whose comment ends where the file ends. */
static bool is_end(const struct tail *tail, size_t at)
{
    const unsigned char *p = tail->bytes.data + at;

    return le32(p) == END_SIGNATURE && at + END_SIZE + le16(p + 20) == tail->bytes.size;
}

/* The last record of the tail that can be an end, with its directory right in front of it; how many bytes are behind it, 0: there is none.
 */
static size_t count_behind(const struct tail *tail)
{
    for (size_t at = tail->bytes.size - END_SIZE + 1; at--;) {
        const unsigned char *p = tail->bytes.data + at;
        const size_t end = at + END_SIZE + le16(p + 20);

        if (le32(p) == END_SIGNATURE && end < tail->bytes.size && (uint64_t)le32(p + 12) + le32(p + 16) == tail->offset + at)
            return tail->bytes.size - end;
    }
    return 0;
}

static se_status refuse_end(const struct tail *tail, const struct archive *archive, se_error *err)
{
    const size_t behind = count_behind(tail);

    if (!behind)
        return error_set(err, SE_ERR_FORMAT, "not a zip, or cut off: no end record where the file ends");
    (void)error_set(err, SE_ERR_FORMAT, "%zu bytes are behind the archive's end", behind);
    if (archive->limits.tidies)
        (void)error_suffix(err, "; 'head -c %ju' of it leaves them out", (uintmax_t)(archive->size - behind));
    return SE_ERR_FORMAT;
}

/* Readers look from the end or from the beginning of the tail: there must be one record that they can find. */
static se_status find_end(struct tail *tail, const struct archive *archive, se_error *err)
{
    size_t found = 0;

    for (size_t at = 0; at + END_SIZE <= tail->bytes.size; at++)
        if (is_end(tail, at)) {
            tail->end = at;
            found++;
        }
    if (found > 1)
        return error_set(err, SE_ERR_FORMAT, "%zu records could be the archive's end: a second one is hidden", found);
    return found ? SE_OK : refuse_end(tail, archive, err);
}

/* A signature may begin in the last fields of the end record, whose comment goes on with it: who searches backwards finds that one. */
static se_status check_comment(const struct tail *tail, se_error *err)
{
    for (size_t at = tail->end + 1; at + 4 <= tail->bytes.size; at++)
        switch (le32(tail->bytes.data + at)) {
        case LOCAL_SIGNATURE:
        case CENTRAL_SIGNATURE:
        case END_SIGNATURE:
        case END64_SIGNATURE:
        case LOCATOR_SIGNATURE:
            return error_set(err, SE_ERR_FORMAT, "the archive's comment hides a record of a zip");
        default:
            break;
        }
    return SE_OK;
}

static struct end read_end(const unsigned char *p)
{
    return (struct end){ le16(p + 4), le16(p + 6), le16(p + 8), le16(p + 10), le32(p + 12), le32(p + 16) };
}

static struct end read_end64(const unsigned char *p)
{
    return (struct end){ le32(p + 16), le32(p + 20), le64(p + 24), le64(p + 32), le64(p + 40), le64(p + 48) };
}

static bool is_full(const struct end *end)
{
    return end->here == FULL16 || end->entries == FULL16 || end->size == FULL32 || end->offset == FULL32;
}

/* A field of the small record is either saturated or says the same as the big one. */
static bool agrees(uint64_t small, uint64_t big, uint64_t full)
{
    return small == full || small == big;
}

static bool all_agree(const struct end *small, const struct end *big)
{
    return agrees(small->disk, big->disk, FULL16) && agrees(small->directory_disk, big->directory_disk, FULL16) &&
           agrees(small->here, big->here, FULL16) && agrees(small->entries, big->entries, FULL16) &&
           agrees(small->size, big->size, FULL32) && agrees(small->offset, big->offset, FULL32);
}

/* *at: where the end records begin; moved to the zip64 record. */
static se_status read_zip64(struct end *end, uint64_t *at, const struct archive *archive, se_error *err)
{
    unsigned char record[END64_SIZE], locator[LOCATOR_SIZE];
    uint64_t offset;
    struct end big;
    se_status st;

    if (*at < END64_SIZE + LOCATOR_SIZE)
        return is_full(end) ? error_set(err, SE_ERR_FORMAT, "the end record asks for a zip64 record that is not there") : SE_OK;
    if ((st = archive_read(archive, locator, *at - LOCATOR_SIZE, LOCATOR_SIZE, err)))
        return st;
    if (le32(locator) != LOCATOR_SIGNATURE)
        return is_full(end) ? error_set(err, SE_ERR_FORMAT, "the end record asks for a zip64 record that is not there") : SE_OK;
    offset = *at - LOCATOR_SIZE - END64_SIZE;
    if (le32(locator + 4) || le64(locator + 8) != offset || le32(locator + 16) != 1)
        return error_set(err, SE_ERR_FORMAT, "the zip64 locator does not point to the record in front of it");
    if ((st = archive_read(archive, record, offset, END64_SIZE, err)))
        return st;
    if (le32(record) != END64_SIGNATURE || le64(record + 4) != END64_SIZE - 12)
        return error_set(err, SE_ERR_FORMAT, "no plain zip64 end record where the locator says");
    if (tidy_version(le16(record + 14)) != le16(record + 14) && !archive->limits.tidies)
        return error_set(err, SE_ERR_FORMAT, "the zip64 end record needs version %u, some readers know %d", le16(record + 14),
                         VERSION_MOST);
    big = read_end64(record);
    if (!all_agree(end, &big))
        return error_set(err, SE_ERR_FORMAT, "the zip64 end record and the end record disagree");
    *end = big;
    *at = offset;
    return SE_OK;
}

static se_status check_end(const struct end *end, uint64_t at, struct archive *archive, se_error *err)
{
    if (end->disk || end->directory_disk || end->here != end->entries) {
        archive->way_out = "; 'zip -s 0' makes one file of its parts";
        return error_set(err, SE_ERR_FORMAT, "the archive is split over several disks");
    }
    if (end->offset > at || at - end->offset != end->size)
        return error_set(
            err, SE_ERR_FORMAT,
            "the central directory of %ju bytes at %ju does not end where the end record begins, at %ju: bytes are missing or hidden",
            (uintmax_t)end->size, (uintmax_t)end->offset, (uintmax_t)at);
    if (end->entries > end->size / CENTRAL_SIZE)
        return error_set(err, SE_ERR_FORMAT, "%ju entries in a central directory of %ju bytes", (uintmax_t)end->entries,
                         (uintmax_t)end->size);
    archive->way_out = NULL; /* the limit says it */
    if (end->entries > archive->limits.entries)
        return error_set(err, SE_ERR_REJECTED, "%ju entries, more than the limit of %ju (--max-entries)", (uintmax_t)end->entries,
                         (uintmax_t)archive->limits.entries);
    return SE_OK;
}

se_status archive_find_directory(struct archive *archive, se_error *err)
{
    struct tail tail = { .bytes = SE_BUF_INIT };
    AUTO(se_buf) release = SE_BUF_INIT;
    uint64_t at;
    struct end end;
    se_status st = read_tail(&tail, archive, err);

    release = tail.bytes;
    if (st || (st = find_end(&tail, archive, err)))
        return st;
    archive->way_out = PACK_ANEW;
    if ((st = check_comment(&tail, err)))
        return st;
    at = archive->end = tail.offset + tail.end;
    end = read_end(tail.bytes.data + tail.end);
    if ((st = read_zip64(&end, &at, archive, err)) || (st = check_end(&end, at, archive, err)))
        return st;
    archive->directory = end.offset;
    archive->directory_size = end.size;
    archive->stated = end.entries;
    return SE_OK;
}
