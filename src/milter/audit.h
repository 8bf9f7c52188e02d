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
    se_status status; /* of the error that is the reason; SE_OK: the reason is a text of ours */
    unsigned version;
    enum outcome outcome;
    int64_t microseconds;
};

/* The log that lines go to; standard output if it is NULL, or can't be opened later. */
SE_MUST_CHECK se_status audit_check(const char *path, se_error *err);
void audit_message(const char *path, const struct audit *audit);
/* To standard output. */
void audit_event(const char *what, const char *why);

/* ---- counters ---- */

/* A configuration that was loaded after the first one, or could not be. */
void count_reload(bool done);
/* A connection of somebody who is no peer. */
void count_refused(void);

/* Something changed that metrics show. */
void metrics_touch(void);
/* Whether they have to be written: for a change, or every hour, since days pass by themselves. */
bool metrics_due(void);
void metrics_put(struct writer *w);

#endif
