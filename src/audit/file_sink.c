/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files, and standard output. A file may be rotated by anybody, by renaming or by deleting; several
 * processes may append to one, and lock it for a moment. What is promised of a disk's room is
 * promised to one process for each file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/sink.h"
#include "base/file.h"

struct file_sink {
    char *path;
    int fd;
    bool required, regular;
    unsigned promised; /* records, for which room was made */
};

static se_status fail_file(const struct file_sink *f, se_status st, const char *what, se_error *err)
{
    return error_set(err, st, "cannot %s '%s': %s%s", what, f->path, strerror(errno),
                     errno == ENOENT ? file_hint(f->path) : "");
}

/* ---- room ---- */

/* Behind the end of the file, so that nobody sees it; -1 with errno set. What a file system can't
 * promise, it does not refuse. */
static int allocate_room(const struct file_sink *f, int fd, unsigned records)
{
    const off_t size = (off_t)records * RECORD_SIZE;
    struct rlimit limit;
    struct stat info;

    if (!records || fstat(fd, &info) || !S_ISREG(info.st_mode))
        return 0;
    if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY &&
        (rlim_t)(info.st_size + size) > limit.rlim_cur) {
        errno = EFBIG;
        return -1;
    }
    if (!f->required || !fallocate(fd, FALLOC_FL_KEEP_SIZE, info.st_size, size))
        return 0;
    return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -1;
}

/* ---- which file ---- */

static int open_file(const char *path)
{
    return open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

static void use_file(struct file_sink *f, int fd)
{
    struct stat info;

    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = fd;
    f->regular = !fstat(fd, &info) && S_ISREG(info.st_mode);
}

/* Whether the path leads to the open file. */
static bool is_current(const struct file_sink *f)
{
    struct stat here, there;

    return f->fd >= 0 && !fstat(f->fd, &here) && !stat(f->path, &there) &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* A file that was renamed, and not deleted, holds records as well, and has the room that was
 * promised. */
static bool is_somewhere(const struct file_sink *f)
{
    struct stat here;

    return f->fd >= 0 && !fstat(f->fd, &here) && here.st_nlink > 0;
}

/* Goes on in a new file when the old one was taken away. */
static se_status follow_rotation(struct file_sink *f, se_error *err)
{
    AUTO(file) fd = -1;

    if (is_current(f))
        return SE_OK;
    fd = open_file(f->path);
    if (fd >= 0 && (!f->promised || !allocate_room(f, fd, f->promised))) {
        use_file(f, fd);
        fd = -1;
        return SE_OK;
    }
    return is_somewhere(f) ? SE_OK : fail_file(f, SE_ERR_UNAVAILABLE, "write", err);
}

/* ---- lines ---- */

/* Half a line may stand there since a process or a machine came to a sudden end: it becomes a line
 * of its own. */
static se_status end_last_line(const struct file_sink *f, off_t size, se_error *err)
{
    char last = '\n';

    if (!f->regular || !size || pread(f->fd, &last, 1, size - 1) != 1 || last == '\n')
        return SE_OK;
    return write_all(f->fd, "\n", 1) ? fail_file(f, SE_ERR_UNAVAILABLE, "write", err) : SE_OK;
}

/* One line, by one call. On a full disk it may come short; then what there is of it goes, and with
 * it the room behind the end. */
static se_status append_line(const struct file_sink *f, se_bytes line, se_error *err)
{
    const off_t before = f->regular ? lseek(f->fd, 0, SEEK_END) : 0;
    ssize_t written;

    do
        written = write(f->fd, line.data, line.size);
    while (written < 0 && errno == EINTR);
    if (written == (ssize_t)line.size)
        return SE_OK;
    errno = written < 0 ? errno : ENOSPC;
    (void)fail_file(f, SE_ERR_UNAVAILABLE, "write", err);
    if (written > 0 && f->regular) {
        (void)!ftruncate(f->fd, before);
        (void)allocate_room(f, f->fd, f->promised);
    }
    return SE_ERR_UNAVAILABLE;
}

static se_status append_lines(size_t *written, const struct file_sink *f, const se_bytes *lines,
                              size_t count, se_error *err)
{
    TRY(end_last_line(f, f->regular ? lseek(f->fd, 0, SEEK_END) : 0, err));
    for (; *written < count; ++*written)
        TRY(append_line(f, lines[*written], err));
    return SE_OK;
}

/* ---- files ---- */

static void file_sink_close(void *state)
{
    struct file_sink *f = state;

    if (!f)
        return;
    if (f->fd >= 0)
        (void)close(f->fd);
    free(f->path);
    free(f);
}

static se_status file_sink_open(void **out, const struct sink_setup *setup, se_error *err)
{
    struct file_sink *f = calloc(1, sizeof *f);
    int fd;

    *out = f;
    if (!f)
        return error_memory(err);
    f->fd = -1;
    f->required = setup->options->required;
    if (!(f->path = strdup(setup->options->place)))
        return error_memory(err);
    if ((fd = open_file(f->path)) < 0)
        return fail_file(f, errno == ENOSPC ? SE_ERR_UNAVAILABLE : SE_ERR_CONFIG, "write", err);
    use_file(f, fd);
    return SE_OK;
}

/* Nobody else is between two lines of his, or about to take half a one back. */
static void lock_file(const struct file_sink *f, int operation)
{
    while (flock(f->fd, operation) && errno == EINTR)
        ;
}

static se_status file_sink_reserve(void *state, unsigned records, se_error *err)
{
    struct file_sink *f = state;
    int failed;

    f->promised = 0;
    TRY(follow_rotation(f, err));
    lock_file(f, LOCK_EX);
    failed = allocate_room(f, f->fd, records);
    lock_file(f, LOCK_UN);
    if (failed)
        return fail_file(f, SE_ERR_UNAVAILABLE, "reserve room in", err);
    f->promised = records;
    return SE_OK;
}

static se_status file_sink_write(size_t *written, void *state, const se_bytes *lines, size_t count,
                                 se_error *err)
{
    struct file_sink *f = state;
    se_status st;

    TRY(follow_rotation(f, err));
    lock_file(f, LOCK_EX);
    st = append_lines(written, f, lines, count, err);
    lock_file(f, LOCK_UN);
    if (f->required && f->regular && *written && fdatasync(f->fd)) {
        *written = 0;
        return fail_file(f, SE_ERR_UNAVAILABLE, "write", err);
    }
    return st;
}

const struct sink_type file_sink_type = {
    .name = "file",
    .ahead = 64,
    .open = file_sink_open,
    .close = file_sink_close,
    .reserve = file_sink_reserve,
    .write = file_sink_write,
};

/* ---- standard output ---- */

static se_status stdout_sink_open(void **out, const struct sink_setup *setup, se_error *err)
{
    (void)setup;
    (void)err;
    *out = NULL;
    return SE_OK;
}

static void stdout_sink_close(void *state)
{
    (void)state;
}

static se_status stdout_sink_reserve(void *state, unsigned records, se_error *err)
{
    (void)state;
    (void)records;
    (void)err;
    return SE_OK;
}

static se_status stdout_sink_write(size_t *written, void *state, const se_bytes *lines,
                                   size_t count, se_error *err)
{
    (void)state;
    for (; *written < count; ++*written)
        if (write_all(STDOUT_FILENO, lines[*written].data, lines[*written].size))
            return error_set(err, SE_ERR_UNAVAILABLE, "cannot write standard output: %s",
                             write_reason(errno));
    return SE_OK;
}

const struct sink_type stdout_sink_type = {
    .name = "stdout",
    .open = stdout_sink_open,
    .close = stdout_sink_close,
    .reserve = stdout_sink_reserve,
    .write = stdout_sink_write,
};
