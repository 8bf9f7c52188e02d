/* What all connections share: the configuration with its engine, exchanged while mail is under way;
 * and counters. */
#ifndef MILTER_SERVICE_H
#define MILTER_SERVICE_H

#include <pthread.h>

#include "milter/watch.h"

/* One loading of the configuration; counted. */
struct setup {
    struct conf *conf;
    se_engine *engine;
    struct watch watch;
    unsigned users;
};

/* What became of a message, as audit and metrics call it. */
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
const char *outcome_name(enum outcome outcome);

/* How often, and why, as far as there is a reason. */
struct reason {
    enum outcome outcome;
    const char *text; /* static */
    uint64_t count;
};
enum { REASONS_MOST = 64 };

struct audit {
    const char *queue_id, *client, *sender, *descriptor, *reason;
    se_status status; /* of an error that `reason` tells; SE_OK: it is a text of ours */
    unsigned version;
    enum outcome outcome;
    int64_t microseconds;
};

struct service {
    const char *path; /* of milter.conf */
    pthread_mutex_t lock;
    struct setup *setup;
    uint64_t counts[OUTCOMES], microseconds, reloads, reload_failures,
        refused; /* `refused`: connections */
    struct reason reasons[REASONS_MOST];
    unsigned busy; /* messages under way */
    bool changed;  /* since the metrics were written */
    bool stopping; /* no more messages */
};
extern struct service service;

SE_MUST_CHECK se_status service_load(se_error *err);
struct setup *service_enter(void);
void service_leave(struct setup *setup);

/* A line of JSON, and the counters. */
void service_audit(const struct setup *setup, const struct audit *audit);
void service_log(const char *what, const char *text);
/* Counts a connection of somebody who is no peer. */
void service_refused(void);
/* To the file that the configuration says, if there is something new. */
void service_metrics(void);

#endif
