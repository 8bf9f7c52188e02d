/* SPDX-License-Identifier: Apache-2.0 */
/* Histories; the certificates of the keys, and their state. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include "client/call.h"

static void history_path(struct call *call, const char *history)
{
    call_path(call, "/v1/histories");
    call_part(call, history);
}

/* ---- append ---- */

se_status client_make_key(char out[CLIENT_KEY_ROOM], se_error *err)
{
    unsigned char random[(CLIENT_KEY_ROOM - 1) / 2];

    *out = '\0';
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return error_set(err, SE_ERR_CRYPTO, "the system has no random numbers");
    for (size_t i = 0; i < sizeof random; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", random[i]);
    return SE_OK;
}

static se_status write_records(struct writer *w, const se_record *records, size_t count,
                               se_error *err)
{
    json_write_begin(w, NULL, '{');
    json_write_begin(w, "entries", '[');
    for (size_t i = 0; i < count; i++) {
        if (!utf8_is(records[i].object))
            return error_set(err, SE_ERR_USAGE,
                             "the object of entry %zu is no UTF-8, and nothing else is served over "
                             "a socket",
                             i + 1);
        json_write_begin(w, NULL, '{');
        json_write_bytes(w, "object", records[i].object);
        json_write_base64(w, "payload", records[i].payload);
        json_write_end(w, '}');
    }
    json_write_end(w, ']');
    json_write_end(w, '}');
    return w->failed ? error_memory(err) : SE_OK;
}

static void take_appended(se_history_appended *out, const json_t *answer)
{
    out->first = (uint64_t)json_integer_value(json_object_get(answer, "first"));
    out->count = (uint64_t)json_integer_value(json_object_get(answer, "count"));
    out->repeated = json_is_true(json_object_get(answer, "repeated"));
}

se_status client_history_append(se_history_appended *out, struct client *client,
                                const char *history, const se_record *records, size_t count,
                                const se_history_append_params *params, se_error *err)
{
    AUTO(call) call = { .type = TYPE_JSON, .accept = TYPE_JSON, .key = params->idempotency_key };
    AUTO(writer) text = { 0 };
    AUTO(json) answer = NULL;
    se_status st;

    *out = (se_history_appended){ .first = 0 };
    if (!call.key)
        return error_set(err, SE_ERR_USAGE, "no idempotency key");
    TRY(write_records(&text, records, count, err));
    call.text = buf_bytes(&text.buf);
    history_path(&call, history);
    call_path(&call, "/entries");
    st = call_run_json(&answer, client, &call, err);
    if (st == SE_ERR_POLICY) /* the key stands for others */
        return error_restate(err, SE_ERR_USAGE);
    TRY(st);
    take_appended(out, answer);
    return SE_OK;
}

/* ---- reading ---- */

static se_status read_text(se_buf *out, struct client *client, struct call *call, se_error *err)
{
    AUTO(answer) answer = { .retry_after = -1 };

    *out = (se_buf)SE_BUF_INIT;
    call->accept = TYPE_TEXT;
    TRY(call_run(&answer, client, call, err));
    return writer_finish(out, &answer.body, err);
}

se_status client_history_head(se_buf *out, struct client *client, const char *history,
                              se_error *err)
{
    AUTO(call) call = { .body = NULL };

    history_path(&call, history);
    call_path(&call, "/head");
    return read_text(out, client, &call, err);
}

se_status client_history_prove(se_buf *out, struct client *client, const char *history,
                               uint64_t seq, se_error *err)
{
    AUTO(call) call = { .body = NULL };
    se_status st;

    history_path(&call, history);
    call_path(&call, "/entries/%ju/proof", (uintmax_t)seq);
    st = read_text(out, client, &call, err);
    return st == SE_ERR_NO_DESCRIPTOR ? error_restate(err, SE_ERR_USAGE) : st;
}

/* An entry of an answer; `object` and `payload` own what it points to. */
struct received {
    se_buf object, payload;
    se_history_entry entry;
};

static void received_free(struct received *r)
{
    se_buf_free(&r->object);
    se_buf_free(&r->payload);
}
AUTO_KIND(received, struct received, received_free(p))

/* With up to six digits of the second. */
static int64_t member_time_us(const json_t *object, const char *name)
{
    enum { MILLION = 1000000 };
    const char *point = strchr(json_member_text(object, name), '.');
    unsigned micros = 0;

    if (point && sscanf(point, ".%6uZ", &micros) != 1)
        micros = 0;
    return json_member_time(object, name) * MILLION + micros;
}

static se_status take_entry(struct received *out, const json_t *answer, se_error *err)
{
    const json_t *object = json_object_get(answer, "object");
    se_history_entry *entry = &out->entry;

    entry->seq = (uint64_t)json_integer_value(json_object_get(answer, "entry"));
    entry->time_us = member_time_us(answer, "time");
    entry->erased = json_is_true(json_object_get(answer, "erased"));
    if (object)
        TRY(buf_copy(&out->object,
                     (se_bytes){ json_string_value(object), json_string_length(object) }, err));
    else
        TRY(json_member_bytes(&out->object, answer, "objectBase64", err));
    if (!entry->erased)
        TRY(json_member_bytes(&out->payload, answer, "payload", err));
    entry->object = buf_bytes(&out->object);
    entry->payload = buf_bytes(&out->payload);
    return SE_OK;
}

struct entry_reader {
    se_history_entry_fn fn;
    void *arg;
};

/* *more: whether `fn` wants another one. */
static se_status read_entry(bool *more, struct client *client, const char *history, uint64_t seq,
                            const struct entry_reader *reader, se_error *err)
{
    AUTO(call) call = { .accept = TYPE_JSON };
    AUTO(json) answer = NULL;
    AUTO(received) received = { .object = SE_BUF_INIT };
    se_status st;

    history_path(&call, history);
    call_path(&call, "/entries/%ju", (uintmax_t)seq);
    st = call_run_json(&answer, client, &call, err);
    if (st == SE_ERR_NO_DESCRIPTOR)
        return error_restate(err, SE_ERR_USAGE);
    TRY(st);
    TRY(take_entry(&received, answer, err));
    *more = reader->fn(reader->arg, &received.entry);
    return SE_OK;
}

se_status client_history_read(struct client *client, const char *history,
                              const se_history_range *range, se_history_entry_fn fn, void *arg,
                              se_error *err)
{
    const struct entry_reader reader = { fn, arg };
    bool more = true;

    if (!range->first || !range->last)
        return error_set(err, SE_ERR_USAGE,
                         "over a socket entries are read by their numbers: --first and --last are "
                         "needed");
    for (uint64_t seq = range->first; more && seq <= range->last; seq++)
        TRY(read_entry(&more, client, history, seq, &reader, err));
    return SE_OK;
}

/* ---- the keys ---- */

se_status client_certificates(se_buf *out, struct client *client, const char *descriptor,
                              unsigned version, se_error *err)
{
    AUTO(call) call = { .accept = TYPE_PEM };
    AUTO(answer) answer = { .retry_after = -1 };

    *out = (se_buf)SE_BUF_INIT;
    call_path(&call, "/v1/descriptors");
    call_part(&call, descriptor);
    call_path(&call, "/certificates");
    call_number(&call, "version", version);
    TRY(call_run(&answer, client, &call, err));
    return writer_finish(out, &answer.body, err);
}

enum { DAY_S = 86400 };

/* Rounded down: below 0 for what has ended. */
static int days_until(int64_t when)
{
    const int64_t left = when - clock_seconds();

    return (int)(left >= 0 ? left / DAY_S : -((DAY_S - 1 - left) / DAY_S));
}

static se_check_level level_of_name(const char *name)
{
    se_check_level level = SE_CHECK_FAILURE;

    while (level > SE_CHECK_DATE && strcmp(se_check_level_name(level), name) != 0)
        level--;
    return level;
}

struct row_findings {
    se_check_finding *list;
    size_t count, room;
};

static void row_findings_free(struct row_findings *f)
{
    free(f->list);
}
AUTO_KIND(row_findings, struct row_findings, row_findings_free(p))

static se_status read_findings(struct row_findings *out, const json_t *row, se_error *err)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(row, "findings"), i, item) {
        if (!array_grow(&out->list, &out->room, out->count))
            return error_memory(err);
        out->list[out->count++] = (se_check_finding){
            .level = level_of_name(json_member_text(item, "level")),
            .kind = json_member_text(item, "kind"),
            .subject = json_member_text(item, "subject"),
            .date = json_member_time(item, "date"),
            .text = json_member_text(item, "text"),
        };
    }
    return SE_OK;
}

static se_status report_row(const json_t *item, se_check_fn fn, void *arg, se_error *err)
{
    AUTO(row_findings) findings = { .list = NULL };
    se_check_row row = {
        .descriptor = json_member_text(item, "descriptor"),
        .version = (unsigned)json_integer_value(json_object_get(item, "version")),
        .key = json_member_text(item, "key"),
        .store = json_member_text(item, "store"),
        .algorithm = json_member_text(item, "algorithm"),
        .key_type = json_member_text(item, "keyType"),
        .subject = json_member_text(item, "subject"),
        .not_after = json_member_time(item, "notAfter"),
        .mechanism = json_member_text(item, "mechanism"),
        .may_leave = json_member_text(item, "mayLeave"),
        .warning = json_is_true(json_object_get(item, "warning")),
        .status = status_of_name(json_member_text(item, "status")),
        .text = json_member_text(item, "text"),
    };

    TRY(read_findings(&findings, item, err));
    row.findings = findings.list;
    row.finding_count = findings.count;
    row.days_left = row.not_after ? days_until(row.not_after) : 0;
    fn(arg, &row);
    return row.status ? error_set(err, row.status, "%s", row.text) : SE_OK;
}

se_status client_check(struct client *client, se_check_fn fn, void *arg,
                       const se_check_options *options, se_error *err)
{
    AUTO(call) call = { .accept = TYPE_JSON };
    AUTO(json) answer = NULL;
    const json_t *item;
    se_status first = SE_OK;
    size_t i;

    if (options->days < 0)
        return error_set(err, SE_ERR_USAGE,
                         "a service warns of every certificate that is about to end: --days is 1 "
                         "or more");
    call_path(&call, "/v1/check");
    call_number(&call, "days", (uint64_t)options->days);
    call_flag(&call, "probe", options->probe);
    TRY(call_run_json(&answer, client, &call, err));
    json_array_foreach(json_object_get(answer, "rows"), i, item) {
        const se_status st = report_row(item, fn, arg, err);

        first = first ? first : st;
    }
    return first;
}
