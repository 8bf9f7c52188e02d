#include "cli/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATE_LIMIT = 4096 };

static se_status cannot(const char *what, const char *name, se_error *err)
{
    return error_set(err, errno == EACCES || errno == EPERM ? SE_ERR_ACCESS : SE_ERR_IO,
                     "cannot %s '%s': %s", what, name, strerror(errno));
}

static int failed(struct checkpoint *c)
{
    c->failed = true;
    return -1;
}

static int write_out(void *arg, const void *data, size_t size)
{
    struct checkpoint *c = arg;

    c->size += size;
    return write_all(c->fd, data, size) ? failed(c) : 0;
}

static int write_reject(void *arg, const void *data, size_t size)
{
    struct checkpoint *c = arg;

    c->bad += size;
    return write_all(c->rejects, data, size) ? failed(c) : 0;
}

/* Another file under the same name has another number, size or time. */
static se_status identify(struct checkpoint *c, const struct input *input, const char *job,
                          se_error *err)
{
    struct stat info;

    if (fstat(input->fd, &info))
        return cannot("read", input->name, err);
    if (!S_ISREG(info.st_mode))
        return error_set(err, SE_ERR_USAGE,
                         "%s is no file: a job that can go on where it was stopped needs one",
                         input->name);
    (void)snprintf(c->input, sizeof c->input, "%.40s %ju %ju %jd %jd.%09ld", job,
                   (uintmax_t)info.st_dev, (uintmax_t)info.st_ino, (intmax_t)info.st_size,
                   (intmax_t)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    return SE_OK;
}

static se_status parse(struct checkpoint *c, const char *text, se_error *err)
{
    char input[sizeof c->input] = "";
    int end = 0;

    if (sscanf(text, "signengine 1\n%119[^\n]\n%ju %ju %ju %ju %ju %ju\n%n", input, &c->consumed,
               &c->size, &c->bad, &c->count.lines, &c->count.kept, &c->count.rejected, &end) != 7 ||
        text[end])
        return error_set(err, SE_ERR_USAGE,
                         "'%s' is not what this command writes: remove it to begin anew", c->state);
    if (strcmp(input, c->input) != 0)
        return error_set(err, SE_ERR_USAGE,
                         "'%s' is of another input or another job: remove it to begin anew",
                         c->state);
    c->resumed = true;
    return SE_OK;
}

static se_status load(struct checkpoint *c, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    if (access(c->state, F_OK) && errno == ENOENT)
        return SE_OK;
    TRY(file_read(&text, c->state, STATE_LIMIT, err));
    return parse(c, (const char *)text.data, err);
}

/* What was written after the last checkpoint is written again. */
static se_status open_at(int *fd, const char *path, uint64_t size, se_error *err)
{
    struct stat info;

    *fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0 || fstat(*fd, &info))
        return cannot("write", path, err);
    if (flock(*fd, LOCK_EX | LOCK_NB))
        return error_set(err, SE_ERR_IO, "'%s' is being written by another process", path);
    if ((uint64_t)info.st_size < size)
        return error_set(err, SE_ERR_USAGE, "'%s' has %jd bytes, the checkpoint says %" PRIu64,
                         path, (intmax_t)info.st_size, size);
    if (ftruncate(*fd, (off_t)size) || lseek(*fd, 0, SEEK_END) < 0)
        return cannot("write", path, err);
    return SE_OK;
}

se_status checkpoint_open(struct checkpoint *c, const char *out, const char *rejects,
                          const struct input *input, const char *job, se_error *err)
{
    c->out = file_target(out);
    c->rejects_path = rejects;
    c->sink = (se_sink){ write_out, c };
    c->reject_sink = (se_sink){ write_reject, c };
    if (!c->out || asprintf(&c->partial, "%s.partial", c->out) < 0 ||
        asprintf(&c->state, "%s.checkpoint", c->out) < 0)
        return error_memory(err);
    TRY(identify(c, input, job, err));
    TRY(load(c, err));
    TRY(open_at(&c->fd, c->partial, c->size, err));
    TRY(open_at(&c->rejects, rejects, c->bad, err));
    if (lseek(input->fd, (off_t)c->consumed, SEEK_SET) < 0)
        return cannot("read", input->name, err);
    return SE_OK;
}

static se_status settle(int fd, const char *path, se_error *err)
{
    return fdatasync(fd) ? cannot("write", path, err) : SE_OK;
}

se_status checkpoint_save(struct checkpoint *c, uint64_t consumed, const struct line_count *count,
                          se_error *err)
{
    AUTO(output) state = OUTPUT_INIT;
    AUTO(writer) w = { 0 };

    writer_format(&w,
                  "signengine 1\n%s\n%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                  " %" PRIu64 "\n",
                  c->input, consumed, c->size, c->bad, count->lines, count->kept, count->rejected);
    if (w.failed)
        return error_memory(err);
    TRY(settle(c->fd, c->partial, err));
    TRY(settle(c->rejects, c->rejects_path, err));
    TRY(output_open(&state, c->state, 0600, err));
    TRY(output_write(&state, buf_bytes(&w.buf), err));
    return output_commit(&state, err);
}

se_status checkpoint_commit(struct checkpoint *c, se_error *err)
{
    TRY(settle(c->fd, c->partial, err));
    TRY(settle(c->rejects, c->rejects_path, err));
    /* in this order: stopped in between, the job begins anew, which costs time only */
    if (unlink(c->state) && errno != ENOENT)
        return cannot("remove", c->state, err);
    return rename(c->partial, c->out) ? cannot("write", c->out, err) : SE_OK;
}

void checkpoint_close(struct checkpoint *c)
{
    if (c->fd >= 0)
        close(c->fd);
    if (c->rejects >= 0)
        close(c->rejects);
    free(c->out);
    free(c->partial);
    free(c->state);
}
