#include "mail/inside.h"

#include <string.h>

#include "mail/content_type.h"
#include "mail/mime.h"
#include "mail/protect.h"
#include "mail/readings.h"

void inside_free(struct inside *inside)
{
    writer_free(&inside->text);
}

/* Behind the first empty line; 0: there is none. */
static size_t find_end(const struct inside *inside, size_t from)
{
    const char *text = (const char *)inside->text.buf.data, *at = text + from,
               *end = text + inside->text.buf.size;

    for (; at < end && (at = memchr(at, '\n', (size_t)(end - at))); at++) {
        const char *next = at + 1 < end && at[1] == '\r' ? at + 2 : at + 1;

        if (next < end && *next == '\n')
            return (size_t)(next + 1 - text);
    }
    return 0;
}

void inside_take(struct inside *inside, se_bytes data)
{
    size_t size = inside->text.buf.size, limit = inside->header_size
                                                     ? inside->header_size + INSIDE_ROOM
                                                     : HEADER_LIMIT + INSIDE_ROOM;
    size_t room = size < limit ? limit - size : 0;

    if (!room || !data.size)
        return;
    writer_put(&inside->text, data.data, data.size < room ? data.size : room);
    if (!inside->header_size && !inside->text.failed)
        inside->header_size = find_end(inside, size < 3 ? 0 : size - 3);
}

struct parts {
    struct header header, wrapped; /* of a message that is all that was signed */
    struct media media;
};

static void parts_free(struct parts *parts)
{
    header_free(&parts->header);
    header_free(&parts->wrapped);
}
AUTO_KIND(parts, struct parts, parts_free(p))

/* Programs read an odd field in their own ways, so one that mentions protection has it. */
static void read_odd(struct parts *parts, const char *value)
{
    if (strcasestr(value, "hp") || strcasestr(value, "protected-headers"))
        memcpy(parts->media.protected_headers, "v1", sizeof "v1");
}

static se_status read_type(struct parts *parts, se_error *err)
{
    const struct field *field = header_find(&parts->header, "Content-Type");
    AUTO(se_buf) value = SE_BUF_INIT;
    struct content_type type;

    TRY(field_value(&value, &parts->header, field, err));
    media_read(&parts->media, (const char *)value.data);
    if (field && content_type_read(&type, buf_bytes(&value)))
        read_odd(parts, (const char *)value.data);
    return SE_OK;
}

/* RFC 8551, 3.1: a whole message. */
static bool is_wrapped(const struct parts *parts)
{
    return strcmp(parts->media.type, "message/rfc822") == 0 ||
           strcmp(parts->media.type, "message/global") == 0;
}

static se_status read_parts(struct parts *out, const struct inside *inside, se_error *err)
{
    se_bytes bytes = buf_bytes(&inside->text.buf);
    const se_source memory = source_memory(&bytes);
    struct stream stream = { .source = &memory };
    AUTO(intake) lines = { .room = NULL };
    se_status st = SE_OK;

    TRY(intake_open(&lines, &stream, err));
    lines.line = inside->before;
    TRY(header_read(&out->header, &lines, err));
    TRY(readings_check_signed(&out->header, "the signed part's", err));
    TRY(read_type(out, err));
    if (!is_wrapped(out) || (st = header_read(&out->wrapped, &lines, err)))
        return st;
    if (!out->wrapped.complete && inside->header_size &&
        inside->text.buf.size == inside->header_size + INSIDE_ROOM)
        return error_set(err, SE_ERR_FORMAT,
                         "the message that was signed has a header of more than %d KB",
                         INSIDE_ROOM >> 10);
    return SE_OK;
}

static se_status compare(se_mail *out, const struct parts *parts, const struct header *outside,
                         se_error *err)
{
    const struct media *media = &parts->media;

    if (out->protect)
        return protect_compare(out->changed, &parts->header, outside,
                               *media->hp ? PROTECT_ALL : PROTECT_SOME, err);
    if (is_wrapped(parts))
        return protect_compare(out->changed, &parts->wrapped, outside,
                               strcmp(media->forwarded, "no") == 0 ? PROTECT_ALL : PROTECT_FORWARD,
                               err);
    return SE_OK;
}

se_status inside_check(se_mail *out, const struct inside *inside, const struct header *outside,
                       se_error *err)
{
    AUTO(parts) parts = { .media = { .type = "" } };
    const struct media *media = &parts.media;

    if (inside->text.failed)
        return error_memory(err);
    TRY(read_parts(&parts, inside, err));
    out->protect = *media->hp || *media->protected_headers;
    out->nested = media_seal(media) == SEAL_SIGNED &&
                  (media_is_cms(media->type) || media_is_signature(media->protocol));
    return outside ? compare(out, &parts, outside, err) : SE_OK;
}
