/* What a private key may not serve besides. */
#ifndef ENGINE_SHARING_H
#define ENGINE_SHARING_H

#include "engine/engine.h"

/*
 * `refusal`: another descriptor has the same public key, for what must not be mixed with what this
 * one has.  Other statuses: that can't be told, for want of another key's certificate.  `key` has
 * the certificate of `descriptor`.
 */
SE_MUST_CHECK se_status sharing_check(se_engine *engine, const struct descriptor *descriptor,
                                      const struct key *key, se_status refusal, se_error *err);

#endif
