#include "config/pin_key.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"

enum { SECRET_MAX = 4096 };

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}
AUTO_KIND(fd, int, close_fd(*p))

/* Pipes without a name and terminals are the affair of whoever started this process, and opened
 * them. */
static bool has_owner(int fd, const struct stat *info)
{
    struct statfs system;

    return S_ISREG(info->st_mode) ||
           (S_ISFIFO(info->st_mode) && !fstatfs(fd, &system) && system.f_type != PIPEFS_MAGIC);
}

/*
 * Of what is open: a name may lead elsewhere a moment later.  Links are followed, since what they
 * lead to has to be root's or ours: a file that somebody puts in its place is neither.
 */
static se_status check_file(int fd, const char *path, unsigned forbidden, se_error *err)
{
    struct stat info;

    if (fstat(fd, &info))
        return error_set(err, SE_ERR_ACCESS, "cannot read '%s': %s", path, strerror(errno));
    if (!has_owner(fd, &info))
        return SE_OK;
    if (info.st_mode & forbidden)
        return error_set(err, SE_ERR_ACCESS, "'%s' has mode %04o: others may %s it", path,
                         (unsigned)info.st_mode & 07777,
                         info.st_mode & forbidden & (S_IWGRP | S_IWOTH) ? "change" : "read");
    if (info.st_uid && info.st_uid != geteuid())
        return error_set(
            err, SE_ERR_ACCESS,
            "'%s' belongs to user %u, who may change it: root or user %u has to own it", path,
            (unsigned)info.st_uid, (unsigned)geteuid());
    return SE_OK;
}

se_status secret_file_read(se_buf *out, const char *path, unsigned forbidden, se_error *err)
{
    AUTO(fd) fd = file_open(path);
    se_error why = SE_ERROR_INIT;
    se_status st =
        fd < 0 ? error_set(err, SE_ERR_ACCESS, "cannot read '%s': %s", path, strerror(errno))
               : SE_OK;

    *out = (se_buf)SE_BUF_INIT;
    if (st || (st = check_file(fd, path, forbidden, err)))
        return st;
    if (file_read_open(out, fd, path, SECRET_MAX, &why))
        return error_set(err, why.status == SE_ERR_MEMORY ? why.status : SE_ERR_ACCESS, "%s",
                         why.text);
    return SE_OK;
}

static void drop_line_end(se_buf *text)
{
    if (text->size && text->data[text->size - 1] == '\n')
        text->data[--text->size] = '\0';
}

se_status pin_key_read(se_buf *out, const char *path, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(se_buf) key = SE_BUF_INIT;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if ((st = secret_file_read(&text, path, S_IWGRP | S_IROTH | S_IWOTH, err))) {
        (void)error_prefix(err, "the key that scrambles PINs: ");
        return st;
    }
    drop_line_end(&text);
    if (base64_decode(&key, buf_bytes(&text), NULL) || key.size != PIN_KEY_SIZE)
        return error_set(err, SE_ERR_ACCESS,
                         "the key that scrambles PINs: '%s' does not hold %d bytes in base64", path,
                         PIN_KEY_SIZE);
    *out = buf_move(&key);
    return SE_OK;
}

static se_status new_key(se_buf *text, se_error *err)
{
    AUTO(se_buf) key = SE_BUF_INIT;
    AUTO(se_buf) digits = SE_BUF_INIT;
    AUTO(writer) line = { 0 };

    TRY(buf_new(&key, PIN_KEY_SIZE, err));
    if (RAND_priv_bytes(key.data, PIN_KEY_SIZE) != 1)
        return error_set(err, SE_ERR_CRYPTO, "no random numbers");
    TRY(base64_encode(&digits, buf_bytes(&key), err));
    writer_put(&line, digits.data, digits.size);
    writer_text(&line, "\n");
    return writer_finish(text, &line, err);
}

static int write_and_close(int fd, const se_buf *text)
{
    int failed = fchmod(fd, 0600) || write_all(fd, text->data, text->size) || fsync(fd);
    int reason = errno;

    close(fd);
    errno = reason;
    return failed;
}

/* Two that scramble at once: the one that comes second takes the key of the first. */
static se_status make(const char *path, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st = new_key(&text, err);
    int fd;

    if (st)
        return st;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return SE_OK;
    if (fd < 0)
        return error_set(err, SE_ERR_ACCESS, "cannot make '%s', the key that scrambles PINs: %s",
                         path, strerror(errno));
    if (write_and_close(fd, &text)) {
        se_status failed =
            error_set(err, SE_ERR_ACCESS, "cannot write '%s', the key that scrambles PINs: %s",
                      path, strerror(errno));

        (void)unlink(path);
        return failed;
    }
    return SE_OK;
}

se_status pin_key_make(se_buf *out, const char *path, se_error *err)
{
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if (access(path, F_OK) && errno == ENOENT && (st = make(path, err)))
        return st;
    return pin_key_read(out, path, err);
}
