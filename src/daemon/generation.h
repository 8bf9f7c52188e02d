/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One loading of the configuration: engine, access, histories. A reload puts another in its place;
 * whoever has one goes on with it, and the last to leave closes it.
 */
#ifndef DAEMON_GENERATION_H
#define DAEMON_GENERATION_H

#include "audit/audit.h"
#include "daemon/histories.h"
#include "daemon/keys.h"
#include "daemon/settings.h"

enum { CONFIG_DIGITS = 12 };

struct generation {
    struct settings *settings;
    se_engine *engine;
    se_access *access;
    struct histories *histories;
    struct tls *tls; /* NULL: no callers of a network */
    struct keys *keys;
    char config[CONFIG_DIGITS + 1]; /* the first digits of its fingerprint */
    bool allows;                    /* there is a row in <access> */
    struct audit *audit;            /* of what its engine notices; NULL: none */
    unsigned users;
    struct generation *next; /* of those that nobody uses any more */
};

/* The current one, and a thread that looks at its keys and closes what was before. */
struct generations;

SE_MUST_CHECK se_status generations_new(struct generations **out, struct audit *audit,
                                        se_error *err);
void generations_free(struct generations *generations);

/* Loads `settings`, which it takes over, well or not, and what they name, and makes that the
 * current one, once it has opened the keys that the old one has open. After a failure the old one
 * stays. */
SE_MUST_CHECK se_status generations_load(struct generations *generations,
                                         struct settings **settings, se_error *err);

/* NULL: none has been loaded. */
struct generation *generation_enter(struct generations *generations);
void generation_leave(struct generations *generations, struct generation *generation);

/* Loads all, and does nothing with it: what --check does. */
SE_MUST_CHECK se_status generation_try(struct settings **settings, se_error *err);

#endif
