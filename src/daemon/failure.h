/* SPDX-License-Identifier: Apache-2.0 */
/* How a call fails, in the words of HTTP, and what a stranger is told about it. */
#ifndef DAEMON_FAILURE_H
#define DAEMON_FAILURE_H

#include <signengine.h>

#include "base/buf.h"

enum failure_kind {
    FAILURE_NONE,
    FAILURE_FORMAT,        /* 400: the request is not what it should be */
    FAILURE_USAGE,         /* 400: it asks for what makes no sense */
    FAILURE_FORBIDDEN,     /* 403 */
    FAILURE_NO_PATH,       /* 404: there is nothing of that name in the API */
    FAILURE_NO_DESCRIPTOR, /* 404 */
    FAILURE_METHOD,        /* 405 */
    FAILURE_TIMEOUT,       /* 408 */
    FAILURE_POLICY,        /* 409 */
    FAILURE_TOO_LARGE,     /* 413 */
    FAILURE_MEDIA,         /* 415 */
    FAILURE_EXPECTATION,   /* 417 */
    FAILURE_REJECTED,      /* 422 */
    FAILURE_TOO_MANY,      /* 429 */
    FAILURE_CONFIGURATION, /* 500: the service's own keys, PINs, files */
    FAILURE_INTERNAL,      /* 500 */
    FAILURE_UNAVAILABLE,   /* 503: a key store is away */
    FAILURE_BUSY,          /* 503: the service itself has to wait, or ends; its text may be told */
    FAILURE_AUDIT,         /* 503: what can't be recorded is not done */
    FAILURE_NO_SPACE,      /* 507: the spool is full */
    FAILURE_KINDS
};

struct failure {
    enum failure_kind kind;
    unsigned http;        /* another status than the kind's; 0: the kind's */
    unsigned retry_after; /* seconds; 0: none is said */
    char allow[16];       /* of 405: the method that there is */
    se_error error;       /* all there is to say about it */
};

/* Both note it, if nothing has failed so far; text that a stranger may not see is in
 * failure->error only. */
void failure_set(struct failure *failure, enum failure_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void failure_set_status(struct failure *failure, se_status status, const se_error *err);

unsigned failure_http_status(const struct failure *failure);
/* One word, or two: as in the body. */
const char *failure_name(enum failure_kind kind);
/* What the caller is told. */
const char *failure_text(const struct failure *failure);

/* The body: {"error":{"status":...,"message":...},"requestId":...}. */
void failure_write(struct writer *w, const struct failure *failure, const char *request_id);

/* A whole answer for a connection that nothing can be read from, and that ends with it. */
void failure_write_answer(struct writer *w, const struct failure *failure);

#endif
