/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "zip/archive.h"

/* ---- what the caller's params say ---- */

enum { ENTRIES_MOST = 100000, RATIO_MOST = 200 };
#define TOTAL_MOST ((uint64_t)64 << 30)

se_status zip_time_read(int64_t *time, se_error *err)
{
    if (*time < 0)
        return error_set(err, SE_ERR_USAGE, "a time before 1970");
    if (!*time)
        *time = clock_seconds();
    return SE_OK;
}

struct archive_limits archive_limits_of(uint64_t entries, uint64_t total, uint64_t ratio)
{
    struct archive_limits limits = {
        .entries = entries ? entries : ENTRIES_MOST,
        .total = total ? total : TOTAL_MOST,
        .ratio = ratio ? ratio : RATIO_MOST,
    };

    if (limits.entries > UINT32_MAX - 1)
        limits.entries = UINT32_MAX - 1;
    return limits;
}

/* ---- step by step ---- */

static se_status open_archive_file(struct archive *archive, const char *path, se_error *err)
{
    struct stat info;

    archive->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (archive->fd < 0 || fstat(archive->fd, &info))
        return error_set(err, errno == EACCES || errno == EPERM ? SE_ERR_ACCESS : SE_ERR_IO,
                         "cannot read: %s", strerror(errno));
    if (!S_ISREG(info.st_mode))
        return error_set(err, SE_ERR_IO, "not a regular file: an archive is read from its end");
    archive->size = (uint64_t)info.st_size;
    return SE_OK;
}

#define PACK_ANEW "; unpack it and pack it anew, as with 'zip -r'"

/* What helps who wants to sign an archive that a step refuses. */
static const struct {
    se_status (*take)(struct archive *, se_error *);
    const char *remedy; /* "": nothing, or the text says it */
} steps[] = {
    { eocd_find, "" },
    { eocd_check_tail, "; cut them off, as with 'head -c'" },
    { eocd_read, PACK_ANEW },
    { eocd_check_disks, "; 'zip -s 0' makes one file of its parts" },
    { eocd_check_place, PACK_ANEW },
    { eocd_check_count, "" },
    { central_dir_read, PACK_ANEW },
    { central_dir_check_sizes, "" },
    { local_headers_check, PACK_ANEW },
    { archive_index_names, "" },
    { entry_names_check, "; unpack it, give that another name and pack it anew" },
};

se_status archive_open(struct archive *out, const char *path, const struct archive_limits *limits,
                       se_error *err)
{
    se_status st;

    *out = (struct archive){ .fd = -1, .limits = *limits };
    st = open_archive_file(out, path, err);
    for (size_t i = 0; !st && i < sizeof steps / sizeof *steps; i++) {
        st = steps[i].take(out, err);
        if (limits->tidies && (st == SE_ERR_FORMAT || st == SE_ERR_REJECTED))
            (void)error_suffix(err, st, "%s", steps[i].remedy);
    }
    if (st)
        archive_close(out);
    return st;
}
