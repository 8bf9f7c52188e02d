/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/utf8.h"

/* Behind a value, which ends with none of these; a line begins anew. */
static void write_comma(struct writer *w)
{
    const size_t size = w->buf.size;

    if (size && !strchr("{[\n", w->buf.data[size - 1]))
        writer_put(w, ",", 1);
}

static const char *escape_of(unsigned char c)
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        return NULL;
    }
}

static bool is_plain(unsigned char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

/* One character, as it stands in a string; returns its bytes. */
static size_t write_character(struct writer *w, se_bytes text)
{
    const unsigned char *p = text.data;
    const char *escape = escape_of(*p);
    uint32_t point;
    size_t size = utf8_take(&point, text);

    if (escape)
        writer_text(w, escape);
    else if (!size)
        writer_text(w, "\\ufffd");
    else if (utf8_is_control(point))
        writer_format(w, "\\u%04x", (unsigned)point);
    else
        writer_put(w, p, size);
    return size ? size : 1;
}

static void write_string(struct writer *w, se_bytes text)
{
    const unsigned char *p = text.data;

    writer_put(w, "\"", 1);
    for (size_t at = 0, end; at < text.size; at = end) {
        for (end = at; end < text.size && is_plain(p[end]); end++)
            ;
        writer_put(w, p + at, end - at);
        if (end < text.size)
            end += write_character(w, (se_bytes){ p + end, text.size - end });
    }
    writer_put(w, "\"", 1);
}

/* Names are ours: there is nothing to escape. */
static void write_name(struct writer *w, const char *name)
{
    write_comma(w);
    if (!name)
        return;
    writer_put(w, "\"", 1);
    writer_text(w, name);
    writer_put(w, "\":", 2);
}

void json_write_begin(struct writer *w, const char *name, char bracket)
{
    write_name(w, name);
    writer_put(w, &bracket, 1);
}

void json_write_end(struct writer *w, char bracket)
{
    writer_put(w, &bracket, 1);
}

void json_write_bytes(struct writer *w, const char *name, se_bytes text)
{
    write_name(w, name);
    write_string(w, text);
}

void json_write_pair(struct writer *w, se_bytes name, se_bytes text)
{
    write_comma(w);
    write_string(w, name);
    writer_put(w, ":", 1);
    write_string(w, text);
}

void json_write_text(struct writer *w, const char *name, const char *text)
{
    json_write_bytes(w, name, text_bytes(text));
}

void json_write_cut(struct writer *w, const char *name, const char *text, size_t most)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    se_bytes left = text_bytes(text);
    size_t start, cut;

    write_name(w, name);
    writer_put(w, "\"", 1);
    start = cut = w->buf.size;
    while (left.size && !w->failed) {
        const size_t taken = write_character(w, left);
        const size_t size = w->buf.size - start;

        if (size > most) {
            w->buf.size = cut;
            writer_text(w, ellipsis);
            break;
        }
        if (size + sizeof ellipsis - 1 <= most)
            cut = w->buf.size;
        left = (se_bytes){ (const char *)left.data + taken, left.size - taken };
    }
    writer_put(w, "\"", 1);
}

void json_write_base64(struct writer *w, const char *name, se_bytes bytes)
{
    const size_t size = base64_size(bytes.size);
    unsigned char *room;

    write_name(w, name);
    writer_put(w, "\"", 1);
    if (size && (room = writer_room(w, size))) {
        base64_write(room, bytes);
        writer_filled(w, size);
    }
    writer_put(w, "\"", 1);
}

void json_write_base64url(struct writer *w, const char *name, se_bytes bytes)
{
    write_name(w, name);
    writer_put(w, "\"", 1);
    writer_base64url(w, bytes);
    writer_put(w, "\"", 1);
}

void json_write_either(struct writer *w, const char *name, const char *name_of_base64,
                       se_bytes bytes)
{
    if (utf8_is(bytes))
        json_write_bytes(w, name, bytes);
    else
        json_write_base64(w, name_of_base64, bytes);
}

void json_write_number(struct writer *w, const char *name, uint64_t number)
{
    write_name(w, name);
    writer_format(w, "%ju", (uintmax_t)number);
}

void json_write_literal(struct writer *w, const char *name, const char *literal)
{
    write_name(w, name);
    writer_text(w, literal);
}

void json_write_flag(struct writer *w, const char *name, bool flag)
{
    write_name(w, name);
    writer_text(w, flag ? "true" : "false");
}

void json_write_time(struct writer *w, const char *name, int64_t seconds)
{
    char text[TIME_TEXT_ROOM];

    if (seconds && *time_format(text, TIME_RFC3339, seconds))
        json_write_text(w, name, text);
}

void json_write_time_us(struct writer *w, const char *name, int64_t microseconds)
{
    char text[TIME_TEXT_ROOM];

    if (microseconds && *time_format_us(text, microseconds))
        json_write_text(w, name, text);
}
