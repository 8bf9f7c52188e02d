/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: a loaded configuration and what has been opened and kept for it so far. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <pthread.h>

#include "base/stream.h"
#include "config/files.h"
#include "config/versions.h"
#include "crypto/key.h"
#include "engine/event.h"
#include "keystore/keystore.h"

struct engine {
    struct config *config;
    struct cached_key *key_cache;            /* one for each of config->keys */
    struct data_key_cache **data_key_caches; /* one for each of config->descriptors; NULL until it
                                                is needed */
    struct known_version *known_versions;    /* one for each of config->descriptors */
    struct events events;
    unsigned char files[FILES_HASH]; /* of what it was loaded from, if that is watched */

    /* under fork_lock_take() */
    size_t handles, calls; /* that have it */
    unsigned process;      /* whose calls are counted, by fork_generation() */
};

/* What the application has.  se_reload() puts another engine in the place of the current one, which
 * goes with the last call that has it. */
struct se_engine {
    struct engine *current; /* under fork_lock_take() */
    struct loader *loader;  /* NULL: it stays as it is, see se_hold() */
};

/* The current one, which stays as long as the call that uses it; engine_leave() accepts NULL. */
struct engine *engine_enter(se_engine *engine);
void engine_leave(struct engine *engine);
AUTO_KIND(engine, struct engine *, engine_leave(*p))

/* Gives it to `handle`; returns the one that it had, for engine_let_go(), which accepts NULL. */
struct engine *engine_replace(se_engine *handle, struct engine *engine);
void engine_let_go(struct engine *engine);

/* Of one that nobody has; accepts NULL. */
void engine_free(struct engine *engine);
AUTO_KIND(free_engine, struct engine *, engine_free(*p))

/* ---- key_cache.c ---- */

/* The key of `entry`, from the first replica that answers; released with key_unref(). */
SE_MUST_CHECK se_status key_cache_open(struct key **out, struct engine *engine,
                                       const struct key_entry *entry, enum key_part part,
                                       se_error *err);
SE_MUST_CHECK se_status key_cache_new(struct cached_key **out, const struct config *config,
                                      const struct events *events, se_error *err);
void key_cache_free(struct cached_key *keys, size_t count);

/*
 * Opens the keys that `old` has opened, before it lets go of them.  One that is used by new jobs
 * has to open, unless its store is away: what works is not given up for what doesn't.
 */
SE_MUST_CHECK se_status key_cache_follow(struct engine *engine, struct engine *old, se_error *err);

/* ---- current_version.c ---- */

SE_MUST_CHECK se_status known_versions_new(struct known_version **out, const struct config *config,
                                           se_error *err);

/* config_version() for a job: the first under another current version than before tells it. */
SE_MUST_CHECK se_status engine_choose_version(const struct descriptor **out,
                                              const struct engine *engine, const char *name,
                                              const struct version_wish *wish, se_error *err);

/* What `old` has noticed, and which versions came to be known too late; these are reported by the
 * second. */
void known_versions_follow(struct engine *engine, const struct engine *old);
void known_versions_report(const struct engine *engine, const struct engine *old);

/* Others have used that version before this process knew it, which was less than a day ago. */
bool is_version_late(const struct engine *engine, const struct descriptor *d);

/* ---- what every job begins with ---- */

/* SE_ERR_POLICY: the key's certificate does not keep the rules of the descriptor's use now. */
SE_MUST_CHECK se_status key_check_rules(struct key *key, const struct descriptor *descriptor,
                                        se_error *err);

/*
 * `refusal`: another descriptor has the same public key, for what must not be mixed with what this
 * one has. Other statuses: that can't be known, for want of another key's certificate. `key` has
 * the certificate of `descriptor`.
 */
SE_MUST_CHECK se_status key_check_sharing(struct engine *engine,
                                          const struct descriptor *descriptor,
                                          const struct key *key, se_status refusal, se_error *err);

/*
 * What `descriptor` signs with that key: as CMS, XML and raw signatures call it, as JWS does, which
 * has one digest for each curve (RFC 7518, 3.4), and the one of the two that the descriptor is made
 * for.  SE_ERR_POLICY: it is not for such signatures, or not with such a key.
 */
typedef se_status key_algorithm_fn(const struct algorithm **out,
                                   const struct descriptor *descriptor, const EVP_PKEY *key,
                                   se_error *err);
SE_MUST_CHECK key_algorithm_fn key_signing_algorithm, key_jws_algorithm, key_own_algorithm;

/* What is signed with the descriptor, or verified. */
enum purpose purpose_choose(se_purpose stated, const struct descriptor *descriptor);

/* Checks what signing and verifying have in common; *time 0 becomes now. */
SE_MUST_CHECK se_status job_params_check(se_purpose purpose, int64_t *time, se_error *err);

/* Puts "descriptor 'NAME': key 'NAME': " in front of what is there. */
se_status error_blame_key(se_error *err, se_status status, const struct descriptor *descriptor);

/* ---- container.c ---- */

/* SE_ERR_POLICY: the descriptor's algorithm is not that of containers. */
SE_MUST_CHECK se_status container_check_algorithm(const struct descriptor *descriptor,
                                                  se_error *err);

#endif
