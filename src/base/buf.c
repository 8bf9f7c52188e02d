/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/reader.h"

/* ---- owned bytes ---- */

void se_buf_free(se_buf *buf)
{
    if (!buf)
        return;
    if (buf->data)
        explicit_bzero(buf->data, buf->size);
    free(buf->data);
    *buf = (se_buf)SE_BUF_INIT;
}

void buf_wipe_free(void *data)
{
    if (data)
        explicit_bzero(data, malloc_usable_size(data));
    free(data);
}

void *buf_wipe_resize(void *data, size_t size)
{
    const size_t had = malloc_usable_size(data);
    void *moved = malloc(size);

    if (!moved)
        return NULL;
    if (data)
        memcpy(moved, data, had < size ? had : size);
    buf_wipe_free(data);
    return moved;
}

se_status buf_new(se_buf *out, size_t size, se_error *err)
{
    *out = (se_buf)SE_BUF_INIT;
    if (size == SIZE_MAX || !(out->data = calloc(1, size + 1)))
        return error_memory(err);
    out->size = size;
    return SE_OK;
}

se_status buf_copy(se_buf *out, se_bytes in, se_error *err)
{
    se_status st = buf_new(out, in.size, err);

    if (!st && in.size)
        memcpy(out->data, in.data, in.size);
    return st;
}

/* ---- writing ---- */

/* What is written is followed by a NUL; the room behind it is not cleared, which would take longer
 * than most writing. */
static bool writer_grow(struct writer *w, size_t size)
{
    size_t need = w->buf.size + size, room = w->room ? w->room : 64;
    se_buf grown = { NULL, w->buf.size };

    while (room < need)
        room = room > SIZE_MAX / 2 ? need : room * 2;
    if (w->failed || need < size || room == SIZE_MAX || !(grown.data = malloc(room + 1)))
        return !(w->failed = true);
    if (grown.size)
        memcpy(grown.data, w->buf.data, grown.size);
    grown.data[grown.size] = '\0';
    se_buf_free(&w->buf);
    w->buf = grown;
    w->room = room;
    return true;
}

static bool writer_reserve(struct writer *w, size_t size)
{
    return (!w->failed && size <= w->room - w->buf.size) || writer_grow(w, size);
}

unsigned char *writer_room(struct writer *w, size_t size)
{
    return size && writer_reserve(w, size) ? w->buf.data + w->buf.size : NULL;
}

void writer_filled(struct writer *w, size_t size)
{
    w->buf.size += size;
    w->buf.data[w->buf.size] = '\0';
}

void writer_put(struct writer *w, const void *data, size_t size)
{
    unsigned char *room = writer_room(w, size);

    if (!room)
        return;
    memcpy(room, data, size);
    writer_filled(w, size);
}

void writer_expect(struct writer *w, size_t size)
{
    (void)writer_reserve(w, size);
}

void writer_text(struct writer *w, const char *text)
{
    writer_put(w, text, strlen(text));
}

void writer_format(struct writer *w, const char *format, ...)
{
    va_list args, again;
    int n;

    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    /* the NUL that vsnprintf adds lands in the byte that buf_new() keeps behind the room */
    if (n < 0)
        w->failed = true;
    else if (n && writer_reserve(w, (size_t)n)) {
        (void)vsnprintf((char *)w->buf.data + w->buf.size, (size_t)n + 1, format, again);
        w->buf.size += (size_t)n;
    }
    va_end(again);
}

void writer_percent(struct writer *w, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    while (*text) {
        size_t size = strspn(text, plain);

        writer_put(w, text, size);
        if (*(text += size))
            writer_format(w, "%%%02X", (unsigned char)*text++);
    }
}

const char *writer_string(const struct writer *w)
{
    return w->buf.data ? (const char *)w->buf.data : "";
}

se_status writer_finish(se_buf *out, struct writer *w, se_error *err)
{
    *out = (se_buf)SE_BUF_INIT;
    if (w->failed || (!w->buf.data && !writer_grow(w, 0))) {
        writer_free(w);
        return error_memory(err);
    }
    *out = buf_move(&w->buf);
    writer_free(w);
    return SE_OK;
}

void writer_free(struct writer *w)
{
    se_buf_free(&w->buf);
    *w = (struct writer){ 0 };
}

void writer_number(struct writer *w, uint64_t number, size_t bytes)
{
    unsigned char digits[8];

    for (size_t i = bytes; i; i--, number >>= 8)
        digits[i - 1] = (unsigned char)number;
    writer_put(w, digits, bytes);
}

/* ---- reading ---- */

struct reader reader_of(se_bytes bytes)
{
    return (struct reader){ bytes.data, bytes.size, false };
}

se_bytes reader_take(struct reader *r, size_t size)
{
    se_bytes taken = { r->at, size };

    if (r->failed || size > r->left) {
        r->failed = true;
        return (se_bytes){ NULL, 0 };
    }
    if (size)
        r->at += size;
    r->left -= size;
    return taken;
}

uint64_t reader_number(struct reader *r, size_t bytes)
{
    const unsigned char *p = reader_take(r, bytes).data;
    uint64_t number = 0;

    for (size_t i = 0; p && i < bytes; i++)
        number = number << 8 | p[i];
    return number;
}

/* ---- growing arrays ---- */

enum { FIRST_ROOM = 8 };

bool array_grow_sized(void **list, size_t *room, size_t count, size_t size)
{
    size_t more = *room ? *room : FIRST_ROOM / 2;
    void *grown;

    if (count < *room)
        return true;
    while (more <= count) {
        if (more > SIZE_MAX / 2)
            return false;
        more *= 2;
    }
    if (!(grown = calloc(more, size)))
        return false;
    if (*list) {
        memcpy(grown, *list, *room * size);
        explicit_bzero(*list, *room * size);
        free(*list);
    }
    *list = grown;
    *room = more;
    return true;
}
