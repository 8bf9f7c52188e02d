/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon does for a caller: one row a job (routes.c). Jobs know neither HTTP's wire nor
 * threads, rights or audit: they get a request that is whole, and give an answer. What is large is
 * read and written in pieces (body.h).
 */
#ifndef DAEMON_OPERATION_H
#define DAEMON_OPERATION_H

#include <signengine.h>

#include "base/stream.h"
#include "daemon/body.h"
#include "daemon/target.h"

struct histories;

enum method { METHOD_GET, METHOD_POST };

/* Content types, as bits: a row says which ones it takes. */
enum media {
    MEDIA_NONE = 0,
    MEDIA_OCTETS = 1 << 0, /* application/octet-stream */
    MEDIA_JSON = 1 << 1,   /* application/json */
    MEDIA_NDJSON = 1 << 2, /* application/x-ndjson */
    MEDIA_MAIL = 1 << 3,   /* message/rfc822 */
    MEDIA_PEM = 1 << 4,    /* application/pem-certificate-chain */
    MEDIA_JWKS = 1 << 5,   /* application/jwk-set+json */
    MEDIA_TEXT = 1 << 6,   /* text/plain; charset=utf-8 */
    MEDIA_METRICS = 1 << 7 /* text/plain; version=0.0.4 */
};

/* Everything is borrowed, and lasts for the call. */
struct request {
    se_engine *engine; /* of the generation that was current when the job began */
    struct histories *histories;
    const struct target *target; /* path variables and query */
    enum media media, accept;    /* of the body; wanted: 0 is anything */
    struct body *body;
    const char *signature;                  /* Signengine-Signature, base64; NULL: none */
    const char *id;                         /* of the request */
    const char *idempotency_key;            /* NULL: none */
    const se_access *access;                /* of the same generation */
    const se_caller *who;                   /* whom it is asked about */
    const se_revocation_params *revocation; /* of signers; NULL: it is not looked at */
    struct spool *spool; /* of answers that are large; NULL: they stay in memory */
    const char *caller;  /* "uid:1000", "certificate:SHA256": whose idempotency keys */

    /* see request_admit(); NULL: there is no limit */
    se_status (*admit)(void *arg, uint64_t items, se_error *err);
    void *admit_arg;

    /* false: nobody waits for the answer any more; NULL: it is not asked */
    se_progress_fn progress;
    void *progress_arg;

    /* of GET /metrics */
    void (*write_metrics)(void *arg, struct writer *w);
    void *metrics_arg;
};

/*
 * A batch says how many items it has before it works on any, for the limit of its row counts them.
 * A job that does not has one. A failure is returned as it is: more than is left is refused as a
 * whole.
 */
static inline se_status request_admit(const struct request *request, uint64_t items, se_error *err)
{
    return request->admit ? request->admit(request->admit_arg, items, err) : SE_OK;
}

/* `media` and `body` are the job's; without `status` a success is 200. If the body has failed, that
 * is the job's failure. */
struct answer {
    unsigned status; /* of HTTP */
    enum media media;
    struct body body;
    unsigned retry_after; /* seconds; 0: none is said */

    /* for audit and metrics, beside what the library's event says */
    uint64_t items, failed; /* of a batch; 0: it was none */
    uint64_t first;         /* entry of a history */
};

struct operation {
    const char *name; /* operationId of openapi.yaml */
    enum method method;
    const char *path;         /* "/v1/descriptors/{descriptor}/sign" */
    const char *access;       /* operation of <allow>; NULL: anybody's */
    unsigned takes;           /* media of bodies; 0: none */
    unsigned streams;         /* those of them that need not be whole in memory */
    bool as_file;             /* such a body is read by its path */
    const char *const *query; /* names that the query may have, then NULL; NULL: none */
    bool needs_idempotency_key;
    bool lasts;   /* its effect stays: recorded before and after */
    bool at_once; /* it waits for nothing, and is done and not recorded: it works when threads are
                     busy, and the audit is full */
    /* Fills *out, which is empty; what it has after a failure is released by the caller. */
    se_status (*run)(struct answer *out, const struct request *request, se_error *err);
};

static inline enum body_kind operation_body_kind(const struct operation *operation,
                                                 enum media media)
{
    if (!(operation->streams & media))
        return BODY_WHOLE;
    return operation->as_file ? BODY_FILE : BODY_SEALED;
}

/* The rows, in the order of openapi.yaml. */
extern const struct operation operations[];
extern const size_t operation_count;

#endif
