/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted values: one as octets or JSON, many in a list, or one a line (NDJSON). */
#include <stdlib.h>

#include "base/array.h"
#include "daemon/line_source.h"
#include "daemon/op.h"

typedef se_status fields_fn(se_field *fields, size_t count, se_engine *engine,
                            const char *descriptor, const se_field_params *params, se_error *err);

/* A value as it comes in. What comes before `context_bytes` is filled from JSON. */
struct entry {
    struct json_value in;
    struct json_pairs context;
    se_buf context_bytes;
    char *refusal; /* why it is not worked on; NULL: it is */
    se_status status;
};

struct entries {
    struct json_value in; /* of a single value, and its context */
    struct json_pairs context;
    struct json_list items; /* struct entry */
};

/* An operation: members are "content" (base64) of plaintext, and "value" of what is encrypted. */
struct fields_job {
    fields_fn *many;
    const struct json_shape *item, *body;
    const char *out; /* member of the answer */
    bool encrypts;   /* what comes in is plaintext */
    bool decrypts;   /* what goes out is */
};

#define ENTRY_MEMBERS(name_, kind_, required_, type)                                               \
    { .name = (name_), .kind = (kind_), .offset = offsetof(type, in), .required = (required_) },   \
    {                                                                                              \
        .name = "context", .kind = JSON_PAIRS, .offset = offsetof(type, context)                   \
    }

static const struct json_member content_members[] = {
    ENTRY_MEMBERS("content", JSON_BASE64, true, struct entry), { .name = NULL }
};
static const struct json_member value_members[] = {
    ENTRY_MEMBERS("value", JSON_TEXT, true, struct entry), { .name = NULL }
};
static const struct json_shape content_shape = { sizeof(struct entry), content_members },
                               value_shape = { sizeof(struct entry), value_members };
static const struct json_member contents_members[] = {
    ENTRY_MEMBERS("content", JSON_BASE64, false, struct entries),
    { .name = "items",
      .kind = JSON_LIST,
      .offset = offsetof(struct entries, items),
      .items = &content_shape },
    { .name = NULL },
};
static const struct json_member values_members[] = {
    ENTRY_MEMBERS("value", JSON_TEXT, false, struct entries),
    { .name = "items",
      .kind = JSON_LIST,
      .offset = offsetof(struct entries, items),
      .items = &value_shape },
    { .name = NULL },
};
static const struct json_shape contents_shape = { sizeof(struct entries), contents_members },
                               values_shape = { sizeof(struct entries), values_members };

static const struct fields_job encrypting = { se_encrypt_many, &content_shape, &contents_shape,
                                              "value",         true,           false },
                               decrypting = { se_decrypt_many, &value_shape, &values_shape,
                                              "content",       false,        true },
                               rekeying = { se_rekey_many, &value_shape, &values_shape,
                                            "value",       false,        false };

/* ---- a batch ---- */

struct batch {
    const struct fields_job *job;
    const struct request *request;
    struct entry *entries; /* whoever read them releases them */
    size_t count;
    se_field *fields; /* of all entries that are worked on, in their order */
    se_field_params params;
    struct answer *answer;
};

static void entries_release(struct entry *entries, size_t count, const struct json_shape *shape)
{
    for (size_t i = 0; i < count; i++) {
        json_release(&entries[i], shape);
        se_buf_free(&entries[i].context_bytes);
        free(entries[i].refusal);
    }
}

static void batch_end(struct batch *b)
{
    for (size_t i = 0; b->fields && i < b->count; i++)
        se_buf_free(&b->fields[i].out);
    free(b->fields);
}
AUTO_KIND(batch, struct batch, batch_end(p))

static se_status entry_refuse(struct entry *entry, se_status status, const char *why, se_error *err)
{
    entry->status = status;
    entry->refusal = strdup(why);
    return entry->refusal ? SE_OK : error_memory(err);
}

/* The field that an entry asks for; *worked: whether it is one. */
static se_status prepare_field(se_field *out, bool *worked, struct entry *entry, se_error *err)
{
    se_error why = SE_ERROR_INIT;

    *worked = false;
    if (entry->refusal)
        return SE_OK;
    if (entry->context.count && context_encode(&entry->context_bytes, &entry->context, &why))
        return entry_refuse(entry, why.status, why.text, err);
    *out = (se_field){ .in = entry->in.bytes, .context = buf_bytes(&entry->context_bytes) };
    *worked = true;
    return SE_OK;
}

/* Whether all that was tried failed alike, and no item's fault: then it is the call that failed. */
static bool failed_as_a_whole(const se_field *fields, size_t count)
{
    se_status first = count ? fields[0].status : SE_OK;

    if (!first || is_fault_of_item(first))
        return false;
    for (size_t i = 1; i < count; i++)
        if (fields[i].status != first)
            return false;
    return true;
}

/* *done: how many fields there are. The error is that of the first that failed. */
static se_status work_on_batch(size_t *done, struct batch *b, se_error *err)
{
    const struct request *r = b->request;
    se_error spare = SE_ERROR_INIT;
    bool worked;

    *done = 0;
    if (!(b->fields = calloc(b->count + 1, sizeof *b->fields)))
        return error_memory(err);
    for (size_t i = 0; i < b->count; i++) {
        TRY(prepare_field(&b->fields[*done], &worked, &b->entries[i], err));
        *done += worked;
    }
    if (*done)
        (void)!b->job->many(b->fields, *done, r->engine, request_descriptor(r), &b->params, &spare);
    return failed_as_a_whole(b->fields, *done) ? error_copy(err, b->fields[0].status, &spare)
                                               : SE_OK;
}

/* A text for each status: of decryption, one for all reasons. */
static const char *refusal_text(const struct fields_job *job, se_status status)
{
    switch (status) {
    case SE_ERR_FORMAT:
        return "it is no encrypted value";
    case SE_ERR_REJECTED:
        return "it does not decrypt: it was changed, moved to another context, or made for another "
               "key";
    case SE_ERR_NO_DESCRIPTOR:
        return "it was made with a version of the descriptor that is not configured here";
    case SE_ERR_USAGE:
        return "it is too long";
    default:
        return job->encrypts ? "it can't be encrypted" : "it can't be decrypted";
    }
}

static void write_field(struct writer *w, const struct fields_job *job, const se_field *field)
{
    if (field->status) {
        write_item_failure(w, field->status, refusal_text(job, field->status));
        return;
    }
    json_write_text(w, "status", "ok");
    if (job->decrypts)
        json_write_base64(w, job->out, buf_bytes(&field->out));
    else
        json_write_bytes(w, job->out, buf_bytes(&field->out));
    if (!job->decrypts && !job->encrypts)
        json_write_flag(w, "kept", field->kept);
}

/* An object for each entry; with `lines` a line, with its number. */
static void write_batch(struct writer *w, const struct batch *b, bool lines)
{
    const se_field *field = b->fields;

    for (size_t i = 0; i < b->count; i++) {
        const struct entry *entry = &b->entries[i];

        b->answer->items++;
        json_write_begin(w, NULL, '{');
        if (lines)
            json_write_number(w, "n", b->answer->items);
        b->answer->failed += entry->refusal || field->status;
        if (entry->refusal)
            write_item_failure(w, entry->status, entry->refusal);
        else
            write_field(w, b->job, field++);
        json_write_end(w, '}');
        if (lines)
            writer_put(w, "\n", 1);
    }
}

static se_status read_params(se_field_params *out, const struct request *request, se_error *err)
{
    *out = (se_field_params)SE_FIELD_PARAMS_INIT;
    out->tag = target_parameter(request->target, "tag");
    TRY(request_version(&out->version, request, err));
    TRY(target_flag(&out->binary, request->target, "binary", false, err));
    if (out->binary && request->media != MEDIA_OCTETS)
        return error_set(err, SE_ERR_USAGE,
                         "binary values are octets: Content-Type has to be "
                         "application/octet-stream");
    return SE_OK;
}

/* ---- one value ---- */

/* The one field of a batch, or why there is none. */
static se_status check_single(const struct batch *b, se_error *err)
{
    const struct entry *entry = b->entries;
    se_status st = b->fields->status;

    if (entry->refusal)
        return error_set(err, entry->status, "%s", entry->refusal);
    return st ? error_set(err, st, "%s", refusal_text(b->job, st)) : SE_OK;
}

static se_status answer_single(struct answer *out, struct batch *b, se_error *err)
{
    AUTO(writer) w = { 0 };
    size_t done;

    TRY(work_on_batch(&done, b, err));
    TRY(check_single(b, err));
    if (!answers_json(b->request)) {
        answer_bytes(out, MEDIA_OCTETS, &b->fields->out);
        return SE_OK;
    }
    answer_begin(&w);
    write_field(&w, b->job, b->fields);
    return answer_finish(out, &w, b->request, err);
}

static se_status run_octets(struct answer *out, struct batch *b, se_error *err)
{
    struct entry entry = { .in = { .bytes = body_bytes(b->request->body) } };
    se_status st = request_context(&entry.context_bytes, b->request, err);

    b->entries = &entry;
    b->count = 1;
    if (!st)
        st = answer_single(out, b, err);
    entries_release(&entry, 1, b->job->item);
    return st;
}

/* ---- a body of JSON ---- */

static se_status run_list(struct answer *out, struct batch *b, se_error *err)
{
    AUTO(writer) w = { 0 };
    size_t done;

    TRY(request_admit(b->request, b->count, err));
    TRY(work_on_batch(&done, b, err));
    answer_begin(&w);
    json_write_begin(&w, "items", '[');
    write_batch(&w, b, false);
    json_write_end(&w, ']');
    return answer_finish(out, &w, b->request, err);
}

static se_status run_entries(struct answer *out, struct batch *b, struct entries *body,
                             se_error *err)
{
    const bool single = body->in.bytes.data != NULL;
    struct entry entry = { .in = body->in, .context = body->context };
    se_status st;

    if (single == (body->items.count > 0))
        return error_set(err, SE_ERR_FORMAT, "either '%s' or 'items'", b->job->item->members->name);
    if (!single && body->context.count)
        return error_set(err, SE_ERR_FORMAT, "of many, each has a context of its own");
    b->entries = single ? &entry : body->items.items;
    b->count = single ? 1 : body->items.count;
    st = single ? answer_single(out, b, err) : run_list(out, b, err);
    se_buf_free(&entry.context_bytes);
    free(entry.refusal);
    return st;
}

static se_status run_json(struct answer *out, struct batch *b, se_error *err)
{
    struct entries body;
    se_status st;

    TRY(json_read(&body, b->job->body, body_bytes(b->request->body), err));
    st = run_entries(out, b, &body, err);
    entries_release(body.items.items, body.items.count, b->job->item);
    json_release(&body, b->job->body);
    return st;
}

/* ---- a line each ---- */

/* A batch of lines, and what has been read of those behind it. */
struct lines {
    struct line_source source;
    struct entry *entries;
    size_t count, room;
};

static void lines_end(struct lines *lines)
{
    line_source_end(&lines->source);
    free(lines->entries);
}
AUTO_KIND(lines, struct lines, lines_end(p))

static se_status read_entry(struct lines *lines, const struct json_shape *shape,
                            const struct body_line *line, se_error *err)
{
    struct entry *entry;
    se_error why = SE_ERROR_INIT;
    se_status st;

    if (!array_grow(&lines->entries, &lines->room, lines->count))
        return error_memory(err);
    entry = &lines->entries[lines->count++];
    *entry = (struct entry){ .refusal = NULL };
    st = line->too_long ? error_set(&why, SE_ERR_FORMAT, "a line of more than 1 MiB")
                        : json_read(entry, shape, line->text, &why);
    return st ? entry_refuse(entry, st, why.text, err) : SE_OK;
}

static se_status read_batch(struct lines *lines, const struct json_shape *shape, se_error *err)
{
    struct body_line line;

    lines->count = 0;
    TRY(line_source_fill(&lines->source, err));
    while (lines->count < LINES_MOST && line_source_take(&line, &lines->source))
        TRY(read_entry(lines, shape, &line, err));
    return SE_OK;
}

static se_status put_lines(struct answer *out, const struct writer *w, se_error *err)
{
    if (w->failed)
        return error_memory(err);
    return body_put(&out->body, buf_bytes(&w->buf))
               ? SE_OK
               : error_set(err, SE_ERR_IO, "%s", out->body.failure.error.text);
}

/* What has been answered stands: from then on a failure is one of each line that is left. */
static se_status run_line_batch(struct answer *out, const struct batch *all,
                                const struct lines *lines, se_error *err)
{
    AUTO(batch) b = *all;
    AUTO(writer) w = { 0 };
    size_t done;
    se_status st;

    b.entries = lines->entries;
    b.count = lines->count;
    st = work_on_batch(&done, &b, out->items ? NULL : err);
    if (st && (!out->items || st == SE_ERR_MEMORY))
        return st;
    write_batch(&w, &b, true);
    return put_lines(out, &w, err);
}

static se_status run_all_lines(struct answer *out, const struct batch *b, struct lines *lines,
                               se_error *err)
{
    se_status st;

    do {
        st = read_batch(lines, b->job->item, err);
        if (!st && lines->count)
            st = run_line_batch(out, b, lines, err);
        entries_release(lines->entries, lines->count, b->job->item);
        if (!st)
            st = request_go_on(b->request, out->items, err);
    } while (!st && !line_source_is_done(&lines->source));
    return st;
}

/* Their number counts for the limit of a row, before any is worked on. */
static se_status admit_lines(const struct request *request, se_error *err)
{
    AUTO(line_source) source = { .ended = false };
    struct body_line line;
    uint64_t count = 0;

    if (!request->admit)
        return SE_OK;
    TRY(line_source_open(&source, request->body, err));
    while (!line_source_is_done(&source)) {
        TRY(line_source_fill(&source, err));
        while (line_source_take(&line, &source))
            count++;
    }
    return request_admit(request, count, err);
}

/* The last line shows that none is missing. */
static se_status put_end(struct answer *out, const struct request *request, se_error *err)
{
    AUTO(writer) w = { 0 };

    json_write_begin(&w, NULL, '{');
    json_write_flag(&w, "end", true);
    json_write_number(&w, "count", out->items);
    json_write_number(&w, "failed", out->failed);
    json_write_text(&w, "requestId", request->id);
    json_write_end(&w, '}');
    writer_put(&w, "\n", 1);
    return put_lines(out, &w, err);
}

static se_status run_lines(struct answer *out, struct batch *b, se_error *err)
{
    AUTO(lines) lines = { .count = 0 };

    TRY(admit_lines(b->request, err));
    (void)answer_stream(out, MEDIA_NDJSON, b->request);
    TRY(line_source_open(&lines.source, b->request->body, err));
    TRY(run_all_lines(out, b, &lines, err));
    return put_end(out, b->request, err);
}

/* ---- the operations ---- */

static se_status run_fields(struct answer *out, const struct request *request,
                            const struct fields_job *job, se_error *err)
{
    AUTO(batch) b = { .job = job, .request = request, .answer = out };

    TRY(read_params(&b.params, request, err));
    if (request->media == MEDIA_NDJSON)
        return run_lines(out, &b, err);
    if (target_parameter(request->target, "context") && request->media == MEDIA_JSON)
        return error_set(err, SE_ERR_USAGE, "in JSON, the context is a member of the body");
    return request->media == MEDIA_JSON ? run_json(out, &b, err) : run_octets(out, &b, err);
}

se_status encrypt_fields(struct answer *out, const struct request *request, se_error *err)
{
    return run_fields(out, request, &encrypting, err);
}

se_status decrypt_fields(struct answer *out, const struct request *request, se_error *err)
{
    return run_fields(out, request, &decrypting, err);
}

se_status rekey_fields(struct answer *out, const struct request *request, se_error *err)
{
    return run_fields(out, request, &rekeying, err);
}
