/* SPDX-License-Identifier: Apache-2.0 */
#include "config/edit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "config/scan.h"

/* Offsets count from the start of the text. */
struct attribute_span {
    se_bytes element;
    size_t name, name_size, value, value_size;
};

struct element_span {
    size_t start, end;
    struct attribute_span *attributes; /* of it and what is inside, in their order */
    size_t count, room;
};

static void element_span_free(struct element_span *span)
{
    free(span->attributes);
}
AUTO_KIND(element_span, struct element_span, element_span_free(p))

static size_t offset_in(se_bytes text, se_bytes part)
{
    return (size_t)((const char *)part.data - (const char *)text.data);
}

/* ---- where it is ---- */

struct place_search {
    se_bytes text;
    const struct edit_place *place;
    size_t elements; /* start tags so far */
    bool fits, has_name, has_version;
    size_t at; /* where the newest start tag begins */
    bool found;
    size_t element, start; /* what was found */
};

/* All attributes of the newest start tag have been seen. */
static void judge_element(struct place_search *s)
{
    const bool fits =
        s->fits && s->has_name && (s->has_version || s->place->version < 2); /* 1 without one */

    if (!fits || s->found)
        return;
    s->found = true;
    s->element = s->elements - 1;
    s->start = s->at;
}

static se_status look_at_item(void *arg, const struct scan_item *item, se_error *err)
{
    struct place_search *s = arg;
    char version[16];

    (void)err;
    if (item->element) {
        judge_element(s);
        s->elements++;
        s->at = offset_in(s->text, item->name) - 1; /* '<' */
        s->fits = scan_is(item->name, s->place->element);
        s->has_name = s->has_version = false;
        return SE_OK;
    }
    if (s->fits && scan_is(item->name, "name"))
        s->has_name = scan_is(item->value, s->place->name);
    if (s->fits && s->place->version && scan_is(item->name, "version")) {
        (void)snprintf(version, sizeof version, "%u", s->place->version);
        s->has_version = scan_is(item->value, version);
        s->fits = s->has_version;
    }
    return SE_OK;
}

static se_status find_end(size_t *end, se_bytes text, size_t element, se_error *err)
{
    struct scan_end found = { .element = element };
    const char *close;
    int line;

    TRY(scan_document(&found, text, &line, err));
    close = memchr((const char *)text.data + found.offset, '>', text.size - found.offset);
    if (!close)
        return error_set(err, SE_ERR_CONFIG, "an element has no end");
    *end = (size_t)(close - (const char *)text.data) + 1;
    return SE_OK;
}

struct attribute_search {
    se_bytes text, element;
    struct element_span *span;
};

static se_status note_attribute(void *arg, const struct scan_item *item, se_error *err)
{
    struct attribute_search *s = arg;
    struct element_span *span = s->span;
    const size_t at = offset_in(s->text, item->name);

    if (item->element)
        s->element = item->name;
    if (item->element || at < span->start || at >= span->end)
        return SE_OK;
    if (!array_grow(&span->attributes, &span->room, span->count))
        return error_memory(err);
    span->attributes[span->count++] = (struct attribute_span){
        .element = s->element,
        .name = at,
        .name_size = item->name.size,
        .value = offset_in(s->text, item->value),
        .value_size = item->value.size,
    };
    return SE_OK;
}

static se_status find_element(struct element_span *span, se_bytes text,
                              const struct edit_place *place, se_error *err)
{
    struct place_search search = { .text = text, .place = place };
    struct attribute_search attributes = { .text = text, .span = span };
    int line;

    TRY(scan_xml(text, look_at_item, &search, &line, err));
    judge_element(&search);
    if (!search.found)
        return error_set(err, SE_ERR_CONFIG, "there is no <%s name=\"%s\"> as text", place->element,
                         place->name);
    span->start = search.start;
    TRY(find_end(&span->end, text, search.element, err));
    return scan_xml(text, note_attribute, &attributes, &line, err);
}

/* ---- what it becomes ---- */

struct rewriting {
    struct writer *out;
    se_bytes text;
    const struct element_span *span;
    const struct edit *edits;
    size_t count;
    size_t done; /* of the text */
};

static void copy_until(struct rewriting *r, size_t end)
{
    if (end > r->done)
        writer_put(r->out, (const char *)r->text.data + r->done, end - r->done);
    r->done = end;
}

static void put_value(struct writer *out, const char *value)
{
    for (; *value; value++)
        switch (*value) {
        case '&':
            writer_text(out, "&amp;");
            break;
        case '<':
            writer_text(out, "&lt;");
            break;
        case '"':
            writer_text(out, "&quot;");
            break;
        case '\'':
            writer_text(out, "&apos;");
            break;
        default:
            writer_put(out, value, 1);
        }
}

static bool is_attribute(const struct rewriting *r, const struct attribute_span *a,
                         const char *element, const char *name)
{
    const char *text = r->text.data;

    return scan_is(a->element, element) &&
           scan_is((se_bytes){ text + a->name, a->name_size }, name);
}

static const struct edit *find_edit(const struct rewriting *r, const struct attribute_span *a)
{
    for (size_t i = 0; i < r->count; i++)
        if (is_attribute(r, a, r->edits[i].element, r->edits[i].attribute))
            return &r->edits[i];
    return NULL;
}

static bool has_attribute(const struct rewriting *r, const struct edit *edit)
{
    for (size_t i = 0; i < r->span->count; i++)
        if (is_attribute(r, &r->span->attributes[i], edit->element, edit->attribute))
            return true;
    return false;
}

/* Which attribute a new one stands behind: `version`, or else the first. */
static const struct attribute_span *find_anchor(const struct rewriting *r, const char *element)
{
    const struct attribute_span *first = NULL;

    for (size_t i = 0; i < r->span->count; i++) {
        const struct attribute_span *a = &r->span->attributes[i];

        if (is_attribute(r, a, element, "version"))
            return a;
        first = !first && scan_is(a->element, element) ? a : first;
    }
    return first;
}

static void add_attributes(struct rewriting *r, const struct attribute_span *anchor)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct edit *edit = &r->edits[i];

        if (!edit->value || has_attribute(r, edit) || find_anchor(r, edit->element) != anchor)
            continue;
        copy_until(r, anchor->value + anchor->value_size + 1);
        writer_format(r->out, " %s=\"", edit->attribute);
        put_value(r->out, edit->value);
        writer_text(r->out, "\"");
    }
}

static void rewrite_attribute(struct rewriting *r, const struct attribute_span *a)
{
    const char *text = r->text.data;
    const struct edit *edit = find_edit(r, a);
    size_t start = a->name;

    if (edit && edit->value) {
        copy_until(r, a->value);
        put_value(r->out, edit->value);
        r->done = a->value + a->value_size;
    } else if (edit) {
        while (start && strchr(" \t\r\n", text[start - 1]))
            start--;
        copy_until(r, start);
        r->done = a->value + a->value_size + 1;
    }
    add_attributes(r, a);
}

static void put_rewritten(struct writer *out, se_bytes text, const struct element_span *span,
                          const struct edit *edits, size_t count)
{
    struct rewriting r = { out, text, span, edits, count, span->start };

    for (size_t i = 0; i < span->count; i++)
        rewrite_attribute(&r, &span->attributes[i]);
    copy_until(&r, span->end);
}

/* What stands before it on its line, if that is nothing but blanks. */
static se_bytes indentation_of(se_bytes text, const struct element_span *span)
{
    const char *all = text.data;
    size_t start = span->start;

    while (start && strchr(" \t", all[start - 1]))
        start--;
    return start && all[start - 1] != '\n' ? (se_bytes){ all, 0 }
                                           : (se_bytes){ all + start, span->start - start };
}

static void put_rest(struct writer *out, se_bytes text, size_t from)
{
    writer_put(out, (const char *)text.data + from, text.size - from);
}

se_status edit_element(se_buf *out, se_bytes text, const struct edit_place *place,
                       const struct edit *edits, size_t count, se_error *err)
{
    AUTO(element_span) span = { .start = 0 };
    AUTO(writer) made = { 0 };

    TRY(find_element(&span, text, place, err));
    writer_put(&made, text.data, span.start);
    put_rewritten(&made, text, &span, edits, count);
    put_rest(&made, text, span.end);
    return writer_finish(out, &made, err);
}

se_status edit_element_copy(se_buf *out, se_bytes text, const struct edit_place *place,
                            const struct edit *edits, size_t count, se_error *err)
{
    AUTO(element_span) span = { .start = 0 };
    AUTO(writer) made = { 0 };
    se_bytes indentation;

    TRY(find_element(&span, text, place, err));
    indentation = indentation_of(text, &span);
    writer_put(&made, text.data, span.end);
    writer_text(&made, "\n");
    writer_put(&made, indentation.data, indentation.size);
    put_rewritten(&made, text, &span, edits, count);
    put_rest(&made, text, span.end);
    return writer_finish(out, &made, err);
}

/* XML 1.0, 2.5: no "--" in a comment. */
static void put_commented(struct writer *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (i && text[i] == '-' && text[i - 1] == '-')
            writer_text(out, " ");
        writer_put(out, text + i, 1);
    }
}

se_status edit_element_comment(se_buf *out, se_bytes text, const struct edit_place *place,
                               const char *note, se_error *err)
{
    AUTO(element_span) span = { .start = 0 };
    AUTO(writer) made = { 0 };

    TRY(find_element(&span, text, place, err));
    writer_put(&made, text.data, span.start);
    writer_format(&made, "<!-- %s: ", note);
    put_commented(&made, (const char *)text.data + span.start, span.end - span.start);
    writer_text(&made, " -->");
    put_rest(&made, text, span.end);
    return writer_finish(out, &made, err);
}
