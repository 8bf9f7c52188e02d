#include "zip/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

se_status archive_read(const struct archive *archive, void *out, uint64_t offset, size_t size, se_error *err)
{
    unsigned char *p = out;

    while (size) {
        ssize_t n = pread(archive->fd, p, size, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, SE_ERR_IO, "cannot read the archive: %s", strerror(errno));
        if (!n)
            return error_set(err, SE_ERR_FORMAT, "the archive ends at byte %ju, where more is expected", (uintmax_t)offset);
        p += n;
        offset += (size_t)n;
        size -= (size_t)n;
    }
    return SE_OK;
}

static se_status open_archive_file(struct archive *archive, const char *path, se_error *err)
{
    struct stat info;

    archive->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (archive->fd < 0 || fstat(archive->fd, &info))
        return error_set(err, errno == EACCES || errno == EPERM ? SE_ERR_ACCESS : SE_ERR_IO, "cannot read: %s", strerror(errno));
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
    { entry_names_check, "; unpack it, give that another name and pack it anew" },
};

se_status archive_open(struct archive *out, const char *path, const struct archive_limits *limits, se_error *err)
{
    se_status st;

    *out = (struct archive){ .fd = -1, .limits = *limits };
    st = open_archive_file(out, path, err);
    for (size_t i = 0; !st && i < sizeof steps / sizeof *steps; i++) {
        st = steps[i].take(out, err);
        if (limits->tidies && (st == SE_ERR_FORMAT || st == SE_ERR_REJECTED))
            (void)error_suffix(err, "%s", steps[i].remedy);
    }
    if (st)
        archive_close(out);
    return st;
}

void archive_close(struct archive *archive)
{
    if (archive->fd >= 0)
        close(archive->fd);
    free(archive->entries);
    free(archive->table);
    writer_free(&archive->names);
    *archive = (struct archive){ .fd = -1 };
}
