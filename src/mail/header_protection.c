/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/header_protection.h"

#include <stdlib.h>
#include <strings.h>

#include "mail/readings.h"

bool field_is_protected(const struct header *h, const struct field *field)
{
    static const char *const not_these[] = { "MIME-Version",
                                             "Received",
                                             "Return-Path",
                                             "Delivered-To",
                                             "DKIM-Signature",
                                             "ARC-Seal",
                                             "Bcc",
                                             "ARC-Message-Signature",
                                             "X-Original-To",
                                             "Resent-Bcc",
                                             "Received-SPF",
                                             "ARC-Authentication-Results",
                                             "Content-Length",
                                             "Authentication-Results" };

    if (!field->name_size || field_is_content(h, field))
        return false;
    for (size_t i = 0; i < sizeof not_these / sizeof *not_these; i++)
        if (field_is(h, field, not_these[i]))
            return false;
    return true;
}

/* What people see and answer to.  Servers add fields that the sender left out. */
static const struct seen {
    const char *name;
    bool may_be_added;
} seen[] = {
    { "From", true },
    { "Sender", false },
    { "Reply-To", false },
    { "Subject", false },
    { "To", true },
    { "Cc", false },
    { "Date", true },
    { "Followup-To", false },
    { "Mail-Reply-To", false },
    { "Mail-Followup-To", false },
};

static const struct seen *find_seen(const struct header *h, const struct field *field)
{
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
        if (field_is(h, field, seen[i].name))
            return &seen[i];
    return NULL;
}

/* ---- headers by name ---- */

struct named {
    const char *name;
    const struct field *field;
};

/* The fields that are compared, those of a name together and in their order. */
struct sorted {
    const struct header *header;
    struct named *list;
    size_t count;
};

static void sorted_free(struct sorted *sorted)
{
    free(sorted->list);
}
AUTO_KIND(sorted, struct sorted, sorted_free(p))

static int compare_names(const struct named *a, const struct named *b)
{
    size_t one = a->field->name_size, other = b->field->name_size;
    int order = strncasecmp(a->name, b->name, one < other ? one : other);

    return order ? order : (one > other) - (one < other);
}

static int compare_places(const void *one, const void *other)
{
    const struct named *a = one, *b = other;
    int order = compare_names(a, b);

    return order ? order : (a->field->at > b->field->at) - (a->field->at < b->field->at);
}

static se_status sort_fields(struct sorted *out, const struct header *h, se_error *err)
{
    *out = (struct sorted){ .header = h, .list = calloc(h->count + 1, sizeof *out->list) };
    if (!out->list)
        return error_memory(err);
    for (size_t i = 0; i < h->count; i++)
        if (field_is_protected(h, &h->fields[i]))
            out->list[out->count++] =
                (struct named){ (const char *)h->text.buf.data + h->fields[i].at, &h->fields[i] };
    qsort(out->list, out->count, sizeof *out->list, compare_places);
    return SE_OK;
}

/* Those of one name: `count` from `first` on. */
struct group {
    const struct header *header;
    const struct named *first;
    size_t count;
};

static struct group group_at(const struct sorted *sorted, size_t at)
{
    struct group group = { sorted->header, sorted->list + at, 0 };

    while (at + group.count < sorted->count &&
           compare_names(group.first, group.first + group.count) == 0)
        group.count++;
    return group;
}

/* ---- differences ---- */

/* Relays fold anew. */
static bool are_same_words(const char *a, const char *b)
{
    for (;; a++, b++) {
        if (strchr(" \t", *a) && strchr(" \t", *b)) {
            a += strspn(a, " \t");
            b += strspn(b, " \t");
        }
        if (*a != *b || !*a)
            return *a == *b;
    }
}

/* Of the field with that number; empty if there are not so many. */
static se_status group_value(se_buf *out, const struct group *group, size_t i, se_error *err)
{
    return field_value(out, group->header, i < group->count ? group->first[i].field : NULL, err);
}

static void note_changed(char changed[SE_MAIL_CHANGED], const struct named *field)
{
    size_t used = strlen(changed), size = field->field->name_size, separator = used ? 2 : 0;

    if (used + separator + size + sizeof ", ..." > SE_MAIL_CHANGED) {
        if (used < 3 || strcmp(changed + used - 3, "...") != 0)
            memcpy(changed + used, ", ...", sizeof ", ...");
        return;
    }
    memcpy(changed + used, ", ", separator);
    memcpy(changed + used + separator, field->name, size);
    changed[used + separator + size] = '\0';
}

struct comparison {
    char *changed;
    enum protection_rule rule;
};

/* `values`: inside and outside. */
static se_status judge_difference(const struct comparison *c, const struct group *inside,
                                  const struct group *outside, const char *const values[2],
                                  se_error *err)
{
    const struct group *one = inside->count ? inside : outside;
    const struct seen *row = find_seen(one->header, one->first->field);
    bool added = !inside->count;

    if (c->rule == PROTECT_FORWARD ? row != NULL : !row || (added && row->may_be_added))
        note_changed(c->changed, one->first);
    if (c->rule == PROTECT_FORWARD || !row || (added && row->may_be_added))
        return SE_OK;
    if (added)
        return error_set(err, SE_ERR_REJECTED,
                         "the message has a %s field, \"%.200s\", and the header that was signed "
                         "says nothing of it",
                         row->name, values[1]);
    if (inside->count != outside->count)
        return error_set(err, SE_ERR_REJECTED,
                         "the message has %zu %s fields, the header that was signed has %zu",
                         outside->count, row->name, inside->count);
    return error_set(
        err, SE_ERR_REJECTED,
        "the message's %s field is \"%.200s\", the header that was signed says \"%.200s\"",
        row->name, values[1], values[0]);
}

static se_status compare_group(const struct comparison *c, const struct group *inside,
                               const struct group *outside, se_error *err)
{
    size_t most = inside->count > outside->count ? inside->count : outside->count;

    for (size_t i = 0; i < most; i++) {
        AUTO(se_buf) before = SE_BUF_INIT;
        AUTO(se_buf) now = SE_BUF_INIT;

        TRY(group_value(&before, inside, i, err));
        TRY(group_value(&now, outside, i, err));
        if (i >= inside->count || i >= outside->count ||
            !are_same_words((const char *)before.data, (const char *)now.data))
            return judge_difference(
                c, inside, outside,
                (const char *[]){ (const char *)before.data, (const char *)now.data }, err);
    }
    return SE_OK;
}

se_status header_protection_compare(char changed[SE_MAIL_CHANGED], const struct header *inside,
                                    const struct header *outside, enum protection_rule rule,
                                    se_error *err)
{
    const struct comparison comparison = { changed, rule };
    AUTO(sorted) in = { .count = 0 };
    AUTO(sorted) out = { .count = 0 };
    size_t i = 0, k = 0;

    TRY(sort_fields(&in, inside, err));
    TRY(sort_fields(&out, outside, err));
    while (i < in.count || k < out.count) {
        int order = i == in.count    ? 1
                    : k == out.count ? -1
                                     : compare_names(&in.list[i], &out.list[k]);
        struct group a = group_at(&in, i), b = group_at(&out, k);

        a.count = order > 0 ? 0 : a.count;
        b.count = order < 0 ? 0 : b.count;
        i += a.count;
        k += b.count;
        /* servers add fields, of which most are nobody's business */
        if (a.count || (rule != PROTECT_SOME && find_seen(b.header, b.first->field)))
            TRY(compare_group(&comparison, &a, &b, err));
    }
    return SE_OK;
}

/* ---- what was signed ---- */

void signed_content_free(struct signed_content *content)
{
    writer_free(&content->text);
}

/* Behind the first empty line; 0: there is none. */
static size_t find_header_end(const struct signed_content *content, size_t from)
{
    const char *text = (const char *)content->text.buf.data, *at = text + from,
               *end = text + content->text.buf.size;

    for (; at < end && (at = memchr(at, '\n', (size_t)(end - at))); at++) {
        const char *next = at + 1 < end && at[1] == '\r' ? at + 2 : at + 1;

        if (next < end && *next == '\n')
            return (size_t)(next + 1 - text);
    }
    return 0;
}

void signed_content_take(struct signed_content *content, se_bytes data)
{
    size_t size = content->text.buf.size, limit = content->header_size
                                                      ? content->header_size + SIGNED_CONTENT_ROOM
                                                      : HEADER_LIMIT + SIGNED_CONTENT_ROOM;
    size_t room = size < limit ? limit - size : 0;

    if (!room || !data.size)
        return;
    writer_put(&content->text, data.data, data.size < room ? data.size : room);
    if (!content->header_size && !content->text.failed)
        content->header_size = find_header_end(content, size < 3 ? 0 : size - 3);
}

struct signed_headers {
    struct header own, wrapped; /* of a message that is all that was signed */
    struct media media;
};

static void signed_headers_free(struct signed_headers *headers)
{
    header_free(&headers->own);
    header_free(&headers->wrapped);
}
AUTO_KIND(signed_headers, struct signed_headers, signed_headers_free(p))

/* Programs read an odd field in their own ways, so one that mentions protection has it. */
static void note_odd_type(struct signed_headers *headers, const char *value)
{
    if (strcasestr(value, "hp") || strcasestr(value, "protected-headers"))
        memcpy(headers->media.protected_headers, "v1", sizeof "v1");
}

static se_status signed_headers_read_type(struct signed_headers *headers, se_error *err)
{
    const struct field *field = header_find(&headers->own, "Content-Type");
    AUTO(se_buf) value = SE_BUF_INIT;
    struct content_type type;

    TRY(field_value(&value, &headers->own, field, err));
    media_read(&headers->media, (const char *)value.data);
    if (field && content_type_read(&type, buf_bytes(&value)))
        note_odd_type(headers, (const char *)value.data);
    return SE_OK;
}

/* RFC 8551, 3.1: a whole message. */
static bool is_wrapped_message(const struct signed_headers *headers)
{
    return strcmp(headers->media.type, "message/rfc822") == 0 ||
           strcmp(headers->media.type, "message/global") == 0;
}

static se_status signed_headers_read(struct signed_headers *out,
                                     const struct signed_content *content, se_error *err)
{
    se_bytes bytes = buf_bytes(&content->text.buf);
    const se_source memory = source_memory(&bytes);
    struct stream stream = { .source = &memory };
    AUTO(line_reader) lines = { .room = NULL };

    TRY(line_reader_open(&lines, &stream, err));
    lines.line = content->before;
    TRY(header_read(&out->own, &lines, err));
    TRY(readings_check_signed(&out->own, "the signed part's", err));
    TRY(signed_headers_read_type(out, err));
    if (!is_wrapped_message(out))
        return SE_OK;
    TRY(header_read(&out->wrapped, &lines, err));
    if (!out->wrapped.complete && content->header_size &&
        content->text.buf.size == content->header_size + SIGNED_CONTENT_ROOM)
        return error_set(err, SE_ERR_FORMAT,
                         "the message that was signed has a header of more than %d KB",
                         SIGNED_CONTENT_ROOM >> 10);
    return SE_OK;
}

static se_status compare_headers(se_mail *out, const struct signed_headers *headers,
                                 const struct header *outside, se_error *err)
{
    const struct media *media = &headers->media;

    if (out->protect)
        return header_protection_compare(out->changed, &headers->own, outside,
                                         *media->hp ? PROTECT_ALL : PROTECT_SOME, err);
    if (is_wrapped_message(headers))
        return header_protection_compare(
            out->changed, &headers->wrapped, outside,
            strcmp(media->forwarded, "no") == 0 ? PROTECT_ALL : PROTECT_FORWARD, err);
    return SE_OK;
}

se_status signed_content_check(se_mail *out, const struct signed_content *content,
                               const struct header *outside, se_error *err)
{
    AUTO(signed_headers) headers = { .media = { .type = "" } };
    const struct media *media = &headers.media;

    if (content->text.failed)
        return error_memory(err);
    TRY(signed_headers_read(&headers, content, err));
    out->protect = *media->hp || *media->protected_headers;
    out->nested = media_seal(media) == SEAL_SIGNED &&
                  (media_is_cms(media->type) || media_is_signature(media->protocol));
    return outside ? compare_headers(out, &headers, outside, err) : SE_OK;
}
