/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/body.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

se_status spool_check(const struct spool *spool, se_error *err)
{
    AUTO(file) file = file_unnamed(spool->folder);

    return file >= 0 ? SE_OK
                     : error_set(err, SE_ERR_CONFIG,
                                 "the spool '%s' takes no file without a name (O_TMPFILE): %s",
                                 spool->folder, strerror(errno));
}

/* ---- what all share ---- */

static bool take_room(uint64_t *used, uint64_t most, uint64_t size)
{
    if (__atomic_add_fetch(used, size, __ATOMIC_RELAXED) <= most)
        return true;
    (void)__atomic_sub_fetch(used, size, __ATOMIC_RELAXED);
    return false;
}

static bool take_memory(struct body *b, uint64_t size)
{
    if (!b->spool)
        return true;
    if (!take_room(&b->spool->memory, b->spool->memory_all, size))
        return false;
    b->memory_counted += size;
    return true;
}

static void give_memory(struct body *b)
{
    if (b->spool)
        (void)__atomic_sub_fetch(&b->spool->memory, b->memory_counted, __ATOMIC_RELAXED);
    b->memory_counted = 0;
}

/* So that the body has room for `size` bytes in all. */
static bool take_disk(struct body *b, uint64_t size)
{
    if (size <= b->disk_counted)
        return true;
    if (take_room(&b->spool->disk, b->spool->disk_all, size - b->disk_counted)) {
        b->disk_counted = size;
        return true;
    }
    failure_set(&b->failure, FAILURE_NO_SPACE, "there is no room for so much now");
    return false;
}

static void give_disk(struct body *b)
{
    if (b->spool)
        (void)__atomic_sub_fetch(&b->spool->disk, b->disk_counted, __ATOMIC_RELAXED);
    b->disk_counted = 0;
}

/* ---- into the spool ---- */

/* A full disk is the same to a caller as a full spool. */
static bool fail_spool(struct body *b, int number, const char *why)
{
    const bool full = number == ENOSPC || number == EDQUOT;

    failure_set(&b->failure, full ? FAILURE_NO_SPACE : FAILURE_INTERNAL, "the spool '%s': %s",
                b->spool ? b->spool->folder : "", full ? "it is full" : why);
    return false;
}

static bool fail_memory(struct body *b)
{
    failure_set(&b->failure, FAILURE_BUSY, "out of memory");
    return false;
}

static bool write_plain(struct body *b, se_bytes piece)
{
    return !write_all(b->plain, piece.data, piece.size) ||
           fail_spool(b, errno, write_reason(errno));
}

/* What is no whole piece waits for more. */
static bool write_sealed(struct body *b, se_bytes piece)
{
    se_error err = SE_ERROR_INIT;

    while (piece.size) {
        const size_t room = SEALED_PIECE - b->memory.buf.size;
        const size_t size = piece.size < room ? piece.size : room;

        writer_expect(&b->memory, SEALED_PIECE - b->memory.buf.size);
        writer_put(&b->memory, piece.data, size);
        if (b->memory.failed)
            return fail_memory(b);
        piece = (se_bytes){ (const char *)piece.data + size, piece.size - size };
        if (b->memory.buf.size < SEALED_PIECE)
            continue;
        if (sealed_file_append(&b->sealed, buf_bytes(&b->memory.buf), &err))
            return fail_spool(b, errno, err.text);
        b->memory.buf.size = 0;
    }
    return true;
}

static bool write_file(struct body *b, se_bytes piece)
{
    return b->kind == BODY_FILE ? write_plain(b, piece) : write_sealed(b, piece);
}

static bool open_file(struct body *b)
{
    se_error err = SE_ERROR_INIT;

    if (b->kind == BODY_FILE)
        b->on_file = (b->plain = file_unnamed(b->spool->folder)) >= 0;
    else
        b->on_file = !sealed_file_open(&b->sealed, b->spool->folder, &err);
    return b->on_file || fail_spool(b, errno, *err.text ? err.text : strerror(errno));
}

static bool move_to_file(struct body *b)
{
    AUTO(writer) memory = MOVE(b->memory);

    if (!take_disk(b, b->size) || !open_file(b) || !write_file(b, buf_bytes(&memory.buf)))
        return false;
    give_memory(b);
    return true;
}

/* ---- filling ---- */

static bool check_most(struct body *b, uint64_t size)
{
    if (!b->most || size <= b->most)
        return true;
    failure_set(&b->failure, FAILURE_TOO_LARGE, "the body has more than %" PRIu64 " bytes",
                b->most);
    return false;
}

static bool may_move(const struct body *b)
{
    return b->spool && b->kind != BODY_WHOLE;
}

bool body_expect(struct body *b, uint64_t size)
{
    if (b->failure.kind || !check_most(b, size))
        return false;
    if (may_move(b) && size > b->spool->memory_begin)
        return take_disk(b, size) && (b->on_file || move_to_file(b));
    if (b->spool && size <= b->spool->memory_begin)
        writer_expect(&b->memory, (size_t)size);
    return true;
}

static bool put_into_memory(struct body *b, se_bytes piece)
{
    writer_put(&b->memory, piece.data, piece.size);
    return !b->memory.failed || fail_memory(b);
}

static bool put_piece(struct body *b, se_bytes piece)
{
    const uint64_t size = b->size + piece.size;

    if (!b->on_file && may_move(b) && size > b->spool->memory_begin && !move_to_file(b))
        return false;
    if (b->on_file)
        return take_disk(b, size) && write_file(b, piece);
    if (take_memory(b, piece.size))
        return put_into_memory(b, piece);
    if (may_move(b))
        return move_to_file(b) && take_disk(b, size) && write_file(b, piece);
    failure_set(&b->failure, FAILURE_BUSY, "too much is being sent at once");
    return false;
}

bool body_put(struct body *b, se_bytes piece)
{
    if (b->failure.kind || !check_most(b, b->size + piece.size) || !put_piece(b, piece))
        return false;
    b->size += piece.size;
    return true;
}

void body_take(struct body *b, se_buf *bytes)
{
    b->size = bytes->size;
    b->memory = (struct writer){ .room = bytes->size };
    b->memory.buf = buf_move(bytes);
}

static int write_body(void *arg, const void *data, size_t size)
{
    errno = ENOSPC; /* the body knows it better */
    return body_put(arg, (se_bytes){ data, size }) ? 0 : -1;
}

se_sink body_sink(struct body *b)
{
    return (se_sink){ .write = write_body, .arg = b };
}

/* ---- reading ---- */

bool body_is_in_memory(const struct body *b)
{
    return !b->on_file;
}

se_bytes body_bytes(const struct body *b)
{
    return (se_bytes){ b->size ? (const void *)b->memory.buf.data : "", b->size };
}

void body_reader_end(struct body_reader *r)
{
    se_buf_free(&r->piece);
    r->piece_next = 0;
}

static ptrdiff_t read_plain(struct body_reader *r, void *data, size_t size)
{
    ssize_t n;

    do
        n = pread(r->body->plain, data, size, (off_t)r->at);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Bytes that the body has in memory, from `first` on. */
static ptrdiff_t read_memory(const struct body_reader *r, uint64_t first, void *data, size_t size)
{
    const se_buf *memory = &r->body->memory.buf;
    const size_t at = (size_t)(r->at - first);
    const size_t n = size < memory->size - at ? size : memory->size - at;

    if (n)
        memcpy(data, memory->data + at, n);
    return (ptrdiff_t)n;
}

static ptrdiff_t read_sealed(struct body_reader *r, void *data, size_t size)
{
    const uint64_t number = r->at / SEALED_PIECE;
    const size_t at = (size_t)(r->at % SEALED_PIECE);
    size_t n = SEALED_PIECE - at;

    if (number == r->body->sealed.pieces)
        return read_memory(r, number * SEALED_PIECE, data, size);
    if (r->piece_next != number + 1) {
        body_reader_end(r);
        errno = EIO;
        if (sealed_file_read(&r->piece, &r->body->sealed, number, NULL))
            return -1;
        r->piece_next = number + 1;
    }
    n = size < n ? size : n;
    memcpy(data, r->piece.data + at, n);
    return (ptrdiff_t)n;
}

ptrdiff_t body_read(struct body_reader *r, void *data, size_t size)
{
    ptrdiff_t n;

    if (!r->body->on_file)
        n = read_memory(r, 0, data, size);
    else
        n = r->body->kind == BODY_FILE ? read_plain(r, data, size) : read_sealed(r, data, size);
    r->at += n > 0 ? (uint64_t)n : 0;
    return n;
}

static ptrdiff_t read_body(void *arg, void *data, size_t size)
{
    return body_read(arg, data, size);
}

se_source body_source(struct body_reader *out, const struct body *b)
{
    *out = (struct body_reader){ .body = b };
    return (se_source){ .read = read_body, .arg = out, .total = b->size };
}

/* ---- files with a path ---- */

static bool open_memory_file(struct body *b)
{
    b->on_file = (b->plain = memfd_create("body", MFD_CLOEXEC)) >= 0;
    return b->on_file || fail_spool(b, errno, strerror(errno));
}

static void write_path(char out[BODY_PATH], const struct body *b)
{
    (void)snprintf(out, BODY_PATH, "/proc/self/fd/%d", b->plain);
}

/* What is small stays in memory, as a file there. */
se_status body_path(char out[BODY_PATH], struct body *b, se_error *err)
{
    AUTO(writer) memory = { 0 };

    *out = '\0';
    if (!b->on_file) {
        memory = MOVE(b->memory);
        if (!open_memory_file(b) || !write_plain(b, buf_bytes(&memory.buf)))
            return error_set(err, SE_ERR_IO, "%s", b->failure.error.text);
    }
    write_path(out, b);
    return SE_OK;
}

bool body_begin_file(struct body *b, uint64_t size)
{
    b->kind = BODY_FILE;
    if (b->failure.kind)
        return false;
    if (!b->spool || (size <= b->spool->memory_begin && take_memory(b, size)))
        return open_memory_file(b);
    return take_disk(b, size) && open_file(b);
}

bool body_end_file(struct body *b)
{
    struct stat info;

    if (fstat(b->plain, &info))
        return fail_spool(b, errno, strerror(errno));
    b->size = (uint64_t)info.st_size;
    return b->memory_counted || !b->spool || take_disk(b, b->size);
}

/* ---- the end ---- */

void body_free(struct body *b)
{
    if (b->on_file && b->kind == BODY_FILE)
        file_close(&b->plain);
    else if (b->on_file)
        sealed_file_close(&b->sealed);
    writer_free(&b->memory);
    give_memory(b);
    give_disk(b);
    *b = (struct body){ .spool = NULL };
}
