/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks, and times as texts.  Seconds and microseconds are counted from 1970, UTC. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* The time of day, which an administrator may set back. */
int64_t clock_seconds(void);
int64_t clock_microseconds(void);

/* For intervals: never set, stands still while the machine sleeps. */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);

/* For how long something lay idle: goes on while the machine sleeps. */
int64_t clock_boot_ms(void);

enum { TIME_TEXT_ROOM = 40 };
enum time_form {
    TIME_RFC3339,  /* 2026-01-31T12:00:00Z */
    TIME_DATE,     /* 2026-01-31 */
    TIME_READABLE, /* 2026-01-31 12:00:00 UTC */
};

/* In UTC.  Returns `out`, which is empty if there is no such time. */
const char *time_format(char out[TIME_TEXT_ROOM], enum time_form form, int64_t seconds);

/* What RFC 3339 writes with whole seconds, and "Z" or an offset: 2026-01-31T12:00:00+01:00.  False:
 * it is none, or before 1970. */
bool time_parse(int64_t *out, const char *text);

/* RFC 3339 with as many digits of the second as it needs: none, or six. */
const char *time_format_us(char out[TIME_TEXT_ROOM], int64_t microseconds);

#endif
