/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets that were refused in this process, as keyed hashes: whoever counts wrong ones and
 * locks at some of them is shown each once, not once per thread, key or retry.
 */
#ifndef KEYSTORE_REFUSALS_H
#define KEYSTORE_REFUSALS_H

#include "base/buf.h"

enum { REFUSALS_KEPT = 64, REFUSAL_HASH = 32 }; /* the oldest gives way */

struct refusal {
    unsigned char hash[REFUSAL_HASH];
};

/* Static and zeroed: empty. */
struct refusals {
    struct refusal kept[REFUSALS_KEPT];
    int64_t times[REFUSALS_KEPT]; /* clock_boot_ms() */
    size_t count;                 /* of all so far */
};

/* Of who refuses, and then of the secret.  False: it can't be computed, and the secret must not be
 * shown to anybody. */
bool refusal_make(struct refusal *out, const se_bytes *parts, size_t count);

/* `last_ms`: how long a refusal counts; 0: for ever. */
bool refusals_have(const struct refusals *list, const struct refusal *refusal, int64_t last_ms);
void refusals_add(struct refusals *list, const struct refusal *refusal);
void refusals_forget(struct refusals *list);

#endif
