/* The end of an archive: end of central directory record, zip64 record and locator (APPNOTE 4.3.14 to 4.3.16). */
#include "zip/archive.h"
#include "zip/records.h"

/* The tail that may hold the end record. */
struct tail {
    se_buf bytes;
    uint64_t offset; /* of its first byte */
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

/* One that does not end there, with its directory right in front of it. */
static bool is_end_within(const struct tail *tail, size_t at)
{
    const unsigned char *p = tail->bytes.data + at;

    return le32(p) == END_SIGNATURE && at + END_SIZE + le16(p + 20) < tail->bytes.size &&
           (uint64_t)le32(p + 12) + le32(p + 16) == tail->offset + at;
}

/* Readers look from the end or from the beginning of the tail: there must be one record that they can find. */
static se_status find_end(size_t *out, const struct tail *tail, se_error *err)
{
    size_t found = 0, within = 0;

    *out = 0;
    for (size_t at = 0; at + END_SIZE <= tail->bytes.size; at++)
        if (is_end(tail, at)) {
            *out = at;
            found++;
        } else if (!found && is_end_within(tail, at)) {
            *out = at;
            within++;
        }
    if (found > 1)
        return error_set(err, SE_ERR_FORMAT, "%zu records could be the archive's end: a second one is hidden", found);
    return found || within ? SE_OK : error_set(err, SE_ERR_FORMAT, "not a zip, or cut off: no end record where the file ends");
}

se_status archive_find_end(struct archive *archive, se_error *err)
{
    struct tail tail = { .bytes = SE_BUF_INIT };
    AUTO(se_buf) release = SE_BUF_INIT;
    const unsigned char *p;
    size_t at;
    se_status st = read_tail(&tail, archive, err);

    release = tail.bytes;
    if (st || (st = find_end(&at, &tail, err)))
        return st;
    p = tail.bytes.data + at;
    archive->end = (struct end){
        .at = tail.offset + at,
        .comment = le16(p + 20),
        .first = tail.offset + at,
        .disk = le16(p + 4),
        .directory_disk = le16(p + 6),
        .here = le16(p + 8),
        .entries = le16(p + 10),
        .size = le32(p + 12),
        .offset = le32(p + 16),
    };
    return SE_OK;
}

se_status archive_check_tail(struct archive *archive, se_error *err)
{
    uint64_t end = archive->end.at + END_SIZE + archive->end.comment;

    if (end == archive->size)
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT, "%ju bytes are behind the archive's end, at byte %ju", (uintmax_t)(archive->size - end),
                     (uintmax_t)end);
}

/* A signature may begin in the last fields of the end record, whose comment goes on with it: who searches backwards finds that one. */
static se_status check_comment(const struct archive *archive, se_error *err)
{
    AUTO(se_buf) end = SE_BUF_INIT;
    se_status st = buf_new(&end, END_SIZE + archive->end.comment, err);

    if (st || (st = archive_read(archive, end.data, archive->end.at, end.size, err)))
        return st;
    for (size_t at = 1; at + 4 <= end.size; at++)
        switch (le32(end.data + at)) {
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

static se_status refuse_absent(const struct end *end, se_error *err)
{
    return is_full(end) ? error_set(err, SE_ERR_FORMAT, "the end record asks for a zip64 record that is not there") : SE_OK;
}

/* The big record takes the place of what the small one says. */
static se_status take_zip64(struct archive *archive, const unsigned char *record, se_error *err)
{
    struct end big = archive->end;

    if (le32(record) != END64_SIGNATURE || le64(record + 4) != END64_SIZE - 12)
        return error_set(err, SE_ERR_FORMAT, "no plain zip64 end record where the locator says");
    if (tidy_version(le16(record + 14)) != le16(record + 14) && !archive->limits.tidies)
        return error_set(err, SE_ERR_FORMAT, "the zip64 end record needs version %u, some readers know %d", le16(record + 14),
                         VERSION_MOST);
    big.first = archive->end.at - LOCATOR_SIZE - END64_SIZE;
    big.disk = le32(record + 16);
    big.directory_disk = le32(record + 20);
    big.here = le64(record + 24);
    big.entries = le64(record + 32);
    big.size = le64(record + 40);
    big.offset = le64(record + 48);
    if (!all_agree(&archive->end, &big))
        return error_set(err, SE_ERR_FORMAT, "the zip64 end record and the end record disagree");
    archive->end = big;
    return SE_OK;
}

static se_status read_zip64(struct archive *archive, se_error *err)
{
    unsigned char record[END64_SIZE], locator[LOCATOR_SIZE];
    uint64_t at = archive->end.at, offset;
    se_status st;

    if (at < END64_SIZE + LOCATOR_SIZE)
        return refuse_absent(&archive->end, err);
    if ((st = archive_read(archive, locator, at - LOCATOR_SIZE, LOCATOR_SIZE, err)))
        return st;
    if (le32(locator) != LOCATOR_SIGNATURE)
        return refuse_absent(&archive->end, err);
    offset = at - LOCATOR_SIZE - END64_SIZE;
    if (le32(locator + 4) || le64(locator + 8) != offset || le32(locator + 16) != 1)
        return error_set(err, SE_ERR_FORMAT, "the zip64 locator does not point to the record in front of it");
    if ((st = archive_read(archive, record, offset, END64_SIZE, err)))
        return st;
    return take_zip64(archive, record, err);
}

se_status archive_read_end(struct archive *archive, se_error *err)
{
    se_status st = check_comment(archive, err);

    return st ? st : read_zip64(archive, err);
}

se_status archive_check_disks(struct archive *archive, se_error *err)
{
    const struct end *end = &archive->end;

    if (end->disk || end->directory_disk || end->here != end->entries)
        return error_set(err, SE_ERR_FORMAT, "the archive is split over several disks");
    return SE_OK;
}

se_status archive_check_place(struct archive *archive, se_error *err)
{
    const struct end *end = &archive->end;

    if (end->offset > end->first || end->first - end->offset != end->size)
        return error_set(
            err, SE_ERR_FORMAT,
            "the central directory of %ju bytes at %ju does not end where the end record begins, at %ju: bytes are missing or hidden",
            (uintmax_t)end->size, (uintmax_t)end->offset, (uintmax_t)end->first);
    if (end->entries > end->size / CENTRAL_SIZE)
        return error_set(err, SE_ERR_FORMAT, "%ju entries in a central directory of %ju bytes", (uintmax_t)end->entries,
                         (uintmax_t)end->size);
    return SE_OK;
}

se_status archive_check_count(struct archive *archive, se_error *err)
{
    uint64_t entries = archive->end.entries, most = archive->limits.entries;

    if (entries > most)
        return error_set(err, SE_ERR_REJECTED, "%ju entries, more than the limit of %ju (--max-entries)", (uintmax_t)entries,
                         (uintmax_t)most);
    return SE_OK;
}
