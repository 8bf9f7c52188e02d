#include "zip/pen.h"

#include <errno.h>
#include <unistd.h>

enum { PIECE = 256 << 10 };

se_status pen_new(struct pen *out, struct output *output, se_error *err)
{
    *out = (struct pen){ .out = output };
    return buf_new(&out->piece, PIECE, err);
}

se_status pen_flush(struct pen *pen, se_error *err)
{
    se_status st = output_write(pen->out, (se_bytes){ pen->piece.data, pen->filled }, err);

    pen->filled = 0;
    return st;
}

se_status pen_put(struct pen *pen, const void *data, size_t size, se_error *err)
{
    const unsigned char *p = data;
    se_status st = SE_OK;

    pen->at += size;
    while (!st && size) {
        size_t room = pen->piece.size - pen->filled, n = size < room ? size : room;

        memcpy(pen->piece.data + pen->filled, p, n);
        pen->filled += n;
        p += n;
        size -= n;
        if (pen->filled == pen->piece.size)
            st = pen_flush(pen, err);
    }
    return st;
}

se_status pen_move(struct pen *pen, uint64_t at, se_error *err)
{
    se_status st = pen_flush(pen, err);

    if (st || at == pen->at)
        return st;
    if (lseek(pen->out->fd, (off_t)at, SEEK_SET) < 0)
        return error_set(err, SE_ERR_IO, "cannot write '%s': %s", pen->out->path, strerror(errno));
    pen->at = at;
    return SE_OK;
}

void pen_free(struct pen *pen)
{
    se_buf_free(&pen->piece);
}
