/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two editions of NX02 (doc/formats.md), fields and containers, have in common: the head,
 * the keys that come from a data key, and what is encrypted with them.
 */
#ifndef FIELDS_NX02_H
#define FIELDS_NX02_H

#include "fields/envelope.h"

#define NX02_MAGIC "NX02"

enum {
    NX02_FIELD = 1, /* editions */
    NX02_CONTAINER = 2,

    NX02_MAGIC_SIZE = 4,
    NX02_HEAD = 31, /* without the wrapped key */
    NX02_SECRET = 32,
    NX02_COMMITMENT = 32, /* of GCM */
};

/* How many bytes of wrapped key follow a head's first NX02_HEAD. */
size_t nx02_head_wrapped(const unsigned char head[NX02_HEAD]);

/* Of `out` what a head at the beginning of out->bytes tells.  envelope_refused(): it is none of
 * `edition`. */
SE_MUST_CHECK se_status nx02_envelope(struct envelope *out, unsigned edition, se_error *err);

/* Makes the data key ready; key->head is what its value begins with, the commitment included.
 * A container's keys are bound to `context`, which is NULL for fields. */
SE_MUST_CHECK se_status nx02_prepare_seal(const struct seal_job *job, unsigned edition,
                                          const se_bytes *context, se_error *err);
SE_MUST_CHECK se_status nx02_prepare_open(struct data_key *key, const struct envelope *envelope,
                                          const se_bytes *context, se_error *err);

/* A body: IV, ciphertext and tag.  It decrypts in the same context only. */
size_t nx02_body_size(const struct aead *aead, size_t plain);
SE_MUST_CHECK se_status nx02_body_seal(unsigned char *out, struct data_key *key, se_bytes context,
                                       se_bytes plain, se_bytes fixed_iv, se_error *err);
SE_MUST_CHECK se_status nx02_body_open(se_buf *out, struct data_key *key, se_bytes context,
                                       se_bytes body, se_error *err);

#endif
