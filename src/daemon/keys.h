/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys are out of reach, in all their replicas, as far as their last uses tell. */
#ifndef DAEMON_KEYS_H
#define DAEMON_KEYS_H

#include <signengine.h>

struct keys;

SE_MUST_CHECK se_status keys_new(struct keys **out, se_error *err);
void keys_free(struct keys *keys);

/* From se_options.event: logs what happens to keys, and looks at how operations end. */
void keys_hear(struct keys *keys, const se_event *event);

/* Opens the key of every descriptor, and signs or decrypts something with it if one was out of
 * reach: an engine finds out that a key is back only when it is asked for it. */
void keys_check(struct keys *keys, se_engine *engine);

/* How many are out of reach. */
unsigned keys_count_lost(struct keys *keys);

#endif
