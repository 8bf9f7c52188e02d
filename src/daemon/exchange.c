/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/identity.h"

/* ---- types of content ---- */

static const struct {
    enum media media;
    const char *name;
} media_rows[] = {
    { MEDIA_OCTETS, "application/octet-stream" },       { MEDIA_JSON, "application/json" },
    { MEDIA_NDJSON, "application/x-ndjson" },           { MEDIA_MAIL, "message/rfc822" },
    { MEDIA_PEM, "application/pem-certificate-chain" }, { MEDIA_JWKS, "application/jwk-set+json" },
    { MEDIA_METRICS, "text/plain; version=0.0.4" },     { MEDIA_TEXT, "text/plain; charset=utf-8" },
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

const char *media_name(enum media media)
{
    for (size_t i = 0; i < COUNT(media_rows); i++)
        if (media_rows[i].media == media)
            return media_rows[i].name;
    return "application/octet-stream";
}

/* The type without its parameters, and without blanks around it. */
static se_bytes bare_type(const char *text, size_t size)
{
    size_t end = 0;

    while (size && (*text == ' ' || *text == '\t')) {
        text++;
        size--;
    }
    while (end < size && text[end] != ';' && text[end] != ' ' && text[end] != '\t')
        end++;
    return (se_bytes){ text, end };
}

/* Bits of all that are called so. */
static unsigned find_media(se_bytes type)
{
    unsigned found = MEDIA_NONE;

    for (size_t i = 0; i < COUNT(media_rows); i++)
        if (strcspn(media_rows[i].name, ";") == type.size &&
            strncasecmp(media_rows[i].name, type.data, type.size) == 0)
            found |= media_rows[i].media;
    return found;
}

/* What is wanted, of all that is named; without any that we know, anything. */
static enum media read_accept(se_bytes value)
{
    const char *text = value.data;
    unsigned wanted = MEDIA_NONE;

    for (size_t at = 0; at < value.size;) {
        const char *comma = memchr(text + at, ',', value.size - at);
        const size_t size = comma ? (size_t)(comma - text) - at : value.size - at;
        const se_bytes type = bare_type(text + at, size);

        if (type.size == 3 && strncmp(type.data, "*/*", 3) == 0)
            return MEDIA_NONE;
        wanted |= find_media(type);
        at += size + 1;
    }
    return (enum media)wanted;
}

/* ---- identifiers ---- */

static bool has_only(se_bytes value, const char *letters, size_t least, size_t most)
{
    const char *c = value.data;

    for (size_t i = 0; i < value.size; i++)
        if (!c[i] || !strchr(letters, c[i]))
            return false;
    return value.size >= least && value.size <= most;
}

#define DIGITS  "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static void make_request_id(char out[REQUEST_ID_MOST + 1])
{
    unsigned char random[8] = { 0 };

    if (getrandom(random, sizeof random, 0) != sizeof random)
        memcpy(random, &(int64_t){ clock_microseconds() }, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", random[i]);
}

/* The caller's, if it is harmless in logs. */
static void read_request_id(struct exchange *e, const struct head *head)
{
    const se_bytes id = head_value(head, "X-Request-Id");

    if (has_only(id, DIGITS LETTERS "._-", 1, REQUEST_ID_MOST))
        text_copy(e->id, sizeof e->id, id.data, id.size);
}

/* W3C Trace Context: 00-TRACE-PARENT-FLAGS; anything else is as if it were not there. */
static void read_trace(struct exchange *e, const struct head *head)
{
    const se_bytes trace = head_value(head, "traceparent");

    if (trace.size == TRACE_SIZE && has_only(trace, DIGITS "abcdef-", TRACE_SIZE, TRACE_SIZE) &&
        strncmp(trace.data, "00-", 3) == 0)
        text_copy(e->trace, sizeof e->trace, trace.data, trace.size);
}

static void read_idempotency_key(struct exchange *e, const struct head *head)
{
    const se_bytes key = head_value(head, "Idempotency-Key");

    if (key.size && key.size <= IDEMPOTENCY_KEY_MOST && text_is_visible(key.data, key.size))
        text_copy(e->idempotency_key, sizeof e->idempotency_key, key.data, key.size);
    else if (key.data)
        failure_set(&e->failure, FAILURE_USAGE,
                    "Idempotency-Key has 1 to %d visible characters, without blanks",
                    IDEMPOTENCY_KEY_MOST);
    else if (e->operation->needs_idempotency_key)
        failure_set(&e->failure, FAILURE_USAGE,
                    "Idempotency-Key is missing: without one, nobody could ask again without "
                    "doubling what was done");
}

/* ---- which operation ---- */

/* Asked by machines that look after machines: of no interest to anybody else, so they need no row,
 * and never wait for a key store. */
struct probe {
    const char *path;
    const char *(*ask)(const struct service *service); /* NULL, or what is wrong */
};

/* Whoever gets an answer sees that it lives. */
static const char *ask_nothing(const struct service *service)
{
    (void)service;
    return NULL;
}

static const struct probe probes[] = {
    { "/health/live", ask_nothing },
    { "/health/ready", service_not_ready },
};

static const char *method_name(enum method method)
{
    return method == METHOD_GET ? "GET" : "POST";
}

static void note_allowed_method(struct failure *failure, enum method method)
{
    const size_t used = strlen(failure->allow);

    if (!strstr(failure->allow, method_name(method)))
        (void)snprintf(failure->allow + used, sizeof failure->allow - used, "%s%s",
                       used ? ", " : "", method_name(method));
}

static bool find_probe(struct exchange *e, const char *method)
{
    for (size_t i = 0; i < COUNT(probes); i++) {
        if (!target_matches(&e->target, probes[i].path))
            continue;
        if (strcmp(method, "GET") == 0)
            e->probe = &probes[i];
        else
            note_allowed_method(&e->failure, METHOD_GET);
        return true;
    }
    return false;
}

static bool find_operation(struct exchange *e, const char *method)
{
    bool found = false;

    for (size_t i = 0; i < operation_count; i++) {
        if (!target_matches(&e->target, operations[i].path))
            continue;
        found = true;
        note_allowed_method(&e->failure, operations[i].method);
        if (strcmp(method, method_name(operations[i].method)) == 0) {
            e->operation = &operations[i];
            return true;
        }
    }
    return found;
}

static void find_route(struct exchange *e, const struct head *head)
{
    se_error err = SE_ERROR_INIT;

    if (target_read(&e->target, head->target, &err)) {
        failure_set_status(&e->failure, err.status, &err);
        return;
    }
    if (!find_probe(e, head->method) && !find_operation(e, head->method))
        failure_set(&e->failure, FAILURE_NO_PATH, "there is nothing at this path");
    else if (!e->probe && !e->operation)
        failure_set(&e->failure, FAILURE_METHOD, "%s is not for this path; it takes %s",
                    head->method, e->failure.allow);
}

/* ---- what the operation takes ---- */

static bool takes_parameter(const struct operation *operation, const char *name)
{
    for (const char *const *known = operation->query; known && *known; known++)
        if (strcmp(*known, name) == 0)
            return true;
    return false;
}

/* Row and limit go first, so what is wrong with it is said later. */
static void read_version(struct exchange *e)
{
    uint64_t version;

    if (!target_number(&version, &e->target, "version", UINT32_MAX, NULL))
        e->version = (unsigned)version;
}

static void check_query(struct exchange *e)
{
    se_error err = SE_ERROR_INIT;
    uint64_t version;

    for (size_t i = 0; i < e->target.query_count; i++)
        if (!takes_parameter(e->operation, e->target.query[i].name))
            failure_set(&e->failure, FAILURE_USAGE, "there is no parameter '%.64s' here",
                        e->target.query[i].name);
    if (target_number(&version, &e->target, "version", UINT32_MAX, &err))
        failure_set_status(&e->failure, err.status, &err);
}

static bool has_body(const struct exchange *e)
{
    return e->framing.chunked || e->framing.length > 0;
}

static void check_media(struct exchange *e, const struct head *head)
{
    const se_bytes type = head_value(head, "Content-Type");

    if (!e->operation->takes) {
        if (has_body(e))
            failure_set(&e->failure, FAILURE_MEDIA, "this takes no body");
        return;
    }
    if (type.data)
        e->media = (enum media)find_media(bare_type(type.data, type.size));
    else if (!has_body(e) && e->operation->takes & MEDIA_OCTETS)
        e->media = MEDIA_OCTETS;
    if (!(e->media & e->operation->takes))
        failure_set(&e->failure, FAILURE_MEDIA,
                    type.data ? "this takes no body of that Content-Type"
                              : "Content-Type is missing");
}

/* What may be read in pieces may be large; there is room for it now, or the rest need not come. */
static void open_body(struct exchange *e)
{
    const enum body_kind kind = operation_body_kind(e->operation, e->media);
    struct spool *spool = &e->service->spool;

    e->body_most = kind == BODY_WHOLE ? spool->memory_each : spool->disk_each;
    e->body = (struct body){ .spool = spool, .kind = kind, .most = e->body_most };
    if (e->framing.length > e->body_most)
        failure_set(&e->failure, FAILURE_TOO_LARGE,
                    "the body has %" PRIu64 " bytes; up to %" PRIu64 " are taken",
                    e->framing.length, e->body_most);
    else if (!e->failure.kind && !body_expect(&e->body, e->framing.length))
        e->failure = e->body.failure;
}

/* Owned, for the head goes. */
static void read_signature(struct exchange *e, const struct head *head)
{
    const se_bytes value = head_value(head, "Signengine-Signature");

    if (value.data && !(e->signature = strndup(value.data, value.size)))
        failure_set(&e->failure, FAILURE_BUSY, "out of memory");
}

/* ---- who may do it ---- */

se_caller exchange_caller(const struct exchange *e)
{
    const struct peer *peer = &e->connection->peer;
    se_caller caller = SE_CALLER_INIT;

    caller.has_uid = peer->has_uid;
    caller.uid = peer->uid;
    caller.gids = peer->gids;
    caller.gid_count = peer->gid_count;
    if (peer->identity) {
        caller.certificate = buf_bytes(&peer->identity->certificate);
        caller.issuer = buf_bytes(&peer->identity->issued_by);
    }
    return caller;
}

void exchange_refuse(struct exchange *e, enum failure_kind kind, const char *why)
{
    count_one(kind == FAILURE_FORBIDDEN ? &e->service->counters.refusals
                                        : &e->service->counters.throttled);
    failure_set(&e->failure, kind, "%s", why);
    e->refusal = kind == FAILURE_FORBIDDEN ? "forbidden" : "throttled";
}

/* A row may allow one version only; then that is the one that is asked for. */
static void settle_version(struct exchange *e)
{
    static const char name[] = "version";
    char text[16];

    if (!e->row.version || e->version)
        return;
    (void)snprintf(text, sizeof text, "%u", e->row.version);
    if (!takes_parameter(e->operation, name))
        exchange_refuse(e, FAILURE_FORBIDDEN, "the row allows one version only");
    else if (!(e->only_version = strdup(text)) || !target_add(&e->target, name, e->only_version))
        failure_set(&e->failure, FAILURE_BUSY, "out of memory");
    e->version = e->row.version;
}

bool exchange_decide(struct exchange *e)
{
    const se_caller caller = exchange_caller(e);
    se_error err = SE_ERROR_INIT;
    se_use use = SE_USE_INIT;
    se_status st;

    if (!e->operation->access)
        return true;
    use.operation = e->operation->access;
    use.descriptor = target_variable(&e->target, "descriptor");
    use.history = target_variable(&e->target, "history");
    use.version = e->version;
    st = se_access_decide(&e->row, e->generation->access, &caller, &use, &err);
    if (st == SE_ERR_ACCESS)
        exchange_refuse(e, FAILURE_FORBIDDEN, err.text);
    else if (st)
        failure_set(&e->failure, FAILURE_INTERNAL, "%s", err.text);
    else
        settle_version(e);
    return !e->failure.kind;
}

static void check_caller(struct exchange *e)
{
    e->generation = generation_enter(e->service->generations);
    read_version(e);
    (void)exchange_decide(e);
}

bool exchange_take_items(struct exchange *e, uint64_t items)
{
    const struct limit limit = { e->row.name, e->connection->peer.id, e->row.per_minute };
    const int64_t now = clock_monotonic_ms();
    se_error err = SE_ERROR_INIT;
    unsigned wait_s;

    limits_give(e->service->limits, &limit, e->taken, now);
    e->taken = 0;
    if (!limits_take(&wait_s, e->service->limits, &limit, items, now, &err)) {
        e->taken = items;
        return true;
    }
    e->failure.retry_after = wait_s;
    exchange_refuse(e, FAILURE_TOO_MANY, err.text);
    return false;
}

/* ---- the head ---- */

static void begin_operation(struct exchange *e, const struct head *head)
{
    check_caller(e);
    if (!e->failure.kind && e->row.per_minute)
        (void)exchange_take_items(e, 1);
    if (e->failure.kind)
        return;
    check_query(e);
    read_idempotency_key(e, head);
    check_media(e, head);
    open_body(e);
    read_signature(e, head);
    e->accept = read_accept(head_value(head, "Accept"));
}

void exchange_begin(struct exchange *e, const struct head *head)
{
    se_error err = SE_ERROR_INIT;

    if (gate_check(&e->framing, head, &err)) {
        e->untrusted = true;
        failure_set_status(&e->failure, err.status, &err);
        return;
    }
    read_request_id(e, head);
    read_trace(e, head);
    if (e->framing.expectation == EXPECT_ANYTHING_ELSE)
        failure_set(&e->failure, FAILURE_EXPECTATION, "Expect is 100-continue or nothing");
    else
        find_route(e, head);
    if (e->operation)
        begin_operation(e, head);
}

bool exchange_answers_early(const struct exchange *e)
{
    return e->failure.kind && (e->untrusted || e->framing.expectation != EXPECT_NOTHING ||
                               e->framing.length > 2 * e->body_most);
}

const char *exchange_ask_probe(const struct exchange *e)
{
    return e->probe->ask(e->service);
}

/* ---- begin and end ---- */

struct exchange *exchange_new(struct service *service, struct connection *connection, void *wire)
{
    struct exchange *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    e->service = service;
    e->connection = connection;
    e->wire = wire;
    e->body_most = service->settings->body;
    make_request_id(e->id);
    return e;
}
