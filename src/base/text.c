/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

/* ---- UTF-8 ---- */

enum { CHARACTER_MOST = 4 };

static size_t announced_size(unsigned char first)
{
    return first < 0x80   ? 1
           : first < 0xc2 ? 0
           : first < 0xe0 ? 2
           : first < 0xf0 ? 3
           : first < 0xf5 ? 4
                          : 0;
}

size_t utf8_take(uint32_t *point, se_bytes text)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *p = text.data;
    size_t size = text.size ? announced_size(*p) : 0;
    uint32_t c;

    if (!size || size > text.size)
        return 0;
    c = size == 1 ? *p : *p & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    if (c < least[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *point = c;
    return size;
}

size_t utf8_next(uint32_t *point, const char *text)
{
    return utf8_take(point, (se_bytes){ text, strnlen(text, CHARACTER_MOST) });
}

/* How many characters of ASCII it begins with, eight at a time: most text is nothing else. */
static size_t ascii_span(se_bytes text)
{
    const char *p = text.data;
    size_t at = 0;
    uint64_t eight;

    for (; text.size - at >= sizeof eight; at += sizeof eight) {
        memcpy(&eight, p + at, sizeof eight);
        if (eight & 0x8080808080808080u)
            break;
    }
    return at;
}

bool utf8_is(se_bytes text)
{
    const char *p = text.data;
    size_t at = ascii_span(text), size = 1;
    uint32_t point;

    for (; size && at < text.size; at += size)
        size = utf8_take(&point, (se_bytes){ p + at, text.size - at });
    return at == text.size;
}

bool utf8_is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0);
}

size_t utf8_put(unsigned char out[4], uint32_t c)
{
    static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = size; --i; c >>= 6)
        out[i] = (unsigned char)(0x80 | (c & 0x3F));
    out[0] = (unsigned char)(lead[size] | c);
    return size;
}

/* ---- texts ---- */

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

bool text_is_visible(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

se_bytes text_trim_end(se_bytes value)
{
    const char *p = value.data;
    size_t text = 0;

    for (size_t i = 0; i < value.size; i++) {
        if (!is_blank(p[i]) && !text_is_visible(&p[i], 1))
            return value;
        if (!is_blank(p[i]))
            text = i + 1;
    }
    return (se_bytes){ value.data, text };
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *ending)
{
    const size_t size = strlen(text), wanted = strlen(ending);

    return size >= wanted && strcmp(text + size - wanted, ending) == 0;
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

/* ---- near misses ---- */

enum { LONGEST = 64 };

static size_t min_size(size_t a, size_t b)
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

            row[j] = min_size(above[j - 1] + (ca != cb), min_size(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
                cb == tolower((unsigned char)a[i - 2]))
                row[j] = min_size(row[j], before[j - 2] + 1);
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
