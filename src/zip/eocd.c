/* SPDX-License-Identifier: Apache-2.0 */
/* The end of an archive: end of central directory record, zip64 record and locator (APPNOTE 4.3.14
 * to 4.3.16). */
#include "zip/archive.h"
#include "zip/records.h"
#include "zip/tidy.h"

/* The tail that may hold the end record. */
struct tail {
    se_buf bytes;
    uint64_t offset; /* of its first byte */
};
AUTO_KIND(tail, struct tail, se_buf_free(&p->bytes))

static se_status read_tail(struct tail *tail, const struct archive *archive, se_error *err)
{
    uint64_t most = EOCD_SIZE + COMMENT_MOST, size = archive->size < most ? archive->size : most;

    if (size < EOCD_SIZE)
        return error_set(err, SE_ERR_FORMAT, "not a zip: %ju bytes", (uintmax_t)archive->size);
    tail->offset = archive->size - size;
    TRY(buf_new(&tail->bytes, (size_t)size, err));
    return archive_read(archive, tail->bytes.data, tail->offset, (size_t)size, err);
}

/* An end record whose comment ends where the file ends. */
static bool is_eocd(const struct tail *tail, size_t at)
{
    const unsigned char *p = tail->bytes.data + at;

    return le_get32(p) == EOCD_SIGNATURE && at + EOCD_SIZE + le_get16(p + 20) == tail->bytes.size;
}

/* One that does not end there, with its directory right in front of it. */
static bool is_inner_eocd(const struct tail *tail, size_t at)
{
    const unsigned char *p = tail->bytes.data + at;

    return le_get32(p) == EOCD_SIGNATURE && at + EOCD_SIZE + le_get16(p + 20) < tail->bytes.size &&
           (uint64_t)le_get32(p + 12) + le_get32(p + 16) == tail->offset + at;
}

/* Readers look from the end or from the beginning of the tail: there must be one record that they
 * can find. */
static se_status find_in_tail(size_t *out, const struct tail *tail, se_error *err)
{
    size_t found = 0, within = 0;

    *out = 0;
    for (size_t at = 0; at + EOCD_SIZE <= tail->bytes.size; at++)
        if (is_eocd(tail, at)) {
            *out = at;
            found++;
        } else if (!found && is_inner_eocd(tail, at)) {
            *out = at;
            within++;
        }
    if (found > 1)
        return error_set(err, SE_ERR_FORMAT,
                         "%zu records could be the archive's end: a second one is hidden", found);
    return found || within ? SE_OK
                           : error_set(err, SE_ERR_FORMAT,
                                       "not a zip, or cut off: no end record where the file ends");
}

se_status eocd_find(struct archive *archive, se_error *err)
{
    AUTO(tail) tail = { .bytes = SE_BUF_INIT };
    const unsigned char *p;
    size_t at;
    se_status st = read_tail(&tail, archive, err);

    if (st || (st = find_in_tail(&at, &tail, err)))
        return st;
    p = tail.bytes.data + at;
    archive->eocd = (struct eocd){
        .at = tail.offset + at,
        .comment = le_get16(p + 20),
        .first = tail.offset + at,
        .disk = le_get16(p + 4),
        .directory_disk = le_get16(p + 6),
        .here = le_get16(p + 8),
        .entries = le_get16(p + 10),
        .size = le_get32(p + 12),
        .offset = le_get32(p + 16),
    };
    return SE_OK;
}

se_status eocd_check_tail(struct archive *archive, se_error *err)
{
    uint64_t end = archive->eocd.at + EOCD_SIZE + archive->eocd.comment;

    if (end == archive->size)
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT, "%ju bytes are behind the archive's end, at byte %ju",
                     (uintmax_t)(archive->size - end), (uintmax_t)end);
}

/* A signature may begin in the last fields of the end record, whose comment goes on with it: who
 * searches backwards finds that one. */
static se_status check_comment(const struct archive *archive, se_error *err)
{
    AUTO(se_buf) end = SE_BUF_INIT;
    se_status st = buf_new(&end, EOCD_SIZE + archive->eocd.comment, err);

    if (st || (st = archive_read(archive, end.data, archive->eocd.at, end.size, err)))
        return st;
    for (size_t at = 1; at + 4 <= end.size; at++)
        switch (le_get32(end.data + at)) {
        case LOCAL_SIGNATURE:
        case CENTRAL_SIGNATURE:
        case EOCD_SIGNATURE:
        case EOCD64_SIGNATURE:
        case LOCATOR_SIGNATURE:
            return error_set(err, SE_ERR_FORMAT, "the archive's comment hides a record of a zip");
        default:
            break;
        }
    return SE_OK;
}

static bool needs_zip64(const struct eocd *eocd)
{
    return eocd->here == FULL16 || eocd->entries == FULL16 || eocd->size == FULL32 ||
           eocd->offset == FULL32;
}

/* A field of the small record is either saturated or says the same as the big one. */
static bool field_agrees(uint64_t small, uint64_t big, uint64_t full)
{
    return small == full || small == big;
}

static bool fields_agree(const struct eocd *small, const struct eocd *big)
{
    return field_agrees(small->disk, big->disk, FULL16) &&
           field_agrees(small->directory_disk, big->directory_disk, FULL16) &&
           field_agrees(small->here, big->here, FULL16) &&
           field_agrees(small->entries, big->entries, FULL16) &&
           field_agrees(small->size, big->size, FULL32) &&
           field_agrees(small->offset, big->offset, FULL32);
}

static se_status refuse_missing_zip64(const struct eocd *eocd, se_error *err)
{
    return needs_zip64(eocd) ? error_set(err, SE_ERR_FORMAT,
                                         "the end record asks for a zip64 record that is not there")
                             : SE_OK;
}

/* The big record takes the place of what the small one says. */
static se_status take_zip64_record(struct archive *archive, const unsigned char *record,
                                   se_error *err)
{
    struct eocd big = archive->eocd;

    if (le_get32(record) != EOCD64_SIGNATURE || le_get64(record + 4) != EOCD64_SIZE - 12)
        return error_set(err, SE_ERR_FORMAT, "no plain zip64 end record where the locator says");
    if (tidy_version(le_get16(record + 14)) != le_get16(record + 14) && !archive->limits.tidies)
        return error_set(err, SE_ERR_FORMAT,
                         "the zip64 end record needs version %u, some readers know %d",
                         le_get16(record + 14), VERSION_MOST);
    big.first = archive->eocd.at - LOCATOR_SIZE - EOCD64_SIZE;
    big.disk = le_get32(record + 16);
    big.directory_disk = le_get32(record + 20);
    big.here = le_get64(record + 24);
    big.entries = le_get64(record + 32);
    big.size = le_get64(record + 40);
    big.offset = le_get64(record + 48);
    if (!fields_agree(&archive->eocd, &big))
        return error_set(err, SE_ERR_FORMAT, "the zip64 end record and the end record disagree");
    archive->eocd = big;
    return SE_OK;
}

static se_status read_zip64_record(struct archive *archive, se_error *err)
{
    unsigned char record[EOCD64_SIZE], locator[LOCATOR_SIZE];
    uint64_t at = archive->eocd.at, offset;

    if (at < EOCD64_SIZE + LOCATOR_SIZE)
        return refuse_missing_zip64(&archive->eocd, err);
    TRY(archive_read(archive, locator, at - LOCATOR_SIZE, LOCATOR_SIZE, err));
    if (le_get32(locator) != LOCATOR_SIGNATURE)
        return refuse_missing_zip64(&archive->eocd, err);
    offset = at - LOCATOR_SIZE - EOCD64_SIZE;
    if (le_get32(locator + 4) || le_get64(locator + 8) != offset || le_get32(locator + 16) != 1)
        return error_set(err, SE_ERR_FORMAT,
                         "the zip64 locator does not point to the record in front of it");
    TRY(archive_read(archive, record, offset, EOCD64_SIZE, err));
    return take_zip64_record(archive, record, err);
}

se_status eocd_read(struct archive *archive, se_error *err)
{
    se_status st = check_comment(archive, err);

    return st ? st : read_zip64_record(archive, err);
}

se_status eocd_check_disks(struct archive *archive, se_error *err)
{
    const struct eocd *eocd = &archive->eocd;

    if (eocd->disk || eocd->directory_disk || eocd->here != eocd->entries)
        return error_set(err, SE_ERR_FORMAT, "the archive is split over several disks");
    return SE_OK;
}

se_status eocd_check_place(struct archive *archive, se_error *err)
{
    const struct eocd *eocd = &archive->eocd;

    if (eocd->offset > eocd->first || eocd->first - eocd->offset != eocd->size)
        return error_set(err, SE_ERR_FORMAT,
                         "the central directory of %ju bytes at %ju does not end where the end "
                         "record begins, at %ju: bytes are missing or hidden",
                         (uintmax_t)eocd->size, (uintmax_t)eocd->offset, (uintmax_t)eocd->first);
    if (eocd->entries > eocd->size / CENTRAL_SIZE)
        return error_set(err, SE_ERR_FORMAT, "%ju entries in a central directory of %ju bytes",
                         (uintmax_t)eocd->entries, (uintmax_t)eocd->size);
    return SE_OK;
}

se_status eocd_check_count(struct archive *archive, se_error *err)
{
    uint64_t entries = archive->eocd.entries, most = archive->limits.entries;

    if (entries > most)
        return error_set(err, SE_ERR_REJECTED,
                         "%ju entries, more than the limit of %ju (--max-entries)",
                         (uintmax_t)entries, (uintmax_t)most);
    return SE_OK;
}
