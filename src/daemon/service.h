/* SPDX-License-Identifier: Apache-2.0 */
/* What all requests share. */
#ifndef DAEMON_SERVICE_H
#define DAEMON_SERVICE_H

#include "audit/audit.h"
#include "daemon/body.h"
#include "daemon/connections.h"
#include "daemon/generation.h"
#include "daemon/jobs.h"
#include "daemon/limits.h"
#include "daemon/uses.h"

enum { HTTP_STATUSES = 600 };

/* For metrics, beside uses; all atomic. */
struct counters {
    uint64_t answers[HTTP_STATUSES]; /* by status */
    uint64_t refusals, throttled;
    uint64_t strangers; /* handshakes and kept connections that ended for want of trust */
    uint64_t reloads, reload_failures;
};

struct service {
    const struct settings *settings; /* of the start */
    struct generations *generations;
    struct audit *audit;
    struct limits *limits;
    struct uses *uses;
    struct connections *connections;
    struct jobs *jobs;
    struct acceptor *acceptor;
    struct http *http;
    bool draining; /* atomic */
    struct spool spool;
    struct counters counters;
    int64_t started; /* seconds since 1970 */
};

/* Where the configuration is. */
struct service_files {
    const char *settings; /* signengined.conf */
    const char *config;   /* engineSignEncrypt.xml instead of the one that the settings name; NULL:
                             that one */
};

/* Loads the settings; the caller releases *out with settings_free(). */
SE_MUST_CHECK se_status service_read_settings(struct settings **out,
                                              const struct service_files *files, se_error *err);

/* Loads the configuration, at the start and again. After a failure all stays as it was. */
SE_MUST_CHECK se_status service_load(struct service *service, const struct service_files *files,
                                     se_error *err);

/*
 * Starts all threads, and takes connections from `listeners`, which are its own from then on. What
 * was started before a failure is ended by service_stop().
 */
struct listeners;
SE_MUST_CHECK se_status service_start(struct service *service, const struct settings *settings,
                                      const struct service_files *files,
                                      struct listeners *listeners, se_error *err);

/* Takes no more connections, and ends kept ones with their next answer. */
void service_drain(struct service *service);

/* Whether no request is under way. */
bool service_is_idle(const struct service *service);

/* Answers what still waits, ends all threads and releases all. False: a job hangs, or a record; the
 * process has to end by _exit(). */
bool service_stop(struct service *service);

/* A line of the audit about the service itself: "start", "reload", "stop". */
void service_note(struct service *service, const char *what, se_status status, const char *text);

/* Why it is not ready for requests; NULL: it is. */
const char *service_not_ready(const struct service *service);

static inline bool service_is_draining(const struct service *service)
{
    return __atomic_load_n(&service->draining, __ATOMIC_ACQUIRE);
}

static inline void count_one(uint64_t *counter)
{
    (void)__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

#endif
