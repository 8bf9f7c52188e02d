/* SPDX-License-Identifier: Apache-2.0 */
/* A request behind its head: body, job, records, answer. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "daemon/exchange.h"
#include "daemon/identity.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/record.h"
#include "daemon/tls.h"

/* ---- the body ---- */

bool exchange_take(struct exchange *e, se_bytes piece)
{
    e->received += piece.size;
    if (!e->failure.kind && !body_put(&e->body, piece))
        e->failure = e->body.failure;
    if (!e->failure.kind)
        return true;
    body_free(&e->body);
    return e->received <= 2 * e->body_most;
}

/* ---- records ---- */

static bool is_recorded(const struct exchange *e)
{
    return e->operation->access && !e->operation->at_once;
}

/* What is known about a request, whatever becomes of it. */
static struct audit_record begin_record(struct exchange *e)
{
    static const struct identity nobody = { .subject = "" };
    const struct peer *peer = &e->connection->peer;
    const struct identity *identity = peer->identity ? peer->identity : &nobody;

    return (struct audit_record){
        .request_id = e->id,
        .has_uid = peer->has_uid,
        .uid = peer->uid,
        .user = peer->name,
        .pid = peer->pid,
        .subject = identity->subject,
        .issuer = identity->issuer,
        .serial = identity->serial,
        .sha256 = identity->sha256,
        .client = peer->address,
        .listener = listener_name(peer->listener),
        .row = e->row.name,
        .operation = e->operation->access,
        .descriptor = target_variable(&e->target, "descriptor"),
        .version = e->version,
        .history = target_variable(&e->target, "history"),
        .items = 1,
        .bytes = e->body.size,
        .idempotency_key = e->idempotency_key,
        .tag = e->trace,
        .config = e->generation->config,
    };
}

/* Without a row, what is named is the caller's word, and not the configuration's. */
static const char *known_name(const struct exchange *e, const char *variable)
{
    const char *name = e->row.name ? target_variable(&e->target, variable) : NULL;

    return name ? name : "";
}

static void count_use(struct exchange *e, int64_t started)
{
    const struct operation *operation = e->operation;
    const bool failed = e->failure.kind != FAILURE_NONE;
    const struct use use = {
        .operation = operation->access ? operation->access : operation->name,
        .descriptor = known_name(e, "descriptor"),
        .history = known_name(e, "history"),
        .kind = e->failure.kind,
        .items = e->answer.items ? e->answer.items : 1,
        .failed = e->answer.items ? e->answer.failed : failed,
        .bytes = e->body.size,
        .duration_us = clock_monotonic_us() - started,
    };

    uses_count(e->service->uses, &use);
}

static void record_refusal(struct exchange *e)
{
    struct audit_record r = begin_record(e);

    r.failed = 1;
    r.result = e->refusal;
    r.text = e->failure.error.text;
    audit_note(e->service->audit, &r);
    count_use(e, clock_monotonic_us());
    e->refusal = NULL;
}

static se_status record_asked(struct exchange *e, se_error *err)
{
    struct audit_record r = begin_record(e);

    r.result = "asked";
    return audit_write(e->service->audit, &r, err);
}

/* The event's words, where there is one, are those of the library: it knows the version that it
 * took, and the caller may have named none. */
static se_status record_end(struct exchange *e, const struct job_facts *facts, int64_t started,
                            se_error *err)
{
    const bool failed = e->failure.kind != FAILURE_NONE;
    struct audit_record r = begin_record(e);

    r.version = facts->version ? facts->version : r.version;
    r.key = facts->key;
    r.replica = facts->replica;
    r.digest = facts->digest;
    r.request_sent = facts->request_sent;
    r.request_answered = facts->request_answered;
    r.tag = *facts->tag ? facts->tag : r.tag;
    r.bytes = facts->bytes ? facts->bytes : r.bytes;
    r.first = e->answer.first;
    r.items = e->answer.items ? e->answer.items : 1;
    r.failed = e->answer.items ? e->answer.failed : failed;
    r.result = e->refusal ? e->refusal : se_status_name(e->failure.error.status);
    r.text = e->failure.error.text;
    r.duration_us = clock_monotonic_us() - started;
    return audit_write(e->service->audit, &r, err);
}

/* ---- the job ---- */

static se_status admit_items(void *arg, uint64_t items, se_error *err)
{
    struct exchange *e = arg;

    return exchange_take_items(e, items)
               ? SE_OK
               : error_set(err, SE_ERR_POLICY, "%s", e->failure.error.text);
}

static void note_failure(struct exchange *e, se_status status, const se_error *err)
{
    const struct failure *full = &e->answer.body.failure;

    if (e->answer.retry_after)
        e->failure.retry_after = e->answer.retry_after;
    if (full->kind)
        failure_set(&e->failure, full->kind, "%s", full->error.text);
    failure_set_status(&e->failure, status, err);
    if (!e->refusal)
        e->failure.http = e->answer.status;
    body_free(&e->answer.body);
}

/* Work for somebody who is not there any more would only keep others waiting. */
static bool is_worth_it(struct exchange *e)
{
    if (peer_is_gone(e->connection->peer.listener, e->connection->fd))
        failure_set(&e->failure, FAILURE_BUSY, "the caller has gone");
    else if (jobs_are_hurried(e->service->jobs))
        failure_set(&e->failure, FAILURE_BUSY, "the service ends");
    return !e->failure.kind;
}

static bool has_listener(void *arg, uint64_t done, uint64_t total)
{
    (void)done;
    (void)total;
    return is_worth_it(arg);
}

static void write_metrics(void *arg, struct writer *w)
{
    const struct exchange *e = arg;

    metrics_write(w, e->service, e->generation);
}

/* The lists of the settings are no fault of the caller's. */
static se_status restate_list_failure(se_status st, const se_revocation_params *revocation,
                                      se_error *err)
{
    const bool is_of_list = revocation && revocation->crls && strstr(err->text, "CRLs: ") &&
                            strstr(err->text, revocation->crls);

    return st && is_of_list ? error_restate(err, SE_ERR_CONFIG) : st;
}

static void run_operation(struct exchange *e)
{
    const se_caller caller = exchange_caller(e);
    se_revocation_params revocation;
    se_error err = SE_ERROR_INIT;
    const struct request request = {
        .engine = e->generation->engine,
        .histories = e->generation->histories,
        .target = &e->target,
        .media = e->media,
        .accept = e->accept,
        .body = &e->body,
        .signature = e->signature,
        .id = e->id,
        .idempotency_key = *e->idempotency_key ? e->idempotency_key : NULL,
        .access = e->generation->access,
        .who = &caller,
        .revocation = settings_verify_revocation(&revocation, e->generation->settings),
        .spool = &e->service->spool,
        .caller = e->connection->peer.id,
        .admit = e->row.per_minute ? admit_items : NULL,
        .admit_arg = e,
        .progress = has_listener,
        .progress_arg = e,
        .write_metrics = write_metrics,
        .metrics_arg = e,
    };
    se_status st = e->operation->run(&e->answer, &request, &err);

    st = restate_list_failure(st, request.revocation, &err);
    if (st)
        note_failure(e, st, &err);
}

/* An answer that nobody may have, for it could not be recorded. */
static void withhold_answer(struct exchange *e, const se_error *err)
{
    body_free(&e->answer.body);
    e->failure = (struct failure){ .kind = FAILURE_NONE };
    failure_set(&e->failure, FAILURE_AUDIT, "%s", err->text);
    log_line("request %s: what it asked for can't be recorded: %s", e->id, err->text);
}

static void run_recorded(struct exchange *e, int64_t started)
{
    const unsigned records = e->operation->lasts ? 2 : 1;
    struct job_facts facts = { .key = "" };
    se_error err = SE_ERROR_INIT;

    if (audit_reserve(e->service->audit, records, &err)) {
        withhold_answer(e, &err);
        return;
    }
    if (e->operation->lasts && record_asked(e, &err)) {
        audit_release(e->service->audit, 1);
        withhold_answer(e, &err);
        return;
    }
    record_into(&facts);
    run_operation(e);
    record_into(NULL);
    if (record_end(e, &facts, started, &err))
        withhold_answer(e, &err);
    e->refusal = NULL;
}

static bool is_still_trusted(struct exchange *e)
{
    se_error err = SE_ERROR_INIT;

    if (tls_recheck(&e->connection->peer, e->generation->tls, &err))
        exchange_refuse(e, FAILURE_FORBIDDEN, err.text);
    return !e->failure.kind;
}

/* Rights may have been taken away while the body came. */
static bool renew_generation(struct exchange *e)
{
    struct generation *now = generation_enter(e->service->generations), *old = e->generation;
    bool allowed = true;

    if (now != old) {
        e->generation = now;
        e->row = (se_access_row){ .name = NULL };
        allowed = is_still_trusted(e) && exchange_decide(e);
        now = old;
    }
    generation_leave(e->service->generations, now);
    return allowed;
}

static void use_operation(struct exchange *e)
{
    const int64_t started = clock_monotonic_us();

    if (is_recorded(e))
        run_recorded(e, started);
    else
        run_operation(e);
    count_use(e, started);
}

bool exchange_has_job(const struct exchange *e)
{
    return e->refusal || (e->operation && !e->operation->at_once && !e->failure.kind);
}

void exchange_work(struct exchange *e)
{
    (void)peer_find_name(&e->connection->peer);
    if (!e->refusal && is_worth_it(e) && renew_generation(e))
        use_operation(e);
    if (e->refusal)
        record_refusal(e);
}

/* ---- the answer ---- */

static void answer_probe(struct exchange *e, struct writer *w)
{
    const char *wrong = exchange_ask_probe(e);

    if (wrong)
        failure_set(&e->failure, FAILURE_BUSY, "%s", wrong);
    else
        writer_text(w, "{\"status\":\"ok\"}");
}

unsigned exchange_finish(struct body *body, struct exchange *e)
{
    AUTO(writer) w = { 0 };
    AUTO(se_buf) text = SE_BUF_INIT;

    if (e->operation && e->operation->at_once && !e->failure.kind)
        use_operation(e);
    if (e->probe && !e->failure.kind) {
        e->answer.media = MEDIA_JSON;
        answer_probe(e, &w);
    }
    if (e->failure.kind) {
        writer_free(&w);
        failure_write(&w, &e->failure, e->id);
        e->answer.media = MEDIA_JSON;
    }
    *body = MOVE(e->answer.body);
    if (e->failure.kind || e->probe) {
        (void)!writer_finish(&text, &w, NULL);
        body_take(body, &text);
    }
    return e->failure.kind    ? failure_http_status(&e->failure)
           : e->answer.status ? e->answer.status
                              : 200;
}

void exchange_free(struct exchange *e)
{
    if (!e)
        return;
    if (e->refusal) /* it was answered before its body came */
        record_refusal(e);
    body_free(&e->body);
    generation_leave(e->service->generations, e->generation);
    target_free(&e->target);
    body_free(&e->answer.body);
    free(e->only_version);
    free(e->signature);
    free(e);
}
