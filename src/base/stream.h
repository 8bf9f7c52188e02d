/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that pass through: a source read in pieces, with progress, and sources and sinks in memory.
 */
#ifndef BASE_STREAM_H
#define BASE_STREAM_H

#include "base/buf.h"

enum { STREAM_PIECE = 65536 };

struct stream {
    const se_source *source;
    se_progress_fn progress; /* may be NULL */
    void *progress_arg;
    uint64_t done;
};

/* Up to `size` bytes into `data`; *got is 0 at the end.  SE_ERR_IO, SE_ERR_CANCELLED. */
SE_MUST_CHECK se_status stream_read(size_t *got, struct stream *stream, void *data, size_t size,
                                    se_error *err);

/* Everything that is left, to `take`, piece by piece. */
typedef se_status (*stream_take_fn)(void *arg, se_bytes piece, se_error *err);
SE_MUST_CHECK se_status stream_drain(struct stream *stream, stream_take_fn take, void *arg,
                                     se_error *err);

SE_MUST_CHECK se_status sink_write(const se_sink *sink, se_bytes data, se_error *err);

/* Reads from `bytes`, which shrinks from the front. */
se_source source_memory(se_bytes *bytes);
/* From where the descriptor stands to its end, and to it; it stays open. */
se_source source_fd(int fd);
se_sink sink_fd(int fd);
/* Appends to `writer`. */
se_sink sink_writer(struct writer *writer);

#endif
