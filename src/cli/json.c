#include "cli/json.h"

#include <stdio.h>
#include <time.h>

bool json_line(json_t *object)
{
    bool done = object && !json_dumpf(object, stdout, JSON_COMPACT) && putchar('\n') != EOF;

    json_decref(object);
    return done;
}

json_t *json_time(int64_t seconds)
{
    time_t time = seconds;
    char text[32];
    struct tm tm;

    if (!seconds || !gmtime_r(&time, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return json_null();
    return json_string(text);
}
