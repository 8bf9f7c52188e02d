#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

enum { LONGEST = 64 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance: insertions, deletions, replacements, and swaps of neighbours;
 * case does not count. */
size_t text_distance(const char *a, const char *b)
{
    size_t rows[3][LONGEST + 1], la = strlen(a), lb = strlen(b);
    size_t *before = rows[0], *above = rows[1], *row = rows[2];

    if (la > LONGEST || lb > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= lb; j++)
        above[j] = before[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t *recycled = before;

        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);

            row[j] = least(above[j - 1] + (ca != cb), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
                cb == tolower((unsigned char)a[i - 2]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        before = above;
        above = row;
        row = recycled;
    }
    return above[lb];
}

const char *text_nearest(const char *word, const char *const *words, size_t count)
{
    const char *nearest = NULL;
    size_t best = strlen(word) / 3 + 1;

    for (size_t i = 0; i < count; i++) {
        size_t d = words[i] ? text_distance(word, words[i]) : LONGEST;

        if (d < LONGEST && (d < best || (d == best && !nearest))) {
            best = d;
            nearest = words[i];
        }
    }
    return nearest;
}

bool text_number(unsigned long *out, const char *text, unsigned long max)
{
    unsigned long n;
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    n = strtoul(text, &end, 10);
    if (errno || *end || n > max)
        return false;
    *out = n;
    return true;
}

const char *text_mark(const void *text, size_t size)
{
    static const struct {
        const char *bytes, *name;
    } marks[] = { { UTF8_MARK, "UTF-8" }, { "\xff\xfe", "UTF-16" }, { "\xfe\xff", "UTF-16" } };

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (size >= strlen(marks[i].bytes) &&
            strncmp(text, marks[i].bytes, strlen(marks[i].bytes)) == 0)
            return marks[i].name;
    return NULL;
}

bool text_is_ascii(const char *text)
{
    while (*text && (unsigned char)*text < 0x80)
        text++;
    return !*text;
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Where the last character begins that has its first byte before `end`. */
static size_t last_start(const char *text, size_t end)
{
    while (end && ((unsigned char)text[end - 1] & 0xc0) == 0x80)
        end--;
    return end ? end - 1 : 0;
}

void text_copy(char *out, size_t room, const char *text, size_t size)
{
    size_t taken = size < room ? size : room - 1, start = last_start(text, taken);
    uint32_t point;

    /* one that is whole in `text`, and not in what is taken */
    if (taken < size && start + utf8_take(&point, (se_bytes){ text + start, size - start }) > taken)
        taken = start;
    memcpy(out, text, taken);
    out[taken] = '\0';
}

void text_clean(char *text)
{
    while (*text) {
        uint32_t point = 0;
        size_t size = utf8_next(&point, text);

        if (!size)
            *text++ = '?';
        else if (utf8_is_control(point))
            memset(text, ' ', size);
        text += size;
    }
}
