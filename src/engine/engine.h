/* The engine: a loaded configuration and the keys that have been opened so far. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <pthread.h>

#include "base/stream.h"
#include "config/config.h"
#include "crypto/key.h"
#include "engine/event.h"
#include "keystore/keystore.h"

/* How often it failed, and how the last time. */
struct opening {
    unsigned failures;
    se_error failure;
};

/* One <key>: opened when a job first needs it.  The lock is held while a store opens it, so that it
 * is opened once. */
struct slot {
    pthread_mutex_t lock;
    pid_t process; /* that the lock belongs to */
    struct opening openings[PART_COUNT];
    struct key *keys[PART_COUNT]; /* by what they were opened for */
    struct reporter *reporters;   /* one for each replica */
};

struct se_engine {
    struct config *config;
    struct slot *slots;          /* one for each of config->keys */
    struct data_keys **memories; /* one for each of config->descriptors; NULL until it is needed */
    struct events events;
};

/* The key of `entry`, from the first replica that answers; released with key_unref(). */
SE_MUST_CHECK se_status slot_open(struct key **out, se_engine *engine,
                                  const struct key_entry *entry, enum key_part part, se_error *err);
SE_MUST_CHECK se_status key_slots_new(struct slot **out, const struct config *config,
                                      const struct events *events, se_error *err);
void key_slots_free(struct slot *slots, size_t count);

/* What the caller's params say; NULL: the defaults.  SE_ERR_USAGE: from another time, or nonsense.
 */
SE_MUST_CHECK se_status sign_params_read(se_sign_params *out, const se_sign_params *params,
                                         se_error *err);
SE_MUST_CHECK se_status verify_params_read(se_verify_params *out, const se_verify_params *params,
                                           se_error *err);

/* What is signed with the descriptor, or verified. */
enum purpose purpose_of(se_purpose stated, const struct descriptor *descriptor);

/* SE_ERR_POLICY: what the descriptor's use asks of its key's certificate, which now it does not
 * keep. */
SE_MUST_CHECK se_status key_allowed(struct key *key, const struct descriptor *descriptor,
                                    se_error *err);

/* The signature algorithm of `descriptor` with that key; SE_ERR_POLICY: it is not for signatures,
 * or not with such a key. */
SE_MUST_CHECK se_status signing_algorithm(const struct algorithm **out,
                                          const struct descriptor *descriptor, const EVP_PKEY *key,
                                          se_error *err);

/* SE_ERR_POLICY: its algorithm is not that of containers. */
SE_MUST_CHECK se_status container_form(const struct descriptor *descriptor, se_error *err);

/* "descriptor 'NAME': key 'NAME': " in front of what is there. */
se_status blame(se_error *err, const struct descriptor *descriptor);

int64_t now(void);

#endif
