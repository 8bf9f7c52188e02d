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
    struct watch watch;
    unsigned users;
};

struct service {
    const char *path; /* of milter.conf */
    struct setup *setup;
    unsigned busy; /* messages under way */
    bool stopping; /* no more messages */
};
extern struct service service;

SE_MUST_CHECK se_status service_load(se_error *err);
struct setup *service_enter(void);
void service_leave(struct setup *setup);

/* Writes the metrics to the configured file, if there is something new. */
void service_write_metrics(void);

#endif
