#include "model/encoding.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/utf8.h"

static bool utf16(const unsigned char *p, size_t size)
{
    if (size < 2)
        return false;
    return !memcmp(p, "\xFE\xFF", 2) || !memcmp(p, "\xFF\xFE", 2) || !memcmp(p, "\0<", 2) || !memcmp(p, "<\0", 2);
}

static bool only_blanks(const unsigned char *p, size_t size)
{
    while (size && strchr(" \t\r\n", *p) && *p)
        p++, size--;
    return !size;
}

/* What is between the quotes behind `encoding` in an XML declaration; empty: there is none. */
static se_bytes declared(se_bytes text)
{
    const char *p = text.data, *end, *value;

    if (text.size > 3 && !memcmp(p, "\xEF\xBB\xBF", 3))
        p += 3;
    if (!text_starts(p, "<?xml") || !(end = strstr(p, "?>")) || !(value = strstr(p, "encoding")) || value > end)
        return (se_bytes){ "", 0 };
    value += strcspn(value, "'\"");
    if (value >= end)
        return (se_bytes){ "", 0 };
    return (se_bytes){ value + 1, strcspn(value + 1, "'\"?") };
}

/* UTF-8 and what is a part of it; by its own bytes libxml2 would read another text than the one that is looked through here. */
static bool supported(se_bytes name)
{
    static const char *const names[] = { "", "UTF-8", "UTF8", "US-ASCII", "ASCII" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (name.size == strlen(names[i]) && !strncasecmp(name.data, names[i], name.size))
            return true;
    return false;
}

static se_status check_bytes(se_bytes text, int *line, se_error *err)
{
    const unsigned char *p = text.data;
    uint32_t point;
    size_t step;

    for (size_t i = 0; i < text.size; i += step) {
        step = 1;
        if (p[i] > '\n' && p[i] < 0x80) /* nearly all */
            continue;
        if (!(step = utf8_take(&point, (se_bytes){ p + i, text.size - i })))
            return error_set(err, SE_ERR_CONFIG, "not UTF-8: save the file as UTF-8");
        if (!point)
            return error_set(err, SE_ERR_CONFIG, "the file is no text: it holds a NUL byte");
        *line += point == '\n';
    }
    return SE_OK;
}

se_status encoding_check(se_bytes text, int *line, se_error *err)
{
    se_bytes name;

    *line = 1;
    if (only_blanks(text.data, text.size))
        return error_set(err, SE_ERR_CONFIG, "the file is empty");
    if (utf16(text.data, text.size))
        return error_set(err, SE_ERR_CONFIG, "the file is UTF-16: save it as UTF-8");
    name = declared(text);
    if (!supported(name))
        return error_set(err, SE_ERR_CONFIG, "the encoding '%.*s' is not supported: save the file as UTF-8",
                         (int)(name.size < 64 ? name.size : 64), (const char *)name.data);
    return check_bytes(text, line, err);
}

bool encoding_xml_char(uint32_t c)
{
    if (c < 0x20)
        return c == '\t' || c == '\n' || c == '\r';
    return c <= 0xD7FF || (c >= 0xE000 && c <= 0xFFFD) || (c >= 0x10000 && c <= 0x10FFFF);
}

size_t encoding_put(unsigned char out[4], uint32_t c)
{
    static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = size; --i; c >>= 6)
        out[i] = (unsigned char)(0x80 | (c & 0x3F));
    out[0] = (unsigned char)(lead[size] | c);
    return size;
}
