#include "history/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

enum { SECOND = 1000000 };

const char *se_finding_name(se_finding_kind kind)
{
    static const char *const names[] = {
        [SE_FINDING_UNSEALED] = "unsealed",
        [SE_FINDING_CHANGED] = "changed",
        [SE_FINDING_REMOVED] = "removed",
        [SE_FINDING_INSERTED] = "inserted",
        [SE_FINDING_REORDERED] = "reordered",
        [SE_FINDING_TRUNCATED] = "truncated",
        [SE_FINDING_FOREIGN] = "foreign",
        [SE_FINDING_SIGNATURE] = "signature",
        [SE_FINDING_KEY] = "key",
        [SE_FINDING_VERSION] = "version",
        [SE_FINDING_ROLLED_BACK] = "rolled back",
    };
    size_t i = (size_t)kind;

    return i < sizeof names / sizeof *names ? names[i] : "unknown";
}

static int place(char *out, size_t room, const se_finding *what)
{
    if (what->first && what->last > what->first)
        return snprintf(out, room, "entries %ju to %ju: ", (uintmax_t)what->first,
                        (uintmax_t)what->last);
    if (what->first)
        return snprintf(out, room, "entry %ju: ", (uintmax_t)what->first);
    if (what->seal)
        return snprintf(out, room, "seal %ju: ", (uintmax_t)what->seal);
    *out = '\0';
    return 0;
}

int64_t findings_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec / 1000;
}

bool findings_suffice(const struct findings *f)
{
    return f->count >= FINDINGS_MOST && findings_clock() - f->since > SECOND;
}

void finding_tell(struct findings *f, const se_finding *what)
{
    if (!f->count++) {
        (void)error_set(&f->first, SE_ERR_REJECTED, "%s", what->text);
        f->since = findings_clock();
    }
    if (f->fn && f->count <= FINDINGS_MOST)
        f->fn(f->arg, what);
}

static bool same_place(const se_finding *a, const se_finding *b)
{
    return a->first == b->first && a->last == b->last && a->seal == b->seal;
}

void finding_add(struct findings *f, se_finding what, const char *format, ...)
{
    char text[700];
    size_t used = (size_t)place(text, sizeof text, &what);
    se_error clean = SE_ERROR_INIT;
    va_list args;

    if (f->early && same_place(&f->earlier, &what)) {
        f->early = false;
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text + used, sizeof text - used, format, args);
    va_end(args);
    (void)error_set(&clean, SE_ERR_REJECTED, "%s", text); /* one line */
    what.text = clean.text;
    finding_tell(f, &what);
}

se_status findings_status(const struct findings *f, se_error *err)
{
    if (!f->count)
        return SE_OK;
    if (f->count == 1)
        return error_set(err, SE_ERR_REJECTED, "%s", f->first.text);
    return error_set(err, SE_ERR_REJECTED, "%ju findings; the first: %s", (uintmax_t)f->count,
                     f->first.text);
}
