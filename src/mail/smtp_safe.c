/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/smtp_safe.h"

#include <endian.h>

enum {
    SAFE_LINE = 998, /* RFC 5322, 2.1.1 */
    FOLDED_LINE = 76,
};

/* Up to what is no printable character. */
static const unsigned char *skip_printable(const unsigned char *at, const unsigned char *end)
{
    static const uint64_t every = 0x0101010101010101;
    uint64_t eight, odd;

    for (; end - at >= (ptrdiff_t)sizeof eight; at += sizeof eight) {
        memcpy(&eight, at, sizeof eight);
        eight = le64toh(eight);
        /* bytes from 0x80 on, and those below a blank, which borrow from their neighbour; that
         * one does not matter any more */
        odd = (eight | (eight - every * ' ')) & every * 0x80;
        if (odd)
            return at + __builtin_ctzll(odd) / 8;
    }
    while (at < end && *at >= ' ' && *at < 0x80)
        at++;
    return at;
}

/* Up to a line end, or what is not safe. */
static const unsigned char *skip_safe(const unsigned char *at, const unsigned char *end)
{
    for (;; at++) {
        at = skip_printable(at, end);
        if (at == end || *at == '\n' || *at == '\r' || *at == '\0' || *at >= 0x80)
            return at;
    }
}

static bool has_safe_shape(const unsigned char *text, size_t size)
{
    return !size || (size <= SAFE_LINE && text[size - 1] != ' ' && text[size - 1] != '\t' &&
                     !(*text == 'F' && size >= 5 && strncmp((const char *)text, "From ", 5) == 0));
}

bool line_is_safe(se_bytes line)
{
    const unsigned char *text = line.data, *end = text + line.size;

    return has_safe_shape(text, line.size) && skip_safe(text, end) == end;
}

/* ---- stretches ---- */

static enum eol eol_at(const unsigned char *at, const unsigned char *end)
{
    if (at < end && *at == '\n')
        return EOL_LF;
    return end - at > 1 && at[0] == '\r' && at[1] == '\n' ? EOL_CRLF : EOL_NONE;
}

struct stretch stretch_find(se_bytes text)
{
    const unsigned char *begin = text.data, *end = begin + text.size, *at = begin;
    struct stretch found = { .eol = EOL_NONE };

    for (;;) {
        const unsigned char *to = skip_safe(at, end);
        enum eol eol = eol_at(to, end);

        found.lines = (se_bytes){ begin, (size_t)(at - begin) };
        if (eol == EOL_NONE || (at > begin && eol != found.eol) ||
            !has_safe_shape(at, (size_t)(to - at)) || (to - at > 1 && at[0] == '-' && at[1] == '-'))
            return found;
        found.count++;
        found.eol = eol;
        at = to + (eol == EOL_CRLF ? 2 : 1);
    }
}

static unsigned char *with_crlf(unsigned char *out, const char *at, const char *end)
{
    const char *lf;

    for (; (lf = memchr(at, '\n', (size_t)(end - at))); at = lf + 1) {
        size_t size = (size_t)(lf - at);

        memcpy(out, at, size);
        memcpy(out + size, "\r\n", 2);
        out += size + 2;
    }
    memcpy(out, at, (size_t)(end - at));
    return out + (end - at);
}

void stretch_put(struct writer *out, const struct stretch *stretch)
{
    const char *text = stretch->lines.data;
    size_t size = stretch->lines.size;
    unsigned char *room;

    if (stretch->eol == EOL_CRLF)
        writer_put(out, text, size - 2);
    else if ((room = writer_room(out, 2 * size)))
        writer_filled(out, (size_t)(with_crlf(room, text, text + size - 1) - room));
}

/* ---- header fields ---- */

/* Folds at blanks (RFC 5322, 2.2.3); a line without blanks stays long. */
static void put_folded(struct writer *out, const char *line, size_t size)
{
    size_t at = size;

    while (size > FOLDED_LINE) {
        for (at = FOLDED_LINE; at > 1 && line[at] != ' ' && line[at] != '\t'; at--)
            ;
        if (at <= 1)
            break;
        writer_put(out, line, at);
        writer_text(out, "\r\n");
        line += at;
        size -= at;
    }
    writer_put(out, line, size);
    writer_text(out, "\r\n");
}

/* Without blanks at line ends, and lines of nothing else. */
void field_put_safe(struct writer *out, se_bytes field)
{
    const char *at = field.data, *end = at + field.size;

    while (at < end) {
        const char *found = memchr(at, '\n', (size_t)(end - at)), *to = found ? found : end;
        size_t size = (size_t)(to - at);

        while (size && (at[size - 1] == ' ' || at[size - 1] == '\t' || at[size - 1] == '\r'))
            size--;
        /* a CR is a line end for some, and what follows it no field */
        if (size && (memchr(at, '\r', size) || line_is_safe((se_bytes){ at, size })))
            writer_put(out, at, size), writer_text(out, "\r\n");
        else if (size)
            put_folded(out, at, size);
        at = found ? found + 1 : end;
    }
}
