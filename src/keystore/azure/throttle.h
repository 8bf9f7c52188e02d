/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a vault may be asked, learned from its refusals (429).  All callers of a vault wait
 * while it refuses, and one goes first.  Then the rate is halved and grows by a tenth a second, up
 * to where it was refused; there it stays, almost: a vault that has shown its limit several times
 * is tried less and less often, so that a limit costs some per cent when it is new and one in the
 * long run.  Callers go in the order in which they came.
 *
 * A plain state machine, as base/breaker.h: its owner locks it and passes the time
 * (clock_monotonic_ms()).  Zeroed, it has never been refused and lets everybody through.
 */
#ifndef KEYSTORE_AZURE_THROTTLE_H
#define KEYSTORE_AZURE_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    THROTTLE_FIRST_MS = 1000,     /* doubles with each refusal in a row, less up to a half */
    THROTTLE_MOST_MS = 8000,      /* Key Vault counts ten seconds: a longer pause gains nothing */
    THROTTLE_ASKED_MOST_S = 60,   /* Retry-After is believed so far */
    THROTTLE_PATIENCE_MS = 30000, /* for whoever goes first, until another one does */
};

struct throttle {
    int64_t not_before; /* refused: until then nobody asks */
    unsigned refusals;  /* in a row */
    bool is_refused;    /* and nobody got through since */
    bool is_probing;    /* one goes first */

    double rate;     /* operations a second; 0: as fast as they come */
    double next;     /* when the next may go, milliseconds */
    uint64_t turn;   /* the last one that went */
    uint64_t queued; /* the last turn that was handed out */
    int64_t crowded; /* when somebody last waited for `rate` */

    double ceiling;   /* the rate that was refused last; 0: none was */
    double proven;    /* one that was granted for long; 0: none is known */
    int64_t plateau;  /* how long the rate stays about there, milliseconds */
    double grown;     /* when `rate` last grew, milliseconds */
    int64_t held;     /* when it arrived there; 0: not yet */
    int64_t refused;  /* when the vault last began to refuse */
    uint64_t granted; /* requests since then */

    double measured; /* operations a second, in the last window that is over */
    int64_t window;  /* begin of what is being measured */
    unsigned in_window;
    uint32_t dice;
};

/*
 * When the caller may ask.  `now` or earlier: at once, and it must report how it went with
 * throttle_passed() or throttle_refused(); later: it calls this again then.  `*turn` is its place
 * in the queue: 0 at first, and not changed by the caller.  Later than `until`: it can't be served
 * in time, and has no place.
 */
int64_t throttle_ask(struct throttle *throttle, uint64_t *turn, int64_t until, int64_t now);

/* The vault answered, with whatever but a refusal; also for a request that had no answer. */
void throttle_passed(struct throttle *throttle, int64_t now);

/*
 * The vault refused; `retry_after`: seconds that it asks for, or -1.  True: that is news, and
 * throttle->rate is what is left.
 */
bool throttle_refused(struct throttle *throttle, long retry_after, int64_t now);

#endif
