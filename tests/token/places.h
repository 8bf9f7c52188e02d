/* SPDX-License-Identifier: Apache-2.0 */
/* An engine whose key is in two tokens and a file, and what it tells of them. */
#ifndef TESTS_TOKEN_PLACES_H
#define TESTS_TOKEN_PLACES_H

#include <pthread.h>

#include "tests/token/fixture.h"

extern struct faults *faults; /* of the first token's module, a shim */
extern struct shim *shim;

/* Group setup: the fixture with tokens `one` and `two` and the file k.p12, which hold the key `k`;
 * `two` has another one, `stranger`. */
int places_fill(void **state);

/* '@' is the fixture's folder. */
#define FIRST                                                                                      \
    "<type name='HSM' locationValue='@first.so' tokenLabel='one' alias='k' pin='" PIN "'/>"
#define RETURNING                                                                                  \
    "<type name='HSM' locationValue='@first.so' tokenLabel='one' alias='k' pin='" PIN              \
    "' failback='true'/>"
#define HANGING                                                                                    \
    "<type name='HSM' locationValue='@first.so' tokenLabel='one' alias='k' pin='" PIN              \
    "' deadline='1'/>"
#define WRONG_PIN                                                                                  \
    "<type name='HSM' locationValue='@first.so' tokenLabel='one' alias='k' pin='4321'/>"
#define SECOND                                                                                     \
    "\n<type name='HSM' locationValue='@second.so' tokenLabel='two' alias='k' pin='" PIN "'/>"
#define STRANGER                                                                                   \
    "\n<type name='HSM' locationValue='@second.so' tokenLabel='two' alias='stranger' pin='" PIN    \
    "'/>"
#define IN_FILE "\n<type name='pkcs12' locationValue='@k.p12' pin='" PIN "'/>"
#define NO_FILE "\n<type name='pkcs12' locationValue='@late.p12' pin='" PIN "'/>"

/* engine.xml, whose key 'k' has these replicas, the first of them on line 4; with the shim, nothing
 * is wrong. */
void configure(const char *replicas);
/* The same with other descriptors than 'Files', on one line. */
void configure_for(const char *descriptors, const char *replicas);

/* What the engine told: changes of state as "REPLICA KIND, ", and how operations ended. */
extern struct told {
    pthread_mutex_t lock;
    char changes[1000];
    char why[1000]; /* text of the last change that had one */
    unsigned good, bad;
    unsigned signer; /* replica that signed last */
} told;

/* Exactly these since the last time. */
void assert_told(const char *changes);

se_engine *engine_with(const char *replicas);

/* Signs and verifies. */
se_status sign(se_engine *engine, se_error *err);
void signs(se_engine *engine);

/* Whether the first replica is what signs; waits until it is. */
bool first_signs(se_engine *engine);
void first_returns(se_engine *engine);

/* What the first token answers to everything. */
void set_away(CK_RV rv);

void assert_says(const se_error *err, const char *text);

#endif
