#include "cli/lines.h"

#include <stdlib.h>

enum { ROOM = 4 << 20 };

se_status lines_new(struct lines **out, struct stream *in, se_error *err)
{
    AUTO(lines) lines = calloc(1, sizeof *lines);

    *out = NULL;
    if (!lines)
        return error_memory(err);
    lines->in = in;
    lines->number = 1;
    TRY(buf_new(&lines->room, ROOM, err));
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
static bool take(struct lines *l)
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

static se_status grow(struct lines *l, se_error *err)
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

static se_status fill(struct lines *l, se_error *err)
{
    size_t got;
    se_status st = SE_OK;

    memmove(l->room.data, l->room.data + l->begin, l->end - l->begin);
    l->end -= l->begin;
    l->begin = 0;
    if (l->end == l->room.size && (st = grow(l, err)))
        return st;
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
    while (l->count < LINES_MOST && take(l))
        continue;
    while (!l->count && !(l->ended && l->begin == l->end)) {
        TRY(fill(l, err));
        while (l->count < LINES_MOST && take(l))
            continue;
    }
    return SE_OK;
}
