/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { BEHIND_MOST = 16 << 20 };

/* "C:\\keys\\a.p12", "\\\\server\\keys", also behind the folder that a relative path was put in. */
const char *file_hint(const char *path)
{
    for (const char *p = path; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
        if ((isalpha((unsigned char)p[0]) && p[1] == ':' && (p[2] == '\\' || p[2] == '/')) ||
            (p[0] == '\\' && p[1] == '\\'))
            return " (that is a path of Windows; here, paths are as /srv/keys/key.p12)";
    return strchr(path, '\\') ? " (here, folders end with '/', not with '\\')" : "";
}

static se_status set_refusal(const char *what, const char *path, se_error *err)
{
    se_status status = errno == EACCES || errno == EPERM ? SE_ERR_ACCESS : SE_ERR_IO;

    return error_set(err, status, "cannot %s '%s': %s%s", what, path, strerror(errno),
                     errno == ENOENT ? file_hint(path) : "");
}

static ssize_t read_some(int fd, void *data, size_t size)
{
    ssize_t n;

    do
        n = read(fd, data, size);
    while (n < 0 && errno == EINTR);
    return n;
}

/* A pipe without a writer is empty; one with a writer, as in `<(command)`, has to be waited for. */
int file_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd >= 0)
        (void)fcntl(fd, F_SETFL, 0);
    return fd;
}

se_status file_read(se_buf *out, const char *path, size_t limit, se_error *err)
{
    AUTO(file) fd = file_open(path);

    return file_read_open(out, fd, path, limit, err);
}

se_status file_read_open(se_buf *out, int fd, const char *path, size_t limit, se_error *err)
{
    AUTO(writer) w = { 0 };
    AUTO(se_buf) chunk = SE_BUF_INIT;
    struct stat info;
    ssize_t n;

    *out = (se_buf)SE_BUF_INIT;
    if (fd < 0 || fstat(fd, &info))
        return set_refusal("read", path, err);
    if (S_ISREG(info.st_mode) && (uintmax_t)info.st_size > limit)
        return error_set(err, SE_ERR_FORMAT, "'%s' has %jd bytes, more than %zu", path,
                         (intmax_t)info.st_size, limit);
    TRY(buf_new(&chunk, 65536, err));
    while ((n = read_some(fd, chunk.data, chunk.size)) > 0) {
        writer_put(&w, chunk.data, (size_t)n);
        if (w.buf.size > limit)
            return error_set(err, SE_ERR_FORMAT, "'%s' has more than %zu bytes", path, limit);
    }
    if (n < 0)
        return set_refusal("read", path, err);
    return writer_finish(out, &w, err);
}

char *file_folder(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

char *file_join(const char *folder, const char *name)
{
    char *joined;

    if (*name == '/')
        return strdup(name);
    return asprintf(&joined, "%s/%s", folder, name) < 0 ? NULL : joined;
}

const char *write_reason(int number)
{
    return number == EBADF ? "it is closed" : strerror(number);
}

int write_all(int fd, const void *data, size_t size)
{
    const char *p = data;

    while (size) {
        ssize_t n = write(fd, p, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        p += n;
        size -= (size_t)n;
    }
    return 0;
}

char *file_target(const char *path)
{
    char *real = realpath(path, NULL);

    return real ? real : strdup(path);
}

/* A device, a pipe or a file without a name can't be replaced, only written to. */
static se_status open_special(struct output *out, se_error *err)
{
    if (out->secret)
        return error_set(err, SE_ERR_USAGE,
                         "'%s' is no file that could be written beside itself and then replaced",
                         out->path);
    out->in_place = true;
    out->fd = open(out->path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
    return out->fd < 0 ? set_refusal("write", out->path, err) : SE_OK;
}

/* The way by which a file without a name gets one. */
static bool descriptor_path(char out[32], int fd)
{
    return snprintf(out, 32, "/proc/self/fd/%d", fd) > 0 && !access(out, F_OK);
}

static bool link_to(const struct output *out, const char *name)
{
    char way[32];

    return descriptor_path(way, out->fd) &&
           !linkat(AT_FDCWD, way, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

static bool open_named(struct output *out, mode_t mode)
{
    if (out->fd >= 0)
        return link_to(out, out->temporary);
    out->fd = open(out->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    return out->fd >= 0;
}

/* Of random letters, as mkstemp(3) has them, but for a file that is there already, or that is made
 * with `mode`. */
static bool name_output(struct output *out, mode_t mode)
{
    for (int tries = 0; tries < 100; tries++) {
        uint64_t number;

        if (getrandom(&number, sizeof number, 0) != sizeof number ||
            asprintf(&out->temporary, "%s.%016jx", out->path, (uintmax_t)number) < 0) {
            out->temporary = NULL;
            return false;
        }
        if (open_named(out, mode))
            return true;
        free(out->temporary);
        out->temporary = NULL;
        if (errno != EEXIST)
            return false;
    }
    return false;
}

static int open_nameless(const char *folder, mode_t mode)
{
    return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
}

int file_unnamed(const char *folder)
{
    return open_nameless(folder, 0600);
}

/* The umask counts, as it does for every new file: only the kernel knows it while others may set
 * it. */
static se_status open_new(struct output *out, mode_t mode, se_error *err)
{
    char *folder = file_folder(out->path), way[32];

    if (!folder)
        return error_memory(err);
    out->fd = open_nameless(folder, mode);
    free(folder);
    if (out->fd >= 0 && descriptor_path(way, out->fd))
        return SE_OK;
    file_close(&out->fd);
    return name_output(out, mode) ? SE_OK : set_refusal("write", out->path, err);
}

static se_status refuse_unlike(const struct output *out, const char *what, const char *advice,
                               se_error *err)
{
    const int why = errno;

    return error_set(err, why == EACCES || why == EPERM ? SE_ERR_ACCESS : SE_ERR_IO,
                     "cannot replace '%s': the new file would not keep its %s: %s%s", out->path,
                     what, strerror(why), advice);
}

/* What others may do with the file, and what users have said of it.  The rest of the attributes is
 * about the content, as security.ima, or for backups of the file as a whole. */
static bool is_kept(const char *attribute)
{
    return !strcmp(attribute, "system.posix_acl_access") ||
           !strcmp(attribute, "security.selinux") || !strncmp(attribute, "user.", strlen("user."));
}

static bool copy_attribute(const struct output *out, const char *name)
{
    ssize_t size = getxattr(out->path, name, NULL, 0);
    char *value = size >= 0 ? malloc((size_t)size + 1) : NULL;
    bool done = value && (size = getxattr(out->path, name, value, (size_t)size)) >= 0 &&
                !fsetxattr(out->fd, name, value, (size_t)size, 0);

    free(value);
    return done;
}

/* A file system without such attributes has none to keep. */
static se_status keep_attributes(const struct output *out, se_error *err)
{
    ssize_t size = listxattr(out->path, NULL, 0);
    char *names = size > 0 ? malloc((size_t)size) : NULL;
    se_status st = SE_OK;

    if (size > 0 && !names)
        return error_memory(err);
    size = names ? listxattr(out->path, names, (size_t)size) : size;
    if (size < 0 && errno != ENOTSUP)
        st = refuse_unlike(out, "attributes", "", err);
    for (ssize_t at = 0; !st && at < size; at += (ssize_t)strlen(names + at) + 1)
        if (is_kept(names + at) && !copy_attribute(out, names + at))
            st = refuse_unlike(out, names + at, "", err);
    free(names);
    return st;
}

/* A program that runs as root must not lock the user out for whom the file is. */
static se_status keep_owner(const struct output *out, const struct stat *old, se_error *err)
{
    struct stat new;

    if (fstat(out->fd, &new))
        return set_refusal("write", out->path, err);
    if (new.st_uid != old->st_uid && fchown(out->fd, old->st_uid, (gid_t)-1))
        return refuse_unlike(out, "owner", "; do it as that user, or as root", err);
    if (new.st_gid != old->st_gid && fchown(out->fd, (uid_t)-1, old->st_gid))
        return refuse_unlike(out, "group", "; do it as a member of it, or as root", err);
    return SE_OK;
}

/* The mode comes after the owner, who may have taken bits of it away, and before the list of those
 * who have rights of their own, which is in the mode too. */
static se_status open_replacing(struct output *out, const struct stat *old, se_error *err)
{
    TRY(open_new(out, 0600, err));
    TRY(keep_owner(out, old, err));
    if (fchmod(out->fd, old->st_mode & 07777))
        return set_refusal("write", out->path, err);
    return keep_attributes(out, err);
}

static se_status open_output(struct output *out, const char *path, mode_t mode, se_error *err)
{
    struct stat info;
    se_status st;

    if (!(out->path = file_target(path)))
        return error_memory(err);
    if (stat(out->path, &info))
        st = open_new(out, mode, err);
    else if (S_ISREG(info.st_mode) && info.st_nlink)
        st = open_replacing(out, &info, err);
    else
        st = open_special(out, err);
    if (st)
        output_discard(out);
    return st;
}

se_status output_open(struct output *out, const char *path, mode_t mode, se_error *err)
{
    *out = (struct output)OUTPUT_INIT;
    return open_output(out, path, mode, err);
}

se_status output_open_secret(struct output *out, const char *path, mode_t mode, se_error *err)
{
    *out = (struct output)OUTPUT_INIT;
    out->secret = true;
    return open_output(out, path, mode, err);
}

se_status output_write(struct output *out, se_bytes data, se_error *err)
{
    if (write_all(out->fd, data.data, data.size))
        return set_refusal("write", out->path, err);
    output_wrote(out, data.size);
    return SE_OK;
}

/* Where there is no disk behind it, nothing happens.  What may yet be discarded as a secret is not
 * sent to one before it has to be. */
void output_wrote(struct output *out, size_t size)
{
    out->behind += size;
    if (out->secret || out->behind < BEHIND_MOST)
        return;
    (void)sync_file_range(out->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    out->behind = 0;
}

static bool is_unnamed(const struct output *out)
{
    struct stat info;

    return !out->temporary && !out->in_place && out->fd >= 0 && !fstat(out->fd, &info) &&
           S_ISREG(info.st_mode) && !info.st_nlink;
}

/* Only what replaces another file needs a name of its own, for a moment. */
static bool link_output(struct output *out)
{
    if (!out->temporary && link_to(out, out->path))
        return true;
    return (out->temporary || name_output(out, 0)) && !rename(out->temporary, out->path);
}

/* A name lasts when its folder is on the disk.  A folder that can't be opened, or a file system
 * that does not sync folders, can't be helped. */
static se_status sync_folder(const struct output *out, se_error *err)
{
    char *folder = file_folder(out->path);
    AUTO(file) fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    free(folder);
    if (!folder)
        return error_memory(err);
    if (fd < 0 || !fsync(fd) || errno == EINVAL || errno == ENOTSUP || errno == EROFS)
        return SE_OK;
    return error_set(
        err, SE_ERR_IO,
        "'%s' is written, but its folder can't be synced, so that it may be gone after "
        "a crash: %s",
        out->path, strerror(errno));
}

static se_status name_whole(struct output *out, se_error *err)
{
    if (fsync(out->fd) || !link_output(out))
        return set_refusal("write", out->path, err);
    free(out->temporary);
    out->temporary = NULL;
    out->secret = false;
    return sync_folder(out, err);
}

se_status output_commit(struct output *out, se_error *err)
{
    if (out->temporary || is_unnamed(out))
        TRY(name_whole(out, err));
    free(out->temporary);
    out->temporary = NULL;
    out->secret = false;
    output_discard(out);
    return SE_OK;
}

void file_wipe(int fd)
{
    static const char zeros[65536];
    struct stat info;
    off_t at = 0;

    if (fstat(fd, &info) || !S_ISREG(info.st_mode))
        return;
    while (at < info.st_size) {
        off_t left = info.st_size - at;
        ssize_t n = pwrite(fd, zeros, left < (off_t)sizeof zeros ? (size_t)left : sizeof zeros, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        at += n;
    }
    (void)fdatasync(fd);
}

void output_discard(struct output *out)
{
    if (out->secret && (out->temporary || is_unnamed(out)))
        file_wipe(out->fd);
    if (out->temporary && out->fd >= 0)
        (void)unlink(out->temporary);
    file_close(&out->fd);
    free(out->temporary);
    free(out->path);
    *out = (struct output)OUTPUT_INIT;
}

void file_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

se_status file_open_stream(int *fd, const char *path, se_error *err)
{
    struct stat info;
    int why = 0;

    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0 || fstat(*fd, &info))
        why = errno;
    else if (S_ISDIR(info.st_mode))
        why = EISDIR;
    if (why) {
        file_close(fd);
        return error_set(err, why == EACCES || why == EPERM ? SE_ERR_ACCESS : SE_ERR_IO,
                         "cannot read '%s': %s", path, strerror(why));
    }
    (void)posix_fadvise(*fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return SE_OK;
}

/* ---- folders ---- */

static int select_inside(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static se_status take_entry(const char *folder, const char *name, folder_entry_fn *fn, void *arg,
                            se_error *err)
{
    char *path = file_join(folder, name);
    se_status st = path ? fn(arg, path, err) : error_memory(err);

    free(path);
    return st;
}

se_status folder_each(const char *folder, folder_entry_fn *fn, void *arg, se_error *err)
{
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, select_inside, alphasort);
    se_status st = SE_OK;

    if (count < 0)
        return error_set(err, errno == EACCES ? SE_ERR_ACCESS : SE_ERR_IO, "cannot read '%s': %s",
                         folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        if (!st)
            st = take_entry(folder, entries[i]->d_name, fn, arg, err);
        free(entries[i]);
    }
    free(entries);
    return st;
}
