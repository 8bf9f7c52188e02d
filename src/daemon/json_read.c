/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/json_read.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/base64.h"
#include "base/text.h"
#include "daemon/json_parse.h"

/* ---- what is being read ---- */

struct frame {
    const struct json_shape *shape;
    void *object;
    const struct json_member *member; /* whose value is next; NULL: none */
    bool inside;                      /* the member's list, or pairs, have begun */
    unsigned long seen;               /* members, as bits */
};

struct reading {
    se_bytes text;
    void *out;
    const struct json_shape *shape;
    struct frame frames[JSON_NESTED_MOST];
    size_t depth;
    se_status status; /* of what was refused here, and the error says why */
    se_error *err;
};

static struct frame *innermost_frame(struct reading *r)
{
    return &r->frames[r->depth - 1];
}

static void *member_of(const struct frame *frame)
{
    return (char *)frame->object + frame->member->offset;
}

static bool is_inside(const struct frame *frame, enum json_kind kind)
{
    return frame->member && frame->inside && frame->member->kind == kind;
}

/* A name of the caller's, fit for a message. */
static void write_stranger(struct writer *w, se_bytes name)
{
    enum { SHOWN = 40 };
    char text[SHOWN + 1];

    text_copy(text, sizeof text, name.data, name.size);
    text_clean(text);
    writer_text(w, text);
}

/* As "items[3].context.table: ". */
static void write_place(struct writer *w, const struct reading *r)
{
    for (size_t i = 0; i < r->depth; i++) {
        const struct frame *frame = &r->frames[i];
        const bool listed = is_inside(frame, JSON_LIST), paired = is_inside(frame, JSON_PAIRS);

        if (!frame->member)
            break;
        writer_format(w, "%s%s", i ? "." : "", frame->member->name);
        if (listed)
            writer_format(w, "[%zu]",
                          ((struct json_list *)member_of(frame))->count - (i + 1 < r->depth));
        if (paired && ((struct json_pairs *)member_of(frame))->count) {
            const struct json_pairs *pairs = member_of(frame);

            writer_text(w, ".");
            write_stranger(w, pairs->list[pairs->count - 1].name.bytes);
        }
    }
    if (w->buf.size)
        writer_text(w, ": ");
}

/* Returns 0, which ends yajl's reading. */
static int refuse_json(struct reading *r, const char *why, const char *detail)
{
    AUTO(writer) place = { 0 };

    write_place(&place, r);
    r->status = error_set(r->err, SE_ERR_FORMAT, "%s%s%s", writer_string(&place), why, detail);
    return 0;
}

static int fail_memory(struct reading *r)
{
    r->status = error_memory(r->err);
    return 0;
}

/* ---- values ---- */

static bool keep_string(struct json_value *out, const struct reading *r, se_bytes string)
{
    const char *begin = r->text.data, *at = string.data;

    out->bytes = string;
    if (at >= begin && at < begin + r->text.size)
        return true;
    if (buf_copy(&out->owned, string, NULL))
        return false;
    out->bytes = buf_bytes(&out->owned);
    return true;
}

static int take_base64(struct json_value *out, struct reading *r, se_bytes string)
{
    se_error why = SE_ERROR_INIT;
    se_status st = base64_decode(&out->owned, string, &why);

    if (st == SE_ERR_MEMORY)
        return fail_memory(r);
    if (st)
        return refuse_json(r, why.text, "");
    out->bytes = buf_bytes(&out->owned);
    return 1;
}

static const char *kind_text(const struct frame *frame)
{
    static const char *const texts[] = { "a string", "a string of base64", "an object of strings",
                                         "a list of objects" };

    if (is_inside(frame, JSON_LIST))
        return "an object";
    return is_inside(frame, JSON_PAIRS) ? "a string" : texts[frame->member->kind];
}

static int refuse_kind(struct reading *r)
{
    return r->depth ? refuse_json(r, "not ", kind_text(innermost_frame(r)))
                    : refuse_json(r, "not a JSON object", "");
}

static int take_string(void *arg, const unsigned char *data, size_t size)
{
    struct reading *r = arg;
    struct frame *frame = r->depth ? innermost_frame(r) : NULL;
    const se_bytes string = { data, size };
    struct json_pairs *pairs;

    if (!frame || is_inside(frame, JSON_LIST))
        return refuse_kind(r);
    if (is_inside(frame, JSON_PAIRS)) {
        pairs = member_of(frame);
        return keep_string(&pairs->list[pairs->count - 1].value, r, string) || fail_memory(r);
    }
    if (frame->member->kind == JSON_BASE64)
        return take_base64(member_of(frame), r, string);
    if (frame->member->kind == JSON_TEXT)
        return keep_string(member_of(frame), r, string) || fail_memory(r);
    return refuse_kind(r);
}

static int take_null(void *arg)
{
    return refuse_kind(arg);
}

static int take_flag(void *arg, int unused)
{
    (void)unused;
    return refuse_kind(arg);
}

static int take_number(void *arg, const char *unused, size_t size)
{
    (void)unused;
    (void)size;
    return refuse_kind(arg);
}

/* ---- names ---- */

static bool is_name(const char *name, se_bytes text)
{
    return strlen(name) == text.size && !CRYPTO_memcmp(name, text.data, text.size);
}

static int refuse_name(struct reading *r, const char *why, se_bytes name)
{
    AUTO(writer) text = { 0 };

    write_stranger(&text, name);
    writer_text(&text, "'");
    return refuse_json(r, why, writer_string(&text));
}

static bool has_pair(const struct json_pairs *pairs, se_bytes name)
{
    for (size_t i = 0; i < pairs->count; i++) {
        const se_bytes other = pairs->list[i].name.bytes;

        if (other.size == name.size && !CRYPTO_memcmp(other.data, name.data, name.size))
            return true;
    }
    return false;
}

static int take_pair_name(struct reading *r, struct json_pairs *pairs, se_bytes name)
{
    if (has_pair(pairs, name)) {
        innermost_frame(r)->inside = false;
        return refuse_name(r, "more than one name '", name);
    }
    if (pairs->count == JSON_PAIRS_MOST)
        return refuse_json(r, "too many names, 32 at the most", "");
    if (!array_grow(&pairs->list, &pairs->room, pairs->count) ||
        !keep_string(&pairs->list[pairs->count].name, r, name))
        return fail_memory(r);
    pairs->count++;
    return 1;
}

static int take_name(void *arg, const unsigned char *data, size_t size)
{
    struct reading *r = arg;
    struct frame *frame = innermost_frame(r);
    const struct json_member *member = frame->shape->members;
    const se_bytes name = { data, size };

    if (is_inside(frame, JSON_PAIRS))
        return take_pair_name(r, member_of(frame), name);
    while (member->name && !is_name(member->name, name))
        member++;
    frame->member = NULL;
    if (!member->name)
        return refuse_name(r, "there is no member '", name);
    if (frame->seen & 1UL << (member - frame->shape->members))
        return refuse_name(r, "more than one member '", name);
    frame->seen |= 1UL << (member - frame->shape->members);
    frame->member = member;
    frame->inside = false;
    return 1;
}

/* ---- objects and lists ---- */

static int begin_item(struct reading *r, struct frame *frame)
{
    struct json_list *list = member_of(frame);
    const struct json_shape *shape = frame->member->items;

    if (list->count == JSON_ITEMS_MOST)
        return refuse_json(r, "too many, 10000 at the most", "");
    if (!array_grow_sized(&list->items, &list->room, list->count, shape->size))
        return fail_memory(r);
    r->frames[r->depth++] =
        (struct frame){ .shape = shape, .object = (char *)list->items + list->count * shape->size };
    list->count++;
    return 1;
}

static int begin_object(void *arg)
{
    struct reading *r = arg;
    struct frame *frame = r->depth ? innermost_frame(r) : NULL;

    if (!frame) {
        r->frames[r->depth++] = (struct frame){ .shape = r->shape, .object = r->out };
        return 1;
    }
    if (is_inside(frame, JSON_LIST) && r->depth < JSON_NESTED_MOST)
        return begin_item(r, frame);
    if (frame->inside || frame->member->kind != JSON_PAIRS)
        return refuse_kind(r);
    frame->inside = true;
    return 1;
}

static int end_object(void *arg)
{
    struct reading *r = arg;
    struct frame *frame = innermost_frame(r);
    const struct json_member *members = frame->shape->members;

    if (is_inside(frame, JSON_PAIRS)) {
        frame->inside = false;
        return 1;
    }
    frame->member = NULL;
    for (size_t i = 0; members[i].name; i++)
        if (members[i].required && !(frame->seen & 1UL << i))
            return refuse_name(r, "without the member '", text_bytes(members[i].name));
    r->depth--;
    return 1;
}

static int begin_list(void *arg)
{
    struct reading *r = arg;
    struct frame *frame = r->depth ? innermost_frame(r) : NULL;

    if (!frame || frame->inside || frame->member->kind != JSON_LIST)
        return refuse_kind(r);
    frame->inside = true;
    return 1;
}

static int end_list(void *arg)
{
    struct reading *r = arg;
    struct frame *frame = innermost_frame(r);

    frame->inside = false;
    return ((struct json_list *)member_of(frame))->count ? 1 : refuse_json(r, "an empty list", "");
}

static const yajl_callbacks callbacks = {
    .yajl_null = take_null,
    .yajl_boolean = take_flag,
    .yajl_number = take_number,
    .yajl_string = take_string,
    .yajl_start_map = begin_object,
    .yajl_map_key = take_name,
    .yajl_end_map = end_object,
    .yajl_start_array = begin_list,
    .yajl_end_array = end_list,
};

se_status json_read(void *out, const struct json_shape *shape, se_bytes text, se_error *err)
{
    struct reading r = { .text = text, .out = out, .shape = shape, .err = err };
    se_status st;

    memset(out, 0, shape->size);
    st = json_parse(&callbacks, &r, text, err);
    if (st)
        json_release(out, shape);
    return r.status ? r.status : st;
}

/* ---- release ---- */

static void release_value(struct json_value *value)
{
    se_buf_free(&value->owned);
    value->bytes = (se_bytes){ NULL, 0 };
}

static void release_pairs(struct json_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        release_value(&pairs->list[i].name);
        release_value(&pairs->list[i].value);
    }
    free(pairs->list);
    *pairs = (struct json_pairs){ NULL, 0, 0 };
}

static void release_member(void *at, const struct json_member *member)
{
    struct json_list *list = at;

    if (member->kind == JSON_PAIRS)
        release_pairs(at);
    else if (member->kind != JSON_LIST)
        release_value(at);
    else {
        for (size_t i = 0; i < list->count; i++)
            json_release((char *)list->items + i * member->items->size, member->items);
        free(list->items);
        *list = (struct json_list){ NULL, 0, 0 };
    }
}

void json_release(void *object, const struct json_shape *shape)
{
    for (const struct json_member *member = shape->members; member->name; member++)
        release_member((char *)object + member->offset, member);
}
