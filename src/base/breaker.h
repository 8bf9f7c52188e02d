/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A circuit breaker: one caller at a time asks what is away, with pauses; all others fail at once.
 * A plain state machine: its owner locks it and passes the time (clock_monotonic_ms()).  Zeroed, it
 * is closed.
 */
#ifndef BASE_BREAKER_H
#define BASE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    BREAKER_FIRST_MS = 100, /* doubles with each failure */
    BREAKER_MOST_MS = 500,  /* work goes on within a second of the return */
};

enum breaker_leave {
    BREAKER_GO,    /* nothing is known to be wrong */
    BREAKER_PROBE, /* the caller tries, and must report how it went */
    BREAKER_WAIT,  /* do not try now */
};

struct breaker {
    bool open, probing;
    unsigned failures; /* in a row */
    int64_t next;      /* when the next probe may begin, in milliseconds */
    uint32_t dice;
};

enum breaker_leave breaker_ask(struct breaker *breaker, int64_t now);

/* It is away.  `leave`: what breaker_ask() said to this caller.  True: it was not known before. */
bool breaker_failed(struct breaker *breaker, enum breaker_leave leave, int64_t now);

/* It is back.  True: it was away. */
bool breaker_healed(struct breaker *breaker);

#endif
