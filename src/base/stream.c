/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stream.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

se_status stream_read(size_t *got, struct stream *stream, void *data, size_t size, se_error *err)
{
    ptrdiff_t n = stream->source->read(stream->source->arg, data, size);

    *got = 0;
    if (n < 0 || (size_t)n > size)
        return error_set(err, SE_ERR_IO, "cannot read the input: %s",
                         n < 0 ? strerror(errno) : "more bytes than asked for");
    *got = (size_t)n;
    stream->done += (size_t)n;
    if (stream->progress &&
        !stream->progress(stream->progress_arg, stream->done, stream->source->total))
        return error_set(err, SE_ERR_CANCELLED, "cancelled after %ju bytes",
                         (uintmax_t)stream->done);
    return SE_OK;
}

/* Clearing and wiping a whole piece takes longer than hashing a short input. */
static size_t piece_size(const struct stream *stream)
{
    uint64_t total = stream->source->total;

    return total && total < STREAM_PIECE ? (size_t)total : STREAM_PIECE;
}

se_status stream_drain(struct stream *stream, stream_take_fn take, void *arg, se_error *err)
{
    AUTO(se_buf) piece = SE_BUF_INIT;
    size_t got = 0;
    se_status st = buf_new(&piece, piece_size(stream), err);

    while (!st && !(st = stream_read(&got, stream, piece.data, piece.size, err)) && got)
        st = take(arg, (se_bytes){ piece.data, got }, err);
    return st;
}

se_status sink_write(const se_sink *sink, se_bytes data, se_error *err)
{
    if (data.size && sink->write(sink->arg, data.data, data.size))
        return error_set(err, SE_ERR_IO, "cannot write the output: %s", write_reason(errno));
    return SE_OK;
}

static ptrdiff_t read_memory(void *arg, void *data, size_t size)
{
    se_bytes *bytes = arg;
    size_t n = size < bytes->size ? size : bytes->size;

    if (!n)
        return 0;
    memcpy(data, bytes->data, n);
    bytes->data = (const char *)bytes->data + n;
    bytes->size -= n;
    return (ptrdiff_t)n;
}

se_source source_memory(se_bytes *bytes)
{
    return (se_source){ read_memory, bytes, bytes->size };
}

/* A descriptor is what `arg` is, not where it points to. */
static int descriptor_number(void *arg)
{
    return (int)(intptr_t)arg;
}

static ptrdiff_t read_descriptor(void *arg, void *data, size_t size)
{
    ssize_t n;

    do
        n = read(descriptor_number(arg), data, size);
    while (n < 0 && errno == EINTR);
    return n;
}

se_source source_fd(int fd)
{
    se_source source = { .read = read_descriptor, .arg = (void *)(intptr_t)fd };
    struct stat info;
    off_t at = lseek(fd, 0, SEEK_CUR);

    if (at >= 0 && !fstat(fd, &info) && S_ISREG(info.st_mode) && info.st_size > at)
        source.total = (uint64_t)(info.st_size - at);
    return source;
}

static int write_descriptor(void *arg, const void *data, size_t size)
{
    return write_all(descriptor_number(arg), data, size);
}

se_sink sink_fd(int fd)
{
    return (se_sink){ .write = write_descriptor, .arg = (void *)(intptr_t)fd };
}

static int write_writer(void *arg, const void *data, size_t size)
{
    struct writer *writer = arg;

    writer_put(writer, data, size);
    errno = ENOMEM;
    return writer->failed ? -1 : 0;
}

se_sink sink_writer(struct writer *writer)
{
    return (se_sink){ write_writer, writer };
}
