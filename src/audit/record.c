/* SPDX-License-Identifier: Apache-2.0 */
/* A record becomes a line of JSON (doc/formats.md): whole, valid, and of bounded length, whatever
 * its strings are. */
#include "audit/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_write.h"

enum { HOST_MOST = 64, PROGRAM_MOST = 32, REQUEST_ID_MOST = 64, TEXT_MOST = 800 };

enum member_kind { MEMBER_TEXT, MEMBER_UNSIGNED, MEMBER_SIGNED, MEMBER_COUNT, MEMBER_MILLISECONDS };

/* `limit`: bytes of a text as it is written. All limits together, and what stands between, stay
 * below RECORD_SIZE. */
struct member {
    const char *name;
    enum member_kind kind;
    size_t offset, limit;
};

#define MEMBER(name, kind, member, limit)                                                          \
    {                                                                                              \
        name, kind, offsetof(struct audit_record, member), limit                                   \
    }

static const struct member process_members[] = {
    MEMBER("uid", MEMBER_UNSIGNED, uid, 0),
    MEMBER("user", MEMBER_TEXT, user, 64),
    MEMBER("pid", MEMBER_SIGNED, pid, 0),
};

static const struct member certificate_members[] = {
    MEMBER("subject", MEMBER_TEXT, subject, 256),
    MEMBER("issuer", MEMBER_TEXT, issuer, 256),
    MEMBER("serial", MEMBER_TEXT, serial, 64),
    MEMBER("sha256", MEMBER_TEXT, sha256, 64),
};

static const struct member members[] = {
    MEMBER("listener", MEMBER_TEXT, listener, 64),
    MEMBER("row", MEMBER_TEXT, row, 128),
    MEMBER("operation", MEMBER_TEXT, operation, 64),
    MEMBER("descriptor", MEMBER_TEXT, descriptor, 255),
    MEMBER("version", MEMBER_UNSIGNED, version, 0),
    MEMBER("key", MEMBER_TEXT, key, 128),
    MEMBER("replica", MEMBER_UNSIGNED, replica, 0),
    MEMBER("history", MEMBER_TEXT, history, 64),
    MEMBER("first", MEMBER_COUNT, first, 0),
    MEMBER("items", MEMBER_COUNT, items, 0),
    MEMBER("failed", MEMBER_COUNT, failed, 0),
    MEMBER("bytes", MEMBER_COUNT, bytes, 0),
    MEMBER("digest", MEMBER_TEXT, digest, 71),
    MEMBER("result", MEMBER_TEXT, result, 32),
    MEMBER("text", MEMBER_TEXT, text, TEXT_MOST),
    MEMBER("milliseconds", MEMBER_MILLISECONDS, duration_us, 0),
    MEMBER("requestSent", MEMBER_TEXT, request_sent, 64),
    MEMBER("requestAnswered", MEMBER_TEXT, request_answered, 64),
    MEMBER("idempotencyKey", MEMBER_TEXT, idempotency_key, 64),
    MEMBER("tag", MEMBER_TEXT, tag, 64),
    MEMBER("config", MEMBER_TEXT, config, 64),
    MEMBER("queueId", MEMBER_TEXT, queue_id, 64),
    MEMBER("client", MEMBER_TEXT, client, 64),
    MEMBER("sender", MEMBER_TEXT, sender, 320),
};

#define COUNT_OF(table) (sizeof(table) / sizeof *(table))

/* ---- values ---- */

static const char *write_number(char out[32], enum member_kind kind, const void *at)
{
    if (kind == MEMBER_UNSIGNED)
        (void)snprintf(out, 32, "%u", *(const unsigned *)at);
    if (kind == MEMBER_SIGNED)
        (void)snprintf(out, 32, "%" PRId32, *(const int32_t *)at);
    if (kind == MEMBER_COUNT)
        (void)snprintf(out, 32, "%" PRIu64, *(const uint64_t *)at);
    if (kind == MEMBER_MILLISECONDS)
        (void)snprintf(out, 32, "%" PRId64 ".%03d", *(const int64_t *)at / 1000,
                       (int)(*(const int64_t *)at % 1000));
    return out;
}

static void show_members(const struct member *table, size_t count,
                         const struct audit_record *record, record_member_fn fn, void *arg)
{
    for (size_t i = 0; i < count; i++) {
        const void *at = (const char *)record + table[i].offset;
        const bool text = table[i].kind == MEMBER_TEXT;
        const char *value = text ? *(const char *const *)at : NULL;
        char number[32];

        fn(arg, &(struct record_member){
                    .name = table[i].name,
                    .value = !text   ? write_number(number, table[i].kind, at)
                             : value ? value
                                     : "",
                    .limit = table[i].limit,
                    .quoted = text,
                });
    }
}

static bool has_certificate(const struct audit_record *record)
{
    return record->subject || record->sha256;
}

static void show_caller(const struct audit_record *record, record_member_fn fn, void *arg)
{
    if (record->has_uid)
        show_members(process_members, COUNT_OF(process_members), record, fn, arg);
    else if (has_certificate(record))
        show_members(certificate_members, COUNT_OF(certificate_members), record, fn, arg);
}

void record_members(const struct audit_record *record, record_member_fn fn, void *arg)
{
    fn(arg, &(struct record_member){ .name = "requestId",
                                     .value = record->request_id ? record->request_id : "",
                                     .limit = REQUEST_ID_MOST,
                                     .quoted = true });
    show_caller(record, fn, arg);
    show_members(members, COUNT_OF(members), record, fn, arg);
}

/* ---- JSON (RFC 8259) ---- */

static void put_member(void *arg, const struct record_member *member)
{
    if (member->quoted)
        json_write_cut(arg, member->name, member->value, member->limit);
    else
        json_write_literal(arg, member->name, member->value);
}

/* Where a record comes from. */
static void put_origin(struct writer *w, const struct audit_record *record, const char *program,
                       uint64_t number)
{
    char when[TIME_TEXT_ROOM], host[HOST_MOST + 1] = "";

    (void)gethostname(host, sizeof host - 1);
    json_write_text(w, "time",
                    time_format_us(when, record->time_us ? record->time_us : clock_microseconds()));
    json_write_cut(w, "host", host, HOST_MOST);
    json_write_cut(w, "program", program, PROGRAM_MOST);
    json_write_number(w, "pid", (uint64_t)getpid());
    json_write_number(w, "n", number);
}

static void put_caller(struct writer *w, const struct audit_record *record)
{
    if (!record->has_uid && !has_certificate(record)) {
        json_write_literal(w, "caller", "null");
        return;
    }
    json_write_begin(w, "caller", '{');
    show_caller(record, put_member, w);
    json_write_end(w, '}');
}

void audit_format(struct writer *w, const struct audit_record *record, const char *program,
                  uint64_t number)
{
    json_write_begin(w, NULL, '{');
    put_origin(w, record, program, number);
    json_write_cut(w, "requestId", record->request_id ? record->request_id : "", REQUEST_ID_MOST);
    put_caller(w, record);
    show_members(members, COUNT_OF(members), record, put_member, w);
    json_write_end(w, '}');
    writer_text(w, "\n");
}
