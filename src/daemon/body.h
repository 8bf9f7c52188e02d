/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request brings, or an answer takes: bytes in memory up to a limit, and beyond it in a file
 * of the spool. That has no name, so nothing of it is left, whatever happens; and it is sealed, for
 * nobody can tell which bytes are secrets. Only what has to be read by a path lies there as it is.
 */
#ifndef DAEMON_BODY_H
#define DAEMON_BODY_H

#include "daemon/failure.h"
#include "daemon/sealed_file.h"

/* What all bodies share. */
struct spool {
    const char *folder;
    uint64_t memory_each, memory_all; /* bytes in memory, of one body and of all */
    uint64_t memory_begin;        /* of one that may be in the folder: its beginning, up to that */
    uint64_t disk_each, disk_all; /* in the folder: of one that comes, and of all */
    uint64_t memory, disk;        /* in use; atomic */
};

/* Whether files without a name can be made in the folder. SE_ERR_CONFIG. */
SE_MUST_CHECK se_status spool_check(const struct spool *spool, se_error *err);

enum body_kind {
    BODY_WHOLE, /* in memory only: it is read as one */
    BODY_SEALED,
    BODY_FILE, /* has a path: what is signed, or is public */
};

/* Zeroes are an empty one, in memory and without limits. */
struct body {
    struct spool *spool; /* NULL: all stays in memory */
    enum body_kind kind;
    uint64_t most; /* bytes that it may have; 0: any number */
    uint64_t size;
    struct failure failure; /* why it takes no more */

    /* its own */
    struct writer memory; /* all of it, or what is behind the pieces in the sealed file */
    bool on_file;         /* one of the two is open */
    int plain;
    struct sealed_file sealed;
    uint64_t memory_counted, disk_counted; /* of the spool's */
};

/* ---- filling ---- */

/* So many bytes are to come: there is room for them, or it fails at once. */
bool body_expect(struct body *body, uint64_t size);

/* False: it has failed, as body->failure says, and is of no use. */
bool body_put(struct body *body, se_bytes piece);

/* Moves the bytes, which are all of it. */
void body_take(struct body *body, se_buf *bytes);

/* Appends to the body, which has to outlive it. */
se_sink body_sink(struct body *body);

/* ---- reading; any number at once ---- */

bool body_is_in_memory(const struct body *body);

/* Of one that is in memory; of an empty one, bytes that are there. */
se_bytes body_bytes(const struct body *body);

struct body_reader {
    const struct body *body;
    uint64_t at;         /* the next byte */
    se_buf piece;        /* of a sealed file */
    uint64_t piece_next; /* its number, from 1; 0: there is none */
};
void body_reader_end(struct body_reader *reader);
AUTO_KIND(body_reader, struct body_reader, body_reader_end(p))

/* Up to `size` bytes from reader->at on, which moves; 0 at the end, -1 with errno set. */
ptrdiff_t body_read(struct body_reader *reader, void *data, size_t size);

/* From the first byte; `reader` is filled, and has to outlive it. */
se_source body_source(struct body_reader *reader, const struct body *body);

/* ---- of BODY_FILE ---- */

enum { BODY_PATH = 32 };

/* A path that leads to the bytes for as long as the body is there. */
SE_MUST_CHECK se_status body_path(char out[BODY_PATH], struct body *body, se_error *err);

/* An empty file for what will have about `size` bytes, written by its path; and its end, which
 * looks how many there are. False: as body_put(). */
bool body_begin_file(struct body *body, uint64_t size);
bool body_end_file(struct body *body);

/* Wipes and releases all, and leaves an empty one. */
void body_free(struct body *body);
AUTO_KIND(body, struct body, body_free(p))

#endif
