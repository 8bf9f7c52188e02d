/* SPDX-License-Identifier: Apache-2.0 */
/* A request and its answer, for the files of this folder. */
#ifndef CLIENT_CALL_H
#define CLIENT_CALL_H

#include <jansson.h>

#include "base/buf.h"
#include "base/stream.h"
#include "client/client.h"

enum { BODY_AT_HAND = 1 << 20 };

/* What is sent: the beginning, which can be sent again, and what a stream has behind it. */
struct body {
    se_buf begin;
    struct stream *rest; /* NULL: nothing is behind it */
    uint64_t total;      /* bytes of both; 0: not known */
};

/* Reads the beginning: all of it, if it is no more than BODY_AT_HAND. `in` has to outlive it. */
SE_MUST_CHECK se_status body_read(struct body *out, struct stream *in, se_error *err);
void body_free(struct body *body);
AUTO_KIND(body, struct body, body_free(p))

enum { TYPE_OCTETS, TYPE_JSON, TYPE_MAIL, TYPE_PEM, TYPE_TEXT };

struct call {
    struct writer target; /* path and query, percent-encoded */
    bool has_query;
    const struct body *body; /* NULL: a GET, but for `text` */
    se_bytes text;           /* or a body in memory */
    unsigned type, accept;   /* of the body; of the answer */
    const char *key;         /* Idempotency-Key; NULL: none */
    const se_sink *out;      /* gets the body of a good answer; NULL: answer.body does */
};
void call_free(struct call *call);
AUTO_KIND(call, struct call, call_free(p))

/* What is asked of a descriptor, as "sign", and with which version of it; 0: none is said. The
 * client's tag comes along. */
void call_descriptor(struct call *call, const struct client *client, const char *descriptor,
                     const char *what, unsigned version);
/* Any other path: its parts are percent-encoded already. */
void call_path(struct call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
void call_part(struct call *call, const char *part); /* one more, behind a slash */
/* A parameter of the query; of NULL, 0 and false: none. */
void call_text(struct call *call, const char *name, const char *value);
void call_number(struct call *call, const char *name, uint64_t value);
void call_flag(struct call *call, const char *name, bool value);
/* The parts of a context that se_context() made, for bodies of octets; of an empty one: none. */
SE_MUST_CHECK se_status call_context(struct call *call, se_bytes context, se_error *err);

enum { REQUEST_ID_ROOM = 65 };
struct answer {
    struct writer body;
    char request_id[REQUEST_ID_ROOM]; /* "": not said */
    unsigned status;                  /* of HTTP */
    long retry_after;                 /* seconds; -1: not said */
};
AUTO_KIND(json, json_t *, json_decref(*p))
void answer_free(struct answer *answer); /* wipes it */
AUTO_KIND(answer, struct answer, answer_free(p))

/* Asks, again if need be; the answer is a good one. */
SE_MUST_CHECK se_status call_run(struct answer *out, struct client *client, const struct call *call,
                                 se_error *err);
/* The same, of an answer in JSON. */
SE_MUST_CHECK se_status call_run_json(json_t **out, struct client *client, const struct call *call,
                                      se_error *err);

/* ---- answers in JSON ---- */

/* SE_ERR_STORE: it is no object. The memory of what jansson reads is wiped. */
SE_MUST_CHECK se_status answer_read_json(json_t **out, const struct answer *answer, se_error *err);
/* "" where the object has no such text. */
const char *json_member_text(const json_t *object, const char *name);
/* 0 where it has no such time. */
int64_t json_member_time(const json_t *object, const char *name);
/* Of base64; SE_ERR_STORE: it has no such member. */
SE_MUST_CHECK se_status json_member_bytes(se_buf *out, const json_t *object, const char *name,
                                          se_error *err);
void json_member_signer(se_signer *out, const json_t *object);

/* ---- what failed ---- */

/* The failure that an answer tells, with the request's id. */
se_status answer_read_failure(const struct answer *answer, se_error *err);
/* The status of the library that the service calls so. */
se_status status_of_name(const char *name);

#endif
