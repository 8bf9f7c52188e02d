/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/line_source.h"

#include <errno.h>

/* The longest line with its end. */
enum { BUFFER = LINE_MOST + 2 };

se_status line_source_open(struct line_source *out, const struct body *body, se_error *err)
{
    *out = (struct line_source){ .reader = { .body = body } };
    return buf_new(&out->buffer, BUFFER, err);
}

void line_source_end(struct line_source *source)
{
    body_reader_end(&source->reader);
    se_buf_free(&source->buffer);
}

se_status line_source_fill(struct line_source *source, se_error *err)
{
    unsigned char *data = source->buffer.data;
    ptrdiff_t n = 1;

    memmove(data, data + source->begin, source->end - source->begin);
    source->end -= source->begin;
    source->begin = 0;
    while (source->end < BUFFER && n > 0) {
        n = body_read(&source->reader, data + source->end, BUFFER - source->end);
        if (n < 0)
            return error_set(err, SE_ERR_IO, "the spool can't be read: %s", strerror(errno));
        source->end += (size_t)n;
    }
    source->ended = source->end < BUFFER;
    return SE_OK;
}

bool line_source_is_done(const struct line_source *source)
{
    return source->ended && source->begin == source->end && !source->skipping;
}

/* Up to a line's end, or the body's; false: there is none so far. */
static bool find_line(se_bytes *out, struct line_source *source)
{
    const unsigned char *begin = source->buffer.data + source->begin;
    const size_t left = source->end - source->begin;
    const unsigned char *end = left ? memchr(begin, '\n', left) : NULL;

    if (!end && !(source->ended && (left || source->skipping)))
        return false;
    *out = (se_bytes){ begin, end ? (size_t)(end - begin) : left };
    source->begin += out->size + (end != NULL);
    if (out->size && begin[out->size - 1] == '\r')
        out->size--;
    return true;
}

/* The buffer is full of one line: what comes of it is not kept. */
static void begin_skipping(struct line_source *source)
{
    source->begin = source->end;
    source->skipping = true;
}

bool line_source_take(struct body_line *out, struct line_source *source)
{
    *out = (struct body_line){ .too_long = false };
    while (find_line(&out->text, source)) {
        out->too_long = source->skipping || out->text.size > LINE_MOST;
        source->skipping = false;
        if (out->too_long)
            out->text = (se_bytes){ NULL, 0 };
        if (out->too_long || out->text.size)
            return true;
    }
    if (!source->begin && source->end == BUFFER)
        begin_skipping(source);
    return false;
}
