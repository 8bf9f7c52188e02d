/* SPDX-License-Identifier: Apache-2.0 */
/* What all connections share: the configuration with its engine, exchanged while mail is under
 * way. */
#ifndef MILTER_SERVICE_H
#define MILTER_SERVICE_H

#include "milter/watch.h"

/* One loading of the configuration; counted. */
struct setup {
    struct conf *conf;
    se_engine *engine;
    se_engine *watching; /* does nothing but notice that `engine` has to be loaded again */
    char config[13];     /* the beginning of its fingerprint */
    struct audit *audit;
    struct watch watch;
    unsigned users;
};

struct service {
    const char *path; /* of milter.conf */
    struct setup *setup;
    unsigned busy; /* messages under way */
    bool stopping; /* no more messages */
    bool changed;  /* atomic: the files of the engine, since it was loaded */
    bool watches;  /* whoever loads it watches its files */
};
extern struct service service;

SE_MUST_CHECK se_status service_load(se_error *err);
/* Where changes of the service are recorded; NULL: nowhere, since standard output tells of them. */
struct audit *setup_changes(const struct setup *setup);

/* From now on changes of the engine's files are noticed: until the end, for which no thread may be
 * left. */
SE_MUST_CHECK se_status service_watch(se_error *err);
void service_end_watch(void);

/* That `setup` goes on, though it should be replaced. */
void service_report_refusal(const struct setup *setup, const char *why);

/* Waits until the audit is written, once no message is under way. */
void service_end_audit(void);

struct setup *service_enter(void);
void service_leave(struct setup *setup);

/* Writes the metrics to the configured file, if there is something new. */
void service_write_metrics(void);

#endif
