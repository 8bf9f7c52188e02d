#include "base/utf8.h"

#include <string.h>

enum { CHARACTER_MOST = 4 };

static size_t announced(unsigned char first)
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
    size_t size = text.size ? announced(*p) : 0;
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

bool utf8_is(se_bytes text)
{
    const char *p = text.data;
    size_t at = 0, size = 1;
    uint32_t point;

    for (; size && at < text.size; at += size)
        size = utf8_take(&point, (se_bytes){ p + at, text.size - at });
    return at == text.size;
}

bool utf8_is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0);
}
