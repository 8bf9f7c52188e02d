/* SPDX-License-Identifier: Apache-2.0 */
/* Owned bytes that are wiped when released, and the writer that builds them. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <string.h>

#include "base/auto.h"
#include "base/error.h"

AUTO_KIND(se_buf, se_buf, se_buf_free(p))

/* A zeroed buffer of `size` bytes; one NUL more follows, not counted, so that text can be used as a
 * C string. */
SE_MUST_CHECK se_status buf_new(se_buf *out, size_t size, se_error *err);
SE_MUST_CHECK se_status buf_copy(se_buf *out, se_bytes in, se_error *err);

static inline se_bytes buf_bytes(const se_buf *buf)
{
    return (se_bytes){ buf->data, buf->size };
}
static inline se_bytes text_bytes(const char *text)
{
    return (se_bytes){ text, strlen(text) };
}

/* free() for what malloc() gave, to libraries that take allocators: wiped before. */
void buf_wipe_free(void *data);
/* realloc(), likewise. */
void *buf_wipe_resize(void *data, size_t size);

/* Moves the bytes out and leaves `from` empty. */
static inline se_buf buf_move(se_buf *from)
{
    se_buf moved = *from;

    *from = (se_buf)SE_BUF_INIT;
    return moved;
}

/* Grows by new, copy, wipe, free: no copy of a secret stays behind.  A writer that failed stays
 * failed. */
struct writer {
    se_buf buf; /* buf.size is what was written */
    size_t room;
    bool failed;
};

void writer_put(struct writer *w, const void *data, size_t size);

/* Makes room at once for `size` bytes more. */
void writer_expect(struct writer *w, size_t size);

/* Where up to `size` bytes may be written behind the others; NULL: none, or the writer failed.
 * writer_filled() says how many were. */
unsigned char *writer_room(struct writer *w, size_t size);
void writer_filled(struct writer *w, size_t size);

void writer_text(struct writer *w, const char *text);
void writer_format(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Percent-encoded, for a part of a path, a query or a form (RFC 3986, 2.3). */
void writer_percent(struct writer *w, const char *text);

/* The text so far as a C string; never NULL. */
const char *writer_string(const struct writer *w);

/* Hands the bytes over, NUL-terminated, and empties the writer. */
SE_MUST_CHECK se_status writer_finish(se_buf *out, struct writer *w, se_error *err);
void writer_free(struct writer *w);
AUTO_KIND(writer, struct writer, writer_free(p))

#endif
