/* SPDX-License-Identifier: Apache-2.0 */
/* What became of messages: an audit record for each, and counters for Prometheus. What else
 * happens: a line of JSON on standard output. */
#ifndef MILTER_REPORT_H
#define MILTER_REPORT_H

#include "audit/audit.h"

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

struct report {
    const char *queue_id, *client, *sender, *descriptor, *reason, *config;
    se_status status; /* the error's, if the reason is its text; SE_OK: the reason is our own */
    unsigned version;
    enum outcome outcome;
    int64_t microseconds;
    bool reserved; /* there is room for it (audit_reserve()) */
};

/* Records the message and counts it. One that a required sink does not take has the outcome
 * `deferred` then; *err says why. */
void report_message(struct audit *audit, struct report *report, se_error *err);
/* What signs this thread's next message. */
void report_note_event(const se_event *event);

/* To standard output. */
void report_event(const char *what, const char *why);
/* The same, and a record of the service itself: "start", "reload", ... `audit` may be NULL. */
void report_change(struct audit *audit, const char *operation, const char *result, const char *what,
                   const char *why);

/* ---- counters ---- */

/* The configuration was loaded again, or could not be. */
void count_reload(bool done);
/* A connection of somebody who is no peer. */
void count_refused(void);

/* Something changed that metrics show. */
void metrics_touch(void);
/* Whether metrics have to be written: after a change. */
bool metrics_due(void);
void metrics_put(struct writer *w);

#endif
