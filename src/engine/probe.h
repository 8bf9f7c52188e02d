/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a key does what its descriptor wants. */
#ifndef ENGINE_PROBE_H
#define ENGINE_PROBE_H

#include "config/config.h"
#include "crypto/key.h"

/*
 * Signs and verifies, or encrypts and decrypts, as the descriptor's algorithm says, with
 * key->private and its certificate.  *mechanism: how the store did it, static; "" when it does not
 * say.
 */
SE_MUST_CHECK se_status key_probe(const char **mechanism, struct key *key,
                                  const struct descriptor *descriptor, se_error *err);

#endif
