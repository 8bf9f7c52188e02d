/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MILLION = 1000000 };

static int64_t read_us(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * MILLION + t.tv_nsec / 1000;
}

int64_t clock_seconds(void)
{
    return time(NULL);
}

int64_t clock_microseconds(void)
{
    return read_us(CLOCK_REALTIME);
}

int64_t clock_monotonic_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_monotonic_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_boot_ms(void)
{
    return read_us(CLOCK_BOOTTIME) / 1000;
}

static size_t write_time(char out[TIME_TEXT_ROOM], enum time_form form, const struct tm *tm)
{
    switch (form) {
    case TIME_RFC3339:
        return strftime(out, TIME_TEXT_ROOM, "%Y-%m-%dT%H:%M:%SZ", tm);
    case TIME_DATE:
        return strftime(out, TIME_TEXT_ROOM, "%Y-%m-%d", tm);
    case TIME_READABLE:
        return strftime(out, TIME_TEXT_ROOM, "%Y-%m-%d %H:%M:%S UTC", tm);
    }
    return 0;
}

const char *time_format(char out[TIME_TEXT_ROOM], enum time_form form, int64_t seconds)
{
    const time_t time = seconds;
    struct tm tm;

    if (!gmtime_r(&time, &tm) || !write_time(out, form, &tm))
        out[0] = '\0';
    return out;
}

const char *time_format_us(char out[TIME_TEXT_ROOM], int64_t microseconds)
{
    const int64_t part = (microseconds % MILLION + MILLION) % MILLION;
    size_t used;

    (void)time_format(out, TIME_RFC3339, (microseconds - part) / MILLION);
    used = strlen(out);
    if (used && part)
        (void)snprintf(out + used - 1, TIME_TEXT_ROOM - used, ".%06dZ", (int)part);
    return out;
}
