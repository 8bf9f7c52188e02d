#include "cli/json.h"

#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "base/utf8.h"

/* A row that memory does not suffice for is not passed over in silence. */
static bool lost;

bool json_line(json_t *object)
{
    bool done = object && !json_dumpf(object, stdout, JSON_COMPACT) && putchar('\n') != EOF;

    lost = lost || !done;
    json_decref(object);
    return done;
}

bool json_is_lost(void)
{
    return lost;
}

static json_t *mended(const char *text)
{
    AUTO(writer) w = { 0 };

    while (*text) {
        uint32_t point;
        size_t size = utf8_next(&point, text);

        if (size)
            writer_put(&w, text, size);
        else
            writer_text(&w, "\xef\xbf\xbd"); /* U+FFFD */
        text += size ? size : 1;
    }
    return w.failed ? NULL : json_string(writer_string(&w));
}

json_t *json_text(const char *text)
{
    if (!text)
        return json_null();
    return utf8_is(text_bytes(text)) ? json_string(text) : mended(text);
}

json_t *json_time(int64_t seconds)
{
    time_t time = seconds;
    char text[32];
    struct tm tm;

    if (!seconds || !gmtime_r(&time, &tm) ||
        !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return json_null();
    return json_string(text);
}
