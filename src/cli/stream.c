/* SPDX-License-Identifier: Apache-2.0 */
/* Where commands read and write, lines of an input, and how far a long job is. */
#include "cli/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

static ptrdiff_t read_fd(void *arg, void *data, size_t size)
{
    const struct input *input = arg;
    ssize_t n;

    do
        n = read(input->fd, data, size);
    while (n < 0 && errno == EINTR);
    return n;
}

static se_status refuse_file(const char *what, const char *name, se_error *err)
{
    se_status status = errno == EACCES || errno == EPERM ? SE_ERR_ACCESS : SE_ERR_IO;

    return error_set(err, status, "cannot %s '%s': %s%s", what, name, strerror(errno),
                     errno == ENOENT ? file_hint(name) : "");
}

static bool is_standard_stream(const char *path)
{
    return !path || strcmp(path, "-") == 0;
}

const char *input_path(const char *path)
{
    return is_standard_stream(path) ? "/dev/stdin" : path;
}

se_status input_open(struct input *input, const char *path, se_error *err)
{
    struct stat info;
    bool standard = is_standard_stream(path);

    *input = (struct input)INPUT_INIT;
    input->name = standard ? "standard input" : path;
    input->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (input->fd < 0 || fstat(input->fd, &info))
        return refuse_file("read", input->name, err);
    if (S_ISDIR(info.st_mode)) {
        errno = EISDIR;
        return refuse_file("read", input->name, err);
    }
    (void)posix_fadvise(input->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    input->source =
        (se_source){ read_fd, input, S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0 };
    return SE_OK;
}

static ptrdiff_t read_nothing(void *arg, void *data, size_t size)
{
    (void)arg;
    (void)data;
    (void)size;
    return 0;
}

se_status input_open_content(struct input *input, const char *path, se_bytes digest, se_error *err)
{
    if (!digest.size)
        return input_open(input, path, err);
    *input = (struct input)INPUT_INIT;
    input->name = "the digest";
    input->source.read = read_nothing;
    return SE_OK;
}

se_status input_read_token(se_buf *out, const char *path, size_t limit, se_error *err)
{
    const bool is_standard = !path || strcmp(path, "-") == 0;

    TRY(file_read(out, input_path(path), limit, err));
    if (is_standard && out->size && out->data[out->size - 1] == '\n')
        out->size -= out->size > 1 && out->data[out->size - 2] == '\r' ? 2 : 1;
    return SE_OK;
}

void input_close(struct input *input)
{
    if (input->fd > STDIN_FILENO)
        close(input->fd);
    input->fd = -1;
}

static int result_fd(const struct result *result)
{
    return result->spool >= 0 ? result->spool : result->standard ? STDOUT_FILENO : result->file.fd;
}

static int result_write(void *arg, const void *data, size_t size)
{
    struct result *result = arg;

    if (!write_all(result_fd(result), data, size))
        return 0;
    result->failed = true;
    return -1;
}

static void result_begin(struct result *result, const char *path)
{
    *result = (struct result)RESULT_INIT;
    result->standard = strcmp(path, "-") == 0;
    result->sink = (se_sink){ result_write, result };
}

static se_status result_hold(struct result *result, se_error *err)
{
    const char *named = getenv("TMPDIR"), *folder = named && *named ? named : "/tmp";

    result->spool = file_unnamed(folder);
    return result->spool < 0 ? error_set(err, SE_ERR_IO, "cannot make a temporary file in '%s': %s",
                                         folder, strerror(errno))
                             : SE_OK;
}

static se_status result_open_mode(struct result *result, const char *path, mode_t mode,
                                  bool hold_back, se_error *err)
{
    se_status st = SE_OK;

    result_begin(result, path);
    if (!result->standard)
        st = output_open(&result->file, path, mode, err);
    else if (hold_back)
        st = result_hold(result, err);
    result->failed = st != SE_OK;
    return st;
}

se_status result_open(struct result *result, const char *path, bool hold_back, se_error *err)
{
    return result_open_mode(result, path, 0644, hold_back, err);
}

se_status result_open_secret(struct result *result, const char *path, se_error *err)
{
    return result_open_mode(result, path, 0600, false, err);
}

bool is_replaced(const char *path)
{
    struct stat info;

    return strcmp(path, "-") != 0 && (stat(path, &info) || S_ISREG(info.st_mode));
}

se_status result_check_new(const char *path, se_error *err)
{
    struct stat info;

    if (!is_replaced(path) || lstat(path, &info))
        return SE_OK;
    return error_set(err, SE_ERR_IO, "'%s' is there already: it is not overwritten", path);
}

bool same_file(const char *one, const char *other)
{
    struct stat a, b;
    bool no_one = stat(one, &a), no_other = stat(other, &b);

    if (no_one || no_other)
        return no_one && no_other && strcmp(one, other) == 0;
    return S_ISREG(a.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

se_status result_open_held(struct result *result, const char *path, se_error *err)
{
    se_status st = SE_OK;

    result_begin(result, path);
    result->secret = true;
    if (result->standard)
        st = result_hold(result, err);
    else if (is_replaced(path))
        st = output_open_secret(&result->file, path, 0600, err);
    else if (!(st = output_open(&result->file, path, 0600, err)))
        st = result_hold(result, err);
    result->failed = st != SE_OK;
    return st;
}

void result_path(char out[RESULT_PATH], const struct result *result)
{
    (void)snprintf(out, RESULT_PATH, "/proc/self/fd/%d", result_fd(result));
}

static se_status copy_spool(int spool, int to, se_error *err)
{
    unsigned char piece[65536];
    ssize_t n;

    if (lseek(spool, 0, SEEK_SET) < 0)
        return error_set(err, SE_ERR_IO, "cannot read the temporary file: %s", strerror(errno));
    while ((n = read(spool, piece, sizeof piece)) > 0)
        if (write_all(to, piece, (size_t)n))
            return error_set(err, SE_ERR_IO, "cannot write the output: %s", write_reason(errno));
    return n < 0 ? error_set(err, SE_ERR_IO, "cannot read the temporary file: %s", strerror(errno))
                 : SE_OK;
}

se_status result_commit(struct result *result, se_error *err)
{
    se_status st = SE_OK;

    if (result->spool >= 0)
        st = copy_spool(result->spool, result->standard ? STDOUT_FILENO : result->file.fd, err);
    if (!st && !result->standard)
        st = output_commit(&result->file, err);
    result->failed = st != SE_OK;
    return st;
}

void result_discard(struct result *result)
{
    output_discard(&result->file);
    if (result->spool >= 0 && result->secret)
        file_wipe(result->spool);
    if (result->spool >= 0)
        close(result->spool);
    result->spool = -1;
}

int result_finish(struct result *result, const struct cli *cli, se_bytes content)
{
    se_error err = SE_ERROR_INIT;

    if (!sink_write(&result->sink, content, &err) && !result_commit(result, &err))
        return EXIT_DONE;
    (void)cli_fail(cli, &err);
    return EXIT_NO_OUTPUT;
}

int result_write_all(const struct cli *cli, const char *path, se_bytes content)
{
    AUTO(result) result = RESULT_INIT;
    se_error err = SE_ERROR_INIT;

    if (result_open(&result, path, false, &err))
        return result_fail(&result, cli, &err);
    return result_finish(&result, cli, content);
}

int result_fail(const struct result *result, const struct cli *cli, const se_error *err)
{
    int status = cli_fail(cli, err);

    return result->failed ? EXIT_NO_OUTPUT : status;
}

/* ---- progress ---- */

static void print_progress(struct progress *progress)
{
    const char *unit = progress->unit ? progress->unit : "MB";
    unsigned shift = progress->unit ? 0 : 20;
    uintmax_t done = progress->done >> shift, total = progress->total >> shift;
    int width;

    if (progress->total)
        width = fprintf(stderr, "\r%s: %ju of %ju %s (%ju %%)", progress->what, done, total, unit,
                        (uintmax_t)(progress->done * 100 / progress->total));
    else
        width = fprintf(stderr, "\r%s: %ju %s", progress->what, done, unit);
    progress->width = width > 1 ? width - 1 : 0;
    progress->shown = true;
}

static bool show_progress(void *arg, uint64_t done, uint64_t total)
{
    struct progress *progress = arg;
    int64_t now = clock_monotonic_ms();

    progress->done = done;
    progress->total = total;
    if (now < progress->next_ms)
        return true;
    progress->next_ms = now + 1000;
    print_progress(progress);
    return true;
}

/* Short jobs show nothing: the first line comes after a second. */
se_progress_fn progress_begin(struct progress *progress, const struct cli *cli, const char *what)
{
    bool always = strcmp(cli->progress, "always") == 0;

    *progress =
        (struct progress){ .what = what, .next_ms = clock_monotonic_ms() + (always ? 0 : 1000) };
    return cli_shows_progress(cli) ? show_progress : NULL;
}

void progress_end(struct progress *progress)
{
    if (progress->shown && isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r%*s\r", progress->width, "");
    else if (progress->shown) {
        print_progress(progress);
        (void)fputc('\n', stderr);
    }
    progress->shown = false;
}

/* ---- lines ---- */

enum { LINES_ROOM = 4 << 20 };

se_status lines_new(struct lines **out, struct stream *in, se_error *err)
{
    AUTO(lines) lines = calloc(1, sizeof *lines);

    *out = NULL;
    if (!lines)
        return error_memory(err);
    lines->in = in;
    lines->number = 1;
    TRY(buf_new(&lines->room, LINES_ROOM, err));
    *out = MOVE(lines);
    return SE_OK;
}

void lines_free(struct lines *lines)
{
    if (!lines)
        return;
    se_buf_free(&lines->room);
    free(lines);
}

/* Takes the next whole line, or what is left at the end. */
static bool take_line(struct lines *l)
{
    const unsigned char *from = l->room.data + l->begin,
                        *stop = memchr(from, '\n', l->end - l->begin);
    size_t size = stop ? (size_t)(stop - from) : l->end - l->begin;

    if (!stop && (!l->ended || !size))
        return false;
    l->list[l->count++] = (se_bytes){ from, size };
    l->begin += size + (stop != NULL);
    l->consumed += size + (stop != NULL);
    return true;
}

static se_status grow_room(struct lines *l, se_error *err)
{
    se_buf more;

    if (l->room.size >= LINE_LIMIT)
        return error_set(err, SE_ERR_FORMAT, "line %ju is longer than %d bytes",
                         (uintmax_t)l->number, LINE_LIMIT);
    TRY(buf_new(&more, 2 * l->room.size, err));
    memcpy(more.data, l->room.data, l->end);
    se_buf_free(&l->room);
    l->room = more;
    return SE_OK;
}

static se_status fill_room(struct lines *l, se_error *err)
{
    size_t got;

    memmove(l->room.data, l->room.data + l->begin, l->end - l->begin);
    l->end -= l->begin;
    l->begin = 0;
    if (l->end == l->room.size)
        TRY(grow_room(l, err));
    while (!l->ended && l->end < l->room.size) {
        TRY(stream_read(&got, l->in, l->room.data + l->end, l->room.size - l->end, err));
        l->ended = !got;
        l->end += got;
    }
    return SE_OK;
}

se_status lines_next(struct lines *l, se_error *err)
{
    l->number += l->count;
    l->count = 0;
    for (;;) {
        while (l->count < LINES_MOST && take_line(l))
            continue;
        if (l->count || (l->ended && l->begin == l->end))
            return SE_OK;
        TRY(fill_room(l, err));
    }
}
