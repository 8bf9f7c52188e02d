/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NX02 containers (doc/formats.md): a stream of any size, encrypted in pieces that are
 * authenticated one by one, each with its place in the stream and whether it is the last one.
 * Nothing is written before its piece is known to be genuine; that nothing is missing is known when
 * all of it was read.
 */
#ifndef FIELDS_CONTAINER_H
#define FIELDS_CONTAINER_H

#include "base/stream.h"
#include "fields/envelope.h"

enum {
    CONTAINER_PIECE = 65536,
    CONTAINER_SECRET = 32,
};

/* `beginning` is that of a container (or of an encrypted field), though one of the first four bytes
 * is wrong or it ends with them. */
bool container_resembles(se_bytes beginning);

/* Encrypts what is left of `in`.  Of `job` all but `binary` and `plain`; its key holds the secret
 * and the wrapped key. */
SE_MUST_CHECK se_status container_seal(const se_sink *out, const struct seal_job *job,
                                       struct stream *in, se_error *err);

/* What is needed to find the data key.  SE_ERR_FORMAT: it is none at all; SE_ERR_REJECTED: it is a
 * damaged one. */
SE_MUST_CHECK se_status container_read(struct envelope *out, struct stream *in, se_error *err);

/* Decrypts what is left of `in`.  The key of `job` holds the secret.  SE_ERR_REJECTED: what `out`
 * got must not be used. */
SE_MUST_CHECK se_status container_open(const se_sink *out, const struct open_job *job,
                                       struct stream *in, se_error *err);

#endif
