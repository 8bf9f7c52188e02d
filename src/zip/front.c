#include "zip/front.h"

#include <libdeflate.h>
#include <time.h>

#include "zip/records.h"

enum { VERSION_PLAIN = 10, MADE_BY = 20 };

/* The extra field that only makes a record longer (Apache Commons Compress): an alignment, of bytes as it is here, then zeros. */
enum { PADDING_LEAST = 4 + 2, PADDING_MOST = 65535, ALIGNED_TO_BYTES = 1 };

static size_t padding_of(const struct front *front, size_t index)
{
    return index == FRONT_FILES - 1 ? front->padding : 0;
}

static uint64_t file_size(const struct front *front, size_t index)
{
    const struct front_file *file = &front->files[index];

    return LOCAL_SIZE + strlen(file->name) + padding_of(front, index) + file->content.size;
}

uint64_t front_size(const struct front *front)
{
    uint64_t size = 0;

    for (size_t i = 0; i < FRONT_FILES; i++)
        size += file_size(front, i);
    return size;
}

bool front_pad(struct front *front, uint64_t size)
{
    uint64_t least, left;

    front->padding = 0;
    least = front_size(front);
    if (size < least)
        return false;
    left = size - least;
    if (left && (left < PADDING_LEAST || left > PADDING_MOST))
        return false;
    front->padding = (size_t)left;
    return true;
}

/* MS-DOS has local times; UTC gives everybody the same bytes. */
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

/* The part that both headers have, from "version needed" to the name's length. */
static void put_common(unsigned char *p, const struct front *front, const struct front_file *file)
{
    const uint32_t crc = libdeflate_crc32(0, file->content.data, file->content.size);

    le_put(p, VERSION_PLAIN, 2);
    put_time(p + 6, front->time);
    le_put(p + 10, crc, 4);
    le_put(p + 14, file->content.size, 4);
    le_put(p + 18, file->content.size, 4);
    le_put(p + 22, strlen(file->name), 2);
}

static se_status put_padding(struct pen *pen, size_t size, se_error *err)
{
    static const unsigned char zeros[4096];
    unsigned char head[PADDING_LEAST];
    se_status st;

    if (!size)
        return SE_OK;
    le_put(head, EXTRA_ALIGNMENT, 2);
    le_put(head + 2, size - 4, 2);
    le_put(head + 4, ALIGNED_TO_BYTES, 2);
    st = pen_put(pen, head, sizeof head, err);
    for (size_t left = size - sizeof head, n; !st && left; left -= n) {
        n = left < sizeof zeros ? left : sizeof zeros;
        st = pen_put(pen, zeros, n, err);
    }
    return st;
}

static se_status put_file(struct pen *pen, const struct front *front, size_t index, se_error *err)
{
    const struct front_file *file = &front->files[index];
    unsigned char header[LOCAL_SIZE] = { 0 };
    se_status st;

    le_put(header, LOCAL_SIGNATURE, 4);
    put_common(header + 4, front, file);
    le_put(header + 28, padding_of(front, index), 2);
    if ((st = pen_put(pen, header, sizeof header, err)) || (st = pen_put(pen, file->name, strlen(file->name), err)) ||
        (st = put_padding(pen, padding_of(front, index), err)))
        return st;
    return pen_put(pen, file->content.data, file->content.size, err);
}

se_status front_put(struct pen *pen, const struct front *front, se_error *err)
{
    se_status st = SE_OK;

    for (size_t i = 0; !st && i < FRONT_FILES; i++)
        st = put_file(pen, front, i, err);
    return st;
}

static se_status put_central(struct pen *pen, const struct front *front, size_t index, uint64_t offset, se_error *err)
{
    const struct front_file *file = &front->files[index];
    unsigned char header[CENTRAL_SIZE] = { 0 };
    se_status st;

    le_put(header, CENTRAL_SIGNATURE, 4);
    le_put(header + 4, MADE_BY, 2);
    put_common(header + 6, front, file);
    le_put(header + 42, offset, 4);
    st = pen_put(pen, header, sizeof header, err);
    return st ? st : pen_put(pen, file->name, strlen(file->name), err);
}

se_status front_put_central(struct pen *pen, const struct front *front, se_error *err)
{
    uint64_t offset = 0;
    se_status st = SE_OK;

    for (size_t i = 0; !st && i < FRONT_FILES; i++) {
        st = put_central(pen, front, i, offset, err);
        offset += file_size(front, i);
    }
    return st;
}
