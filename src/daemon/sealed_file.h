/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file without a name, in pieces, each sealed with a key that is in memory only (AES-256-GCM,
 * NIST SP 800-38D; the number of a piece is its nonce): on the disk there is nothing that anybody
 * could read, and nothing that he could change unseen.
 */
#ifndef DAEMON_SEALED_FILE_H
#define DAEMON_SEALED_FILE_H

#include "base/buf.h"

enum { SEALED_PIECE = 64 << 10, SEALED_KEY = 32 };

struct sealed_file {
    int fd;
    uint64_t pieces;
    unsigned char key[SEALED_KEY];
};

/* SE_ERR_IO: there is no file without a name in that folder. The caller closes what is open. */
SE_MUST_CHECK se_status sealed_file_open(struct sealed_file *out, const char *folder,
                                         se_error *err);

/* Appends a piece: of SEALED_PIECE bytes, but for the last one. */
SE_MUST_CHECK se_status sealed_file_append(struct sealed_file *file, se_bytes piece, se_error *err);

/* Reads the piece of that number, from 0. The caller releases *out. SE_ERR_IO: it can't be read, or
 * is not what was written. */
SE_MUST_CHECK se_status sealed_file_read(se_buf *out, const struct sealed_file *file,
                                         uint64_t number, se_error *err);

void sealed_file_close(struct sealed_file *file);

#endif
