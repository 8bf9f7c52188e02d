/* SPDX-License-Identifier: Apache-2.0 */
/* What became of messages: a line of JSON for each, and counters for Prometheus. */
#ifndef MILTER_AUDIT_H
#define MILTER_AUDIT_H

#include "base/buf.h"

/* As audit and metrics call it. */
enum outcome {
    OUTCOME_SIGNED,
    OUTCOME_ALREADY,  /* it was signed or encrypted */
    OUTCOME_SKIPPED,  /* by a rule: skip, bounce, list */
    OUTCOME_UNKNOWN,  /* no rule for the sender */
    OUTCOME_FOREIGN,  /* from a client that is neither local nor authenticated */
    OUTCOME_UNSIGNED, /* could not be signed, and need not be */
    OUTCOME_DEFERRED, /* could not be signed, and has to be */
    OUTCOME_REFUSED,  /* can never be signed, and has to be */
    OUTCOMES
};

struct audit {
    const char *queue_id, *client, *sender, *descriptor, *reason;
    se_status status; /* the error's, if the reason is its text; SE_OK: the reason is our own */
    unsigned version;
    enum outcome outcome;
    int64_t microseconds;
};

/* `path`: the log; standard output if it is NULL, or can't be opened later. */
SE_MUST_CHECK se_status audit_check(const char *path, se_error *err);
void audit_message(const char *path, const struct audit *audit);
/* What a vault's log calls the request that signs this thread's next message (struct se_event). */
void audit_note_request(const char *sent, const char *answered);
/* To standard output. */
void audit_event(const char *what, const char *why);

/* ---- counters ---- */

/* The configuration was loaded again, or could not be. */
void count_reload(bool done);
/* A connection of somebody who is no peer. */
void count_refused(void);

/* Something changed that metrics show. */
void metrics_touch(void);
/* Whether metrics have to be written: after a change, and every hour, since they count days. */
bool metrics_due(void);
void metrics_put(struct writer *w);

#endif
