/* Containers from file to file. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arguments.h"
#include "zip/container.h"

/* A file to read.  fd: -1 when it is not open. */
struct original {
    int fd;
    se_source source;
};

static void original_close(struct original *o)
{
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
}
AUTO_KIND(original, struct original, original_close(p))

static ptrdiff_t read_original(void *arg, void *data, size_t size)
{
    const struct original *o = arg;
    ssize_t n;

    do
        n = read(o->fd, data, size);
    while (n < 0 && errno == EINTR);
    return n;
}

static se_status refuse_unreadable(const char *path, int why, se_error *err)
{
    return error_set(err, why == EACCES || why == EPERM ? SE_ERR_ACCESS : SE_ERR_IO, "cannot read '%s': %s", path, strerror(why));
}

static se_status original_open(struct original *o, const char *path, se_error *err)
{
    struct stat info;

    o->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (o->fd < 0 || fstat(o->fd, &info))
        return refuse_unreadable(path, errno, err);
    if (S_ISDIR(info.st_mode))
        return refuse_unreadable(path, EISDIR, err);
    (void)posix_fadvise(o->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    o->source = (se_source){ read_original, o, S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0 };
    return SE_OK;
}

static int write_output(void *arg, const void *data, size_t size)
{
    const struct output *out = arg;

    return write_all(out->fd, data, size);
}

static se_status encrypt_to_file(const char *path, se_engine *engine, const char *descriptor, const se_source *in,
                                 const se_container_params *params, se_error *err)
{
    AUTO(output) output = OUTPUT_INIT;
    const se_sink sink = { write_output, &output };
    se_status st;

    if ((st = output_open(&output, path, 0644, err)) || (st = se_zip_encrypt_stream(&sink, engine, descriptor, in, params, err)))
        return st;
    return output_commit(&output, err);
}

se_status container_make(const char *path, se_engine *engine, const char *descriptor, int plain, const se_container_params *params,
                         se_error *err)
{
    struct original original = { .fd = plain };
    const se_source source = { read_original, &original, 0 };

    if (lseek(plain, 0, SEEK_SET))
        return error_set(err, SE_ERR_IO, "cannot read the signed archive: %s", strerror(errno));
    return encrypt_to_file(path, engine, descriptor, &source, params, err);
}

se_status se_zip_encrypt(const char *out, se_engine *engine, const char *descriptor, const char *in, const se_container_params *params,
                         se_error *error)
{
    AUTO(original) original = { .fd = -1 };
    se_status st;

    if ((st = arguments_check(error, out, engine, descriptor, in)) || (st = original_open(&original, in, error)))
        return st;
    return encrypt_to_file(out, engine, descriptor, &original.source, params, error);
}

se_status se_zip_decrypt(const char *out, se_engine *engine, const char *descriptor, const char *in, const se_container_params *params,
                         se_error *error)
{
    AUTO(original) original = { .fd = -1 };
    AUTO(output) output = OUTPUT_INIT;
    const se_sink sink = { write_output, &output };
    se_status st;

    if ((st = arguments_check(error, out, engine, descriptor, in)))
        return st;
    if ((st = original_open(&original, in, error)) || (st = output_open_secret(&output, out, 0600, error)) ||
        (st = se_zip_decrypt_stream(&sink, engine, descriptor, &original.source, params, error)))
        return st;
    return output_commit(&output, error);
}
