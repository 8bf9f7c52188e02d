/* SPDX-License-Identifier: Apache-2.0 */
#include "config/encoding.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/utf8.h"

static bool is_utf16(const unsigned char *p, size_t size)
{
    if (size < 2)
        return false;
    return !memcmp(p, "\xFE\xFF", 2) || !memcmp(p, "\xFF\xFE", 2) || !memcmp(p, "\0<", 2) ||
           !memcmp(p, "<\0", 2);
}

static bool holds_blanks_only(const unsigned char *p, size_t size)
{
    while (size && strchr(" \t\r\n", *p) && *p)
        p++, size--;
    return !size;
}

/* What an XML declaration says; empty: nothing. */
struct declaration {
    se_bytes version, encoding;
};

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* NAME="VALUE" after a blank; else *at stays, and *value is empty. */
static void take_declared(se_bytes *value, const char **at, const char *name)
{
    const char *p = skip_space(*at), *end;

    *value = (se_bytes){ "", 0 };
    if (p == *at || !text_starts(p, name))
        return;
    p = skip_space(p + strlen(name));
    if (*p != '=')
        return;
    p = skip_space(p + 1);
    if ((*p != '"' && *p != '\'') || !(end = strchr(p + 1, *p)))
        return;
    *value = (se_bytes){ p + 1, (size_t)(end - p - 1) };
    *at = end + 1;
}

/* XML 1.0, 2.8.  False: it is malformed, or ambiguous. */
static bool read_declaration(struct declaration *out, const char *p)
{
    se_bytes standalone;

    *out = (struct declaration){ { "1.0", 3 }, { "", 0 } };
    if (text_starts(p, "\xEF\xBB\xBF"))
        p += 3;
    if (!text_starts(p, "<?xml") || !strchr(" \t\r\n", p[5]))
        return true;
    p += strlen("<?xml");
    take_declared(&out->version, &p, "version");
    take_declared(&out->encoding, &p, "encoding");
    take_declared(&standalone, &p, "standalone");
    return out->version.size && text_starts(skip_space(p), "?>");
}

static bool is_one_of(se_bytes name, const char *const *names)
{
    for (; *names; names++)
        if (name.size == strlen(*names) && !strncasecmp(name.data, *names, name.size))
            return true;
    return false;
}

/* UTF-8 and its subset.  With any other encoding libxml2 would read another text than our scanner
 * does. */
static const char *const utf8_names[] = { "", "UTF-8", "UTF8", "US-ASCII", "ASCII", NULL };
static const char *const ascii_names[] = { "US-ASCII", "ASCII", NULL };

/* XML 1.1 has other line ends, for which the canonical forms of 1.0 have no rules. */
static se_status check_declaration(bool *ascii, const char *text, se_error *err)
{
    struct declaration d;

    if (!read_declaration(&d, text))
        return error_set(
            err, SE_ERR_CONFIG,
            "malformed XML declaration: write <?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    if (d.version.size != 3 || memcmp(d.version.data, "1.0", 3))
        return error_set(
            err, SE_ERR_CONFIG,
            "XML of the version '%.*s' is not accepted: only 1.0, whose rules canonical forms have",
            (int)(d.version.size < 16 ? d.version.size : 16), (const char *)d.version.data);
    if (!is_one_of(d.encoding, utf8_names))
        return error_set(
            err, SE_ERR_CONFIG, "the encoding '%.*s' is not supported: save the file as UTF-8",
            (int)(d.encoding.size < 64 ? d.encoding.size : 64), (const char *)d.encoding.data);
    *ascii = is_one_of(d.encoding, ascii_names);
    return SE_OK;
}

static se_status check_bytes(se_bytes text, bool ascii, int *line, se_error *err)
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
        if (point >= 0x80 && ascii && i >= 3) /* a byte order mark is none of its characters */
            return error_set(err, SE_ERR_CONFIG,
                             "not the ASCII that the file is declared to be: declare it as UTF-8");
        *line += point == '\n';
    }
    return SE_OK;
}

se_status encoding_check(se_bytes text, int *line, se_error *err)
{
    bool ascii = false;

    *line = 1;
    if (holds_blanks_only(text.data, text.size))
        return error_set(err, SE_ERR_CONFIG, "the file is empty");
    if (is_utf16(text.data, text.size))
        return error_set(err, SE_ERR_CONFIG, "the file is UTF-16: save it as UTF-8");
    TRY(check_declaration(&ascii, text.data, err));
    return check_bytes(text, ascii, line, err);
}

bool encoding_xml_char(uint32_t c)
{
    if (c < 0x20)
        return c == '\t' || c == '\n' || c == '\r';
    return c <= 0xD7FF || (c >= 0xE000 && c <= 0xFFFD) || (c >= 0x10000 && c <= 0x10FFFF);
}
