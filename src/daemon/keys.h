/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys and which of their replicas are out of reach, as far as their last uses tell, when
 * certificates end, and which versions are current. */
#ifndef DAEMON_KEYS_H
#define DAEMON_KEYS_H

#include <signengine.h>

enum { KEY_EVENTS = SE_EVENT_KEY_SLOWED + 1 };

struct keys;

SE_MUST_CHECK se_status keys_new(struct keys **out, se_error *err);
void keys_free(struct keys *keys);

/* Notes the replicas of each key. */
SE_MUST_CHECK se_status keys_describe(struct keys *keys, se_engine *engine, se_error *err);

/* From se_options.event: logs what happens to keys, and looks at how operations end. */
void keys_hear(struct keys *keys, const se_event *event);

/* Likewise: that version of the descriptor is the current one. */
void keys_note_current(struct keys *keys, const char *descriptor, unsigned version);

/* Opens the key of every descriptor, and signs or decrypts something with it if one was out of
 * reach: an engine finds out that a key is back only when it is asked for it. */
void keys_check(struct keys *keys, se_engine *engine);

/* How many are out of reach in all their replicas. */
unsigned keys_count_lost(struct keys *keys);

/* ---- for metrics ---- */

/* Of a key that was looked at or used. */
struct key_state {
    const char *name;
    unsigned replica;
    bool up;
    bool avoided; /* its breaker is open: it is asked by one caller at a time, to see if it is back
                   */
    unsigned sessions;           /* of its token, after its last use; 0: none, or no token */
    uint64_t events[KEY_EVENTS]; /* how often, by enum se_event_kind */
};

struct certificate_state {
    const char *descriptor;
    unsigned version;
    int64_t not_after;
};

struct current_state {
    const char *descriptor;
    unsigned version;
};

/* All are quick: no key's state changes meanwhile. */
void keys_list(struct keys *keys, void (*fn)(void *arg, const struct key_state *state), void *arg);
void keys_list_certificates(struct keys *keys,
                            void (*fn)(void *arg, const struct certificate_state *state),
                            void *arg);
void keys_list_current(struct keys *keys, void (*fn)(void *arg, const struct current_state *state),
                       void *arg);

#endif
