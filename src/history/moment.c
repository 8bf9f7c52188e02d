#include <stdio.h>
#include <time.h>

#include "history/seal.h"

enum { MILLION = 1000000 };

void time_text(char out[TIME_ROOM], int64_t micros)
{
    time_t seconds = micros / MILLION;
    size_t used;
    struct tm tm;

    if (micros < 0 || !gmtime_r(&seconds, &tm) ||
        !(used = strftime(out, TIME_ROOM, "%Y-%m-%dT%H:%M:%S", &tm))) {
        (void)snprintf(out, TIME_ROOM, "@%jd", (intmax_t)micros);
        return;
    }
    (void)snprintf(out + used, TIME_ROOM - used, ".%06dZ", (int)(micros % MILLION));
}

bool time_parse(int64_t *out, const char *text)
{
    struct tm tm = { .tm_mday = 1 };
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    char again[TIME_ROOM];
    unsigned micros;
    int used = 0;

    if (!end || sscanf(end, ".%6uZ%n", &micros, &used) != 1 || !used || end[used])
        return false;
    *out = (int64_t)timegm(&tm) * MILLION + micros;
    time_text(again, *out);
    return strcmp(again, text) == 0;
}
