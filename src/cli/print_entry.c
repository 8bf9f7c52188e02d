/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print_entry.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"

enum { MILLION = 1000000 };

void entry_time(char out[ENTRY_TIME], int64_t micros)
{
    char whole[TIME_TEXT_ROOM];

    *out = '\0';
    if (*time_format(whole, TIME_RFC3339, micros / MILLION))
        (void)snprintf(out, ENTRY_TIME, "%.*s.%06uZ", (int)strlen(whole) - 1, whole,
                       (unsigned)(micros % MILLION) % MILLION);
}

void entry_cut(char out[ENTRY_CUT + 1], se_bytes bytes)
{
    size_t size = bytes.size < ENTRY_CUT ? bytes.size : ENTRY_CUT;

    for (size_t i = 0; i < size; i++)
        out[i] = ((const char *)bytes.data)[i] ? ((const char *)bytes.data)[i] : ' ';
    out[size] = '\0';
    text_clean(out);
}

/* ---- JSON ---- */

static void json_put_base64(json_t *object, const char *name, se_bytes bytes)
{
    AUTO(writer) text = { 0 };

    writer_base64(&text, bytes);
    if (bytes.size && !text.failed)
        (void)json_object_set_new(object, name, json_string(writer_string(&text)));
}

/* JSON has text only: other bytes become base64. */
static void json_put_bytes(json_t *object, const char *name, const char *name_if_binary,
                           se_bytes bytes)
{
    json_t *value = json_stringn(bytes.data, bytes.size);

    if (value)
        (void)json_object_set_new(object, name, value);
    else
        json_put_base64(object, name_if_binary, bytes);
}

json_t *json_entry(const se_history_entry *entry)
{
    char time[ENTRY_TIME];
    json_t *object;

    entry_time(time, entry->time_us);
    if (!(object =
              json_pack("{s:I, s:s?}", "seq", (json_int_t)entry->seq, "time", *time ? time : NULL)))
        return NULL;
    json_put_bytes(object, "object", "objectBase64", entry->object);
    if (entry->erased) {
        (void)json_object_set_new(object, "erased", json_true());
        json_put_base64(object, "commitment", entry->commitment);
    } else {
        json_put_bytes(object, "payload", "payloadBase64", entry->payload);
        json_put_base64(object, "salt", entry->salt);
    }
    return object;
}

/* ---- XML ---- */

static bool fits_xml(se_bytes bytes)
{
    uint32_t point;
    size_t size;

    for (; bytes.size; bytes = (se_bytes){ (const char *)bytes.data + size, bytes.size - size })
        if (!(size = utf8_take(&point, bytes)) ||
            (point < ' ' && point != '\t' && point != '\n' && point != '\r') || point == 0xfffe ||
            point == 0xffff)
            return false;
    return true;
}

/* A CR would be read as an LF (XML 1.0, 2.11). */
static const char *xml_escape_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\r':
        return "&#xD;";
    default:
        return NULL;
    }
}

static void write_xml_text(struct writer *w, se_bytes bytes)
{
    const char *at = bytes.size ? bytes.data : "", *end = at + bytes.size, *plain = at;

    for (; at < end; at++) {
        const char *other = xml_escape_of(*at);

        if (!other)
            continue;
        writer_put(w, plain, (size_t)(at - plain));
        writer_text(w, other);
        plain = at + 1;
    }
    writer_put(w, plain, (size_t)(end - plain));
}

void write_xml_value(struct writer *w, const char *name, se_bytes bytes)
{
    const bool text = fits_xml(bytes);

    writer_format(w, text ? "<%s>" : "<%s encoding=\"base64\">", name);
    if (text)
        write_xml_text(w, bytes);
    else
        writer_base64(w, bytes);
    writer_format(w, "</%s>", name);
}

static void write_xml_base64(struct writer *w, const char *name, se_bytes bytes)
{
    writer_format(w, "<%s>", name);
    writer_base64(w, bytes);
    writer_format(w, "</%s>", name);
}

void write_xml_entry(struct writer *w, const se_history_entry *entry)
{
    char time[ENTRY_TIME];

    entry_time(time, entry->time_us);
    writer_format(w, "<entry seq=\"%ju\" time=\"%s\">", (uintmax_t)entry->seq, time);
    write_xml_value(w, "object", entry->object);
    if (entry->erased)
        write_xml_base64(w, "commitment", entry->commitment);
    else {
        write_xml_value(w, "payload", entry->payload);
        write_xml_base64(w, "salt", entry->salt);
    }
    writer_text(w, "</entry>\n");
}
