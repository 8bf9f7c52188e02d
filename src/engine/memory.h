/*
 * Data keys that were unwrapped a short while ago, so that the next value under one needs no key
 * store. They lie in pages that are locked, left out of core dumps and empty in the child of a
 * fork, and are wiped when their time is over.
 */
#ifndef ENGINE_MEMORY_H
#define ENGINE_MEMORY_H

#include "engine/engine.h"
#include "fields/envelope.h"

struct data_keys;

/* The memory of a descriptor; NULL: its limits say that there is none, or no pages can be had. */
struct data_keys *memory_of(se_engine *engine, const struct descriptor *descriptor);

/* False: not there, or too old.  `keys` may be NULL. */
bool memory_recall(se_buf *secret, struct data_keys *keys, const unsigned char id[DATA_KEY_ID]);
void memory_keep(struct data_keys *keys, const unsigned char id[DATA_KEY_ID], se_bytes secret);

void memory_free(struct data_keys *keys); /* wipes; accepts NULL */

#endif
