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

/* Whether `text` begins with the form, in which a 0 stands for any digit. */
static bool has_form(const char *text, const char *form)
{
    for (; *form; form++, text++)
        if (*form == '0' ? *text < '0' || *text > '9' : *text != *form)
            return false;
    return true;
}

static int two_digits(const char *text)
{
    return 10 * (text[0] - '0') + text[1] - '0';
}

/* Seconds east of Greenwich. */
static bool parse_offset(int64_t *out, const char *text)
{
    *out = 0;
    if (!strcmp(text, "Z"))
        return true;
    if ((!has_form(text, "+00:00") && !has_form(text, "-00:00")) || text[6] ||
        two_digits(text + 1) > 23 || two_digits(text + 4) > 59)
        return false;
    *out = (*text == '-' ? -60 : 60) * (60 * two_digits(text + 1) + two_digits(text + 4));
    return true;
}

/* timegm() makes a March of February 30: the way back has to lead to the same text. */
bool time_parse(int64_t *out, const char *text)
{
    static const char form[] = "0000-00-00T00:00:00";
    const size_t size = sizeof form - 1;
    char again[TIME_TEXT_ROOM];
    int64_t offset;
    struct tm tm = { 0 };

    *out = 0;
    if (!has_form(text, form) || !parse_offset(&offset, text + size))
        return false;
    tm = (struct tm){ .tm_year = 100 * two_digits(text) + two_digits(text + 2) - 1900,
                      .tm_mon = two_digits(text + 5) - 1,
                      .tm_mday = two_digits(text + 8),
                      .tm_hour = two_digits(text + 11),
                      .tm_min = two_digits(text + 14),
                      .tm_sec = two_digits(text + 17) };
    *out = (int64_t)timegm(&tm);
    if (strncmp(time_format(again, TIME_RFC3339, *out), text, size) != 0)
        return false;
    *out -= offset;
    return *out >= 0;
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
