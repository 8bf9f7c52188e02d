/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request and its answer, without the HTTP library: what is decided by its head, in an order
 * that is always the same (path, caller, row, limit, body), then its body, its job, its records.
 */
#ifndef DAEMON_EXCHANGE_H
#define DAEMON_EXCHANGE_H

#include "daemon/failure.h"
#include "daemon/gate.h"
#include "daemon/operation.h"
#include "daemon/service.h"

enum { REQUEST_ID_MOST = 64, IDEMPOTENCY_KEY_MOST = 64, TRACE_SIZE = 55 };

struct exchange {
    struct job job; /* the first member: a job is its exchange */
    struct service *service;
    struct connection *connection;
    void *wire; /* the HTTP library's connection */

    /* of the head */
    char id[REQUEST_ID_MOST + 1], idempotency_key[IDEMPOTENCY_KEY_MOST + 1], trace[TRACE_SIZE + 1];
    char *signature;
    struct target target;
    const struct operation *operation; /* NULL: a probe, or a failure */
    const struct probe *probe;
    enum media media, accept;
    struct head_framing framing;
    bool untrusted; /* the head did not pass: nothing behind it is read */

    /* who asks, and what decides */
    struct generation *generation;
    se_access_row row;   /* of the generation; zeroes: the operation is anybody's */
    unsigned version;    /* of the descriptor, that the query asks for */
    char *only_version;  /* the same as text, if not the query but the row says it */
    uint64_t taken;      /* of the row's limit */
    const char *refusal; /* "forbidden", "throttled": to be recorded; NULL: it is, or was none */

    struct body body;
    uint64_t body_most; /* bytes that it may have */
    uint64_t received;  /* of it, those too that were dropped because it has failed */

    bool done; /* the job has run */
    struct failure failure;
    struct answer answer;
};

struct exchange *exchange_new(struct service *service, struct connection *connection, void *wire);
void exchange_free(struct exchange *exchange);

/* Decides all that the head tells. What fails is in exchange->failure; the body is still read. */
void exchange_begin(struct exchange *exchange, const struct head *head);

/* Whether the answer should not wait for the body: whoever sends it waits, or sends too much. */
bool exchange_answers_early(const struct exchange *exchange);

/* Takes a piece of the body. False: nothing but closing the connection helps. */
bool exchange_take(struct exchange *exchange, se_bytes piece);

/* Whether a thread is needed, now that the body is whole. */
bool exchange_has_job(const struct exchange *exchange);

/* Does the job, on a thread for that, or records why there is none. */
void exchange_work(struct exchange *exchange);

/* The status and the body of the answer, whether it failed or not; the body is the caller's. */
unsigned exchange_finish(struct body *body, struct exchange *exchange);

/* Content-Type for a bit of enum media. */
const char *media_name(enum media media);

/* ---- between the head and the job ---- */

se_caller exchange_caller(const struct exchange *exchange);

/* Asks for the row, at first and again if the configuration has changed since. False: it has
 * failed.
 */
bool exchange_decide(struct exchange *exchange);

/* Notes a refusal: it is recorded on a thread that may wait. */
void exchange_refuse(struct exchange *exchange, enum failure_kind kind, const char *why);

/* Takes from the row's limit, in place of what it had taken. False: it has failed. */
bool exchange_take_items(struct exchange *exchange, uint64_t items);

/* What a probe says: NULL, or what is wrong. */
const char *exchange_ask_probe(const struct exchange *exchange);

#endif
