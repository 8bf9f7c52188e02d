/* SPDX-License-Identifier: Apache-2.0 */
/* A key that is held in several places: it goes on working for as long as one of them does. */
#ifndef ENGINE_FAILOVER_H
#define ENGINE_FAILOVER_H

#include "engine/event.h"

/*
 * The key of an entry with several replicas, each with its reporter.  Each is opened now if it can
 * be, and else later when it is needed.
 *
 * An operation goes to the replica in use.  When that can't do it, it goes to the next in the order
 * of the file, round to all others, and the one that did it is in use from then on.  Operations
 * return to an earlier one with `failback` as soon as that is back. SE_ERR_KEY: two replicas hold
 * different keys; SE_ERR_UNAVAILABLE, or what the first failed with: none can be opened.
 */
SE_MUST_CHECK se_status failover_open(struct key **out, const struct key_entry *entry,
                                      enum key_part part, const struct reporter *reporters,
                                      se_error *err);

/* Whether another replica may do what one failed at with that status. */
bool failover_may_mend(se_status status);

#endif
