/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a vault may be asked, learned from its refusals (429): all callers of a vault wait while
 * it refuses, one goes first, and then the rate is halved and grows again (AIMD).
 *
 * A plain state machine, as base/breaker.h: its owner locks it and passes the time
 * (clock_monotonic_ms()).  Zeroed, it has never been refused and lets everybody through.
 */
#ifndef KEYSTORE_AZURE_THROTTLE_H
#define KEYSTORE_AZURE_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

struct throttle {
    int64_t not_before; /* refused: until then nobody asks */
    unsigned refusals;  /* in a row */
    bool is_probing;    /* one goes first */
    double rate;        /* operations a second; 0: as fast as they come */
    double next;        /* when the next may go, milliseconds */
    int64_t grown;      /* when `rate` last grew */
    double measured;    /* operations a second of late, what `rate` is halved from */
    int64_t window;     /* begin of what is being measured */
    unsigned in_window;
    uint32_t dice;
};

/*
 * When the caller may ask: `now` or earlier: at once, and it must report how it went with
 * throttle_passed() or throttle_refused(); later: it asks again then.  A caller that may go is
 * counted.
 */
int64_t throttle_ask(struct throttle *throttle, int64_t now);

/* The vault answered, with whatever but a refusal; also for a request that had no answer. */
void throttle_passed(struct throttle *throttle, int64_t now);

/* The vault refused; `retry_after`: seconds that it asks for, or -1.  True: that is news. */
bool throttle_refused(struct throttle *throttle, long retry_after, int64_t now);

#endif
