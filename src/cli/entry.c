#include "cli/entry.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/base64.h"
#include "base/text.h"
#include "base/utf8.h"

enum { MILLION = 1000000 };

void entry_time(char out[ENTRY_TIME], int64_t micros)
{
    time_t seconds = micros / MILLION;
    char whole[32];
    struct tm tm;

    *out = '\0';
    if (gmtime_r(&seconds, &tm) && strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &tm))
        (void)snprintf(out, ENTRY_TIME, "%s.%06uZ", whole, (unsigned)(micros % MILLION) % MILLION);
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

static void put_base64(json_t *object, const char *name, se_bytes bytes)
{
    AUTO(writer) text = { 0 };

    writer_base64(&text, bytes);
    if (bytes.size && !text.failed)
        (void)json_object_set_new(object, name, json_string(writer_string(&text)));
}

/* JSON has text only: what is none is base64. */
static void put_bytes(json_t *object, const char *name, const char *name_if_binary, se_bytes bytes)
{
    json_t *value = json_stringn(bytes.data, bytes.size);

    if (value)
        (void)json_object_set_new(object, name, value);
    else
        put_base64(object, name_if_binary, bytes);
}

json_t *entry_json(const se_history_entry *entry)
{
    char time[ENTRY_TIME];
    json_t *object;

    entry_time(time, entry->time_us);
    if (!(object =
              json_pack("{s:I, s:s?}", "seq", (json_int_t)entry->seq, "time", *time ? time : NULL)))
        return NULL;
    put_bytes(object, "object", "objectBase64", entry->object);
    if (entry->erased) {
        (void)json_object_set_new(object, "erased", json_true());
        put_base64(object, "commitment", entry->commitment);
    } else {
        put_bytes(object, "payload", "payloadBase64", entry->payload);
        put_base64(object, "salt", entry->salt);
    }
    return object;
}

/* ---- XML ---- */

static bool fits(se_bytes bytes)
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
static const char *escaped(char c)
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

static void put_text(struct writer *w, se_bytes bytes)
{
    const char *at = bytes.size ? bytes.data : "", *end = at + bytes.size, *plain = at;

    for (; at < end; at++) {
        const char *other = escaped(*at);

        if (!other)
            continue;
        writer_put(w, plain, (size_t)(at - plain));
        writer_text(w, other);
        plain = at + 1;
    }
    writer_put(w, plain, (size_t)(end - plain));
}

void entry_xml_value(struct writer *w, const char *name, se_bytes bytes)
{
    const bool text = fits(bytes);

    writer_format(w, text ? "<%s>" : "<%s encoding=\"base64\">", name);
    if (text)
        put_text(w, bytes);
    else
        writer_base64(w, bytes);
    writer_format(w, "</%s>", name);
}

static void put_binary(struct writer *w, const char *name, se_bytes bytes)
{
    writer_format(w, "<%s>", name);
    writer_base64(w, bytes);
    writer_format(w, "</%s>", name);
}

void entry_xml(struct writer *w, const se_history_entry *entry)
{
    char time[ENTRY_TIME];

    entry_time(time, entry->time_us);
    writer_format(w, "<entry seq=\"%ju\" time=\"%s\">", (uintmax_t)entry->seq, time);
    entry_xml_value(w, "object", entry->object);
    if (entry->erased)
        put_binary(w, "commitment", entry->commitment);
    else {
        entry_xml_value(w, "payload", entry->payload);
        put_binary(w, "salt", entry->salt);
    }
    writer_text(w, "</entry>\n");
}
