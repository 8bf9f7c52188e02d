/* Writes an archive's small records one after the other, in larger pieces. */
#ifndef ZIP_PEN_H
#define ZIP_PEN_H

#include "base/file.h"

struct pen {
    struct output *out;
    se_buf piece; /* what is to be written next; room for whoever else writes to `out`, once it is flushed */
    size_t filled;
    uint64_t at; /* in the file, what is filled included */
};

SE_MUST_CHECK se_status pen_new(struct pen *out, struct output *output, se_error *err);
SE_MUST_CHECK se_status pen_put(struct pen *pen, const void *data, size_t size, se_error *err);
SE_MUST_CHECK se_status pen_flush(struct pen *pen, se_error *err);

/* Goes on at `at`, which has to be where it is unless the output is a file. */
SE_MUST_CHECK se_status pen_move(struct pen *pen, uint64_t at, se_error *err);
void pen_free(struct pen *pen);

#endif
