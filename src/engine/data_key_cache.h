/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data keys that were unwrapped a short while ago, so that the next value under one needs no key
 * store. They lie in pages that are locked, left out of core dumps and empty in the child of a
 * fork, and are wiped when their time is over.
 */
#ifndef ENGINE_DATA_KEY_CACHE_H
#define ENGINE_DATA_KEY_CACHE_H

#include "engine/engine.h"
#include "fields/envelope.h"

struct data_key_cache;

/* The cache of a descriptor; NULL: its limits say that there is none, or no pages can be had. */
struct data_key_cache *data_key_cache_of(struct engine *engine,
                                         const struct descriptor *descriptor);

/* False: not there, or too old.  `cache` may be NULL. */
bool data_key_cache_get(se_buf *secret, struct data_key_cache *cache,
                        const unsigned char id[DATA_KEY_ID]);
void data_key_cache_put(struct data_key_cache *cache, const unsigned char id[DATA_KEY_ID],
                        se_bytes secret);

void data_key_cache_free(struct data_key_cache *cache); /* wipes; accepts NULL */

#endif
