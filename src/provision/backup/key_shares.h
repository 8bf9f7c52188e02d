/* SPDX-License-Identifier: Apache-2.0 */
/* A secret key in shares, of which some together have it: Shamir's scheme over GF(2^8), as
 * gfsplit(1) and gfcombine(1) have it. */
#ifndef PROVISION_BACKUP_KEY_SHARES_H
#define PROVISION_BACKUP_KEY_SHARES_H

#include "base/buf.h"

enum { SHARES_MOST = 24 };

struct key_shares {
    se_buf list[SHARES_MOST];           /* as long as the secret */
    unsigned char numbers[SHARES_MOST]; /* from 1, each another: what gfcombine(1) takes from a
                                           file's name */
    size_t count;
};
void key_shares_free(struct key_shares *shares);
AUTO_KIND(key_shares, struct key_shares, key_shares_free(p))

/* Into `count` shares, numbered from 1, of which any `threshold` are enough: 2 to `count`. */
SE_MUST_CHECK se_status key_shares_split(struct key_shares *out, const se_buf *secret, size_t count,
                                         unsigned threshold, se_error *err);

/* Nothing tells whether they are enough, and unchanged: what the secret opens does. */
SE_MUST_CHECK se_status key_shares_combine(se_buf *out, const struct key_shares *shares,
                                           se_error *err);

#endif
