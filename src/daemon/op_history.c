/* SPDX-License-Identifier: Apache-2.0 */
/* Histories: append with an idempotency key, head, an entry, its proof. */
#include <limits.h>
#include <stdlib.h>

#include "base/text.h"
#include "daemon/histories.h"
#include "daemon/op.h"

static se_status open_history(se_history **out, const struct request *request, se_error *err)
{
    return histories_open(out, request->histories, target_variable(request->target, "history"),
                          err);
}

/* ---- appending ---- */

enum { OBJECT_MOST = 1000, PAYLOAD_MOST = 16 << 20 };

struct entry {
    struct json_value object, payload;
};
static const struct json_member entry_members[] = {
    { .name = "object",
      .kind = JSON_TEXT,
      .offset = offsetof(struct entry, object),
      .required = true },
    { .name = "payload",
      .kind = JSON_BASE64,
      .offset = offsetof(struct entry, payload),
      .required = true },
    { .name = NULL },
};
static const struct json_shape entry_shape = { sizeof(struct entry), entry_members };

struct append_body {
    struct json_list entries;
};
static const struct json_member append_members[] = {
    { .name = "entries",
      .kind = JSON_LIST,
      .offset = offsetof(struct append_body, entries),
      .required = true,
      .items = &entry_shape },
    { .name = NULL },
};
static const struct json_shape append_shape = { sizeof(struct append_body), append_members };
AUTO_KIND(append_body, struct append_body, json_release(p, &append_shape))

static void records_free(se_record **records)
{
    free(*records);
}
AUTO_KIND(records, se_record *, records_free(p))

static se_status read_records(se_record *out, const struct json_list *entries, se_error *err)
{
    const struct entry *entry = entries->items;

    for (size_t i = 0; i < entries->count; i++) {
        const size_t size = entry[i].object.bytes.size, payload = entry[i].payload.bytes.size;

        if (!size || size > OBJECT_MOST)
            return error_set(err, SE_ERR_FORMAT,
                             "entries[%zu].object: %zu bytes; it has 1 to 1,000", i, size);
        if (payload > PAYLOAD_MOST)
            return error_set(err, SE_ERR_FORMAT,
                             "entries[%zu].payload: %zu bytes; 16 MB at the most", i, payload);
        out[i] = (se_record){ entry[i].object.bytes, entry[i].payload.bytes };
    }
    return SE_OK;
}

static se_status append_records(se_history_appended *out, se_history *history,
                                const se_record *records, size_t count,
                                const struct request *request, se_error *err)
{
    se_history_append_params params = SE_HISTORY_APPEND_PARAMS_INIT;
    se_status st;

    params.idempotency_key = request->idempotency_key;
    params.caller = request->caller;
    st = se_history_append_many(out, history, records, count, &params, err);
    /* the records are good: the key is not, for it stands for others, and a conflict is no mistake
     * in the call */
    return st == SE_ERR_USAGE ? error_restate(err, SE_ERR_POLICY) : st;
}

se_status history_append_entries(struct answer *out, const struct request *request, se_error *err)
{
    enum { CREATED = 201 };
    AUTO(append_body) body = { .entries = { .count = 0 } };
    AUTO(records) records = NULL;
    AUTO(writer) w = { 0 };
    se_history *history;
    se_history_appended appended;

    TRY(json_read(&body, &append_shape, body_bytes(request->body), err));
    TRY(request_admit(request, body.entries.count, err));
    out->items = body.entries.count;
    if (!(records = calloc(body.entries.count, sizeof *records)))
        return error_memory(err);
    TRY(read_records(records, &body.entries, err));
    TRY(open_history(&history, request, err));
    TRY(append_records(&appended, history, records, body.entries.count, request, err));
    out->status = CREATED;
    out->first = appended.first;
    answer_begin(&w);
    json_write_number(&w, "first", appended.first);
    json_write_number(&w, "count", appended.count);
    json_write_flag(&w, "repeated", appended.repeated);
    return answer_finish(out, &w, request, err);
}

/* ---- reading ---- */

se_status history_answer_head(struct answer *out, const struct request *request, se_error *err)
{
    AUTO(se_buf) head = SE_BUF_INIT;
    se_history *history;

    TRY(open_history(&history, request, err));
    TRY(se_history_head(&head, history, err));
    answer_bytes(out, MEDIA_TEXT, &head);
    return SE_OK;
}

/* Of an entry that is there; what is no number is no entry. */
static se_status prove_entry(se_buf *out, const struct request *request, se_error *err)
{
    const char *text = target_variable(request->target, "entry");
    unsigned long seq;
    se_history *history;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if (!text_number(&seq, text, ULONG_MAX) || !seq)
        return error_set(err, SE_ERR_NO_DESCRIPTOR, "entries are numbers from 1");
    TRY(open_history(&history, request, err));
    st = se_history_prove(out, history, seq, err);
    return st == SE_ERR_USAGE ? error_restate(err, SE_ERR_NO_DESCRIPTOR) : st;
}

se_status history_answer_proof(struct answer *out, const struct request *request, se_error *err)
{
    AUTO(se_buf) proof = SE_BUF_INIT;

    TRY(prove_entry(&proof, request, err));
    answer_bytes(out, MEDIA_TEXT, &proof);
    return SE_OK;
}

AUTO_KIND(history_proof, se_history_proof, se_history_proof_free(p))

static void write_entry(struct writer *w, const se_history_proof *proof)
{
    json_write_number(w, "entry", proof->seq);
    json_write_time_us(w, "time", proof->time_us);
    json_write_either(w, "object", "objectBase64", buf_bytes(&proof->object));
    json_write_flag(w, "erased", proof->erased);
    if (!proof->erased)
        json_write_base64(w, "payload", buf_bytes(&proof->payload));
    json_write_time_us(w, "sealed", proof->sealed_us);
}

/* By way of its proof: it is what the last seal covers, and the rest of the chain need not be read
 * for that. */
se_status history_answer_entry(struct answer *out, const struct request *request, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(history_proof) proof = { .seq = 0 };
    AUTO(writer) w = { 0 };

    TRY(prove_entry(&text, request, err));
    TRY(se_history_verify_proof(&proof, buf_bytes(&text), (se_bytes){ NULL, 0 }, err));
    answer_begin(&w);
    write_entry(&w, &proof);
    return answer_finish(out, &w, request, err);
}
