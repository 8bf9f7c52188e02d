#include "zip/rewrite.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zip/closing.h"

/* Of file systems: what begins at such a boundary in both files can share its blocks. */
enum { BLOCK = 4096 };

se_status rewrite_begin(struct rewriting *out, struct output *output, const struct kept *kept, uint64_t front, se_error *err)
{
    *out = (struct rewriting){ .kept = kept, .room = (front + BLOCK - 1) / BLOCK * BLOCK };
    return pen_new(&out->pen, output, err);
}

/* A pipe does not wait for what comes first. */
static bool is_file(const struct output *output)
{
    struct stat info;

    return !fstat(output->fd, &info) && S_ISREG(info.st_mode);
}

se_status rewrite_early(struct rewriting *w, const atomic_bool *stopped, se_error *err)
{
    se_status st;

    if (!w->room || !is_file(w->pen.out))
        return SE_OK;
    if ((st = pen_move(&w->pen, w->room, err)) || (st = kept_copy(&w->pen, w->kept, stopped, err)))
        return st;
    w->early = true;
    return SE_OK;
}

static se_status start_again(struct rewriting *w, se_error *err)
{
    w->early = false;
    if (ftruncate(w->pen.out->fd, 0))
        return error_set(err, SE_ERR_IO, "cannot write '%s' again: %s", w->pen.out->path, strerror(errno));
    return pen_move(&w->pen, 0, err);
}

static se_status put_front_and_kept(struct rewriting *w, const struct front *front, se_error *err)
{
    uint64_t end = w->pen.at;
    se_status st;

    if (!w->early)
        return (st = front_put(&w->pen, front, err)) ? st : kept_copy(&w->pen, w->kept, NULL, err);
    if ((st = pen_move(&w->pen, 0, err)) || (st = front_put(&w->pen, front, err)))
        return st;
    return pen_move(&w->pen, end, err);
}

se_status rewrite_end(struct rewriting *w, struct front *front, se_error *err)
{
    bool fits = w->room && front_pad(front, w->room);
    se_status st;

    if (w->early && !fits && (st = start_again(w, err)))
        return st;
    if ((st = put_front_and_kept(w, front, err)) || (st = closing_put(&w->pen, front, w->kept, err)))
        return st;
    return pen_flush(&w->pen, err);
}

void rewrite_free(struct rewriting *w)
{
    pen_free(&w->pen);
}
