/* One operation with a private key: whether it works, and how it is done. */
#ifndef ENGINE_PROBE_H
#define ENGINE_PROBE_H

#include "config/config.h"
#include "crypto/key.h"

/*
 * Signs and verifies, or encrypts and decrypts, as the descriptor's algorithm says, with
 * key->private and its certificate. *mechanism: how the store did it, static; "" when it does not
 * say.
 */
SE_MUST_CHECK se_status probe_key(const char **mechanism, struct key *key,
                                  const struct descriptor *descriptor, se_error *err);

#endif
