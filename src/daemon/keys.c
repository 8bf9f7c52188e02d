/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keys.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "base/text.h"
#include "daemon/log.h"

struct known_replica {
    bool lost; /* as events tell */
    unsigned sessions;
    uint64_t events[KEY_EVENTS];
};

struct known_key {
    char *name;
    bool lost; /* as operations tell: no replica did what was asked */
    bool seen; /* it belongs to a descriptor, or was used */
    struct known_replica *replicas;
    size_t count, room;
};

struct known_certificate {
    char *descriptor;
    unsigned version;
    int64_t not_after;
};

struct known_current {
    char *descriptor;
    unsigned version;
};

struct keys {
    pthread_mutex_t lock;
    struct known_key *list;
    size_t count, room;
    struct known_certificate *certificates;
    size_t certificate_count, certificate_room;
    struct known_current *currents;
    size_t current_count, current_room;
};

/* ---- what is known; the lock is held ---- */

/* NULL: out of memory. */
static struct known_key *find_key(struct keys *keys, const char *name)
{
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->list[i].name, name) == 0)
            return &keys->list[i];
    if (!array_grow(&keys->list, &keys->room, keys->count) ||
        !(keys->list[keys->count].name = strdup(name)))
        return NULL;
    return &keys->list[keys->count++];
}

/* Likewise. They are counted from 1. */
static struct known_replica *find_replica(struct known_key *key, unsigned number)
{
    while (key->count < number) {
        if (!array_grow(&key->replicas, &key->room, key->count))
            return NULL;
        key->count++;
    }
    return number ? &key->replicas[number - 1] : NULL;
}

static bool is_lost(const struct known_key *key)
{
    bool one_is_there = !key->count;

    for (size_t i = 0; i < key->count; i++)
        one_is_there |= !key->replicas[i].lost;
    return key->lost || !one_is_there;
}

/* Whatever did it, one replica can; which one, is known only if there are no others. */
static void note_success(struct known_key *key, unsigned replica)
{
    struct known_replica *used = find_replica(key, key->count > 1 ? replica : 1);

    key->lost = false;
    if (used)
        used->lost = false;
    for (size_t i = 0; is_lost(key) && i < key->count; i++)
        key->replicas[i].lost = false;
}

/* ---- how operations end ---- */

/* Only a status of the store, or of a key in it; what was wrong with a request says nothing about
 * the key. */
static bool is_loss(se_status st)
{
    return st == SE_ERR_UNAVAILABLE || st == SE_ERR_STORE || st == SE_ERR_ACCESS ||
           st == SE_ERR_KEY;
}

struct outcome {
    const char *key;
    unsigned replica; /* 0: not known */
    se_status status;
    unsigned sessions;
    bool proves; /* a success shows that the private key is in reach */
    const char *why;
};

static void note_sessions(struct known_key *key, const struct outcome *outcome)
{
    struct known_replica *used = outcome->sessions ? find_replica(key, outcome->replica) : NULL;

    if (used)
        used->sessions = outcome->sessions;
}

/* What is news is told. */
static void note_outcome(struct keys *keys, const struct outcome *outcome)
{
    const bool lost = is_loss(outcome->status), back = outcome->proves && !outcome->status;
    struct known_key *key;
    bool was_lost = lost;

    if (!*outcome->key)
        return;
    pthread_mutex_lock(&keys->lock);
    if ((key = find_key(keys, outcome->key))) {
        key->seen = true;
        was_lost = is_lost(key);
        key->lost |= lost;
        note_sessions(key, outcome);
        if (back)
            note_success(key, outcome->replica);
    }
    pthread_mutex_unlock(&keys->lock);
    if (lost && !was_lost)
        log_line("key '%s' is out of reach: %s", outcome->key, outcome->why);
    if (back && was_lost)
        log_line("key '%s' is back", outcome->key);
}

/* Verifying and encrypting need a certificate only, and what decrypts may remember a data key. */
static bool needs_private_key(const char *operation)
{
    return strcmp(operation, "sign") == 0 || strcmp(operation, "zip sign") == 0 ||
           strcmp(operation, "jws sign") == 0;
}

static void note_event(struct keys *keys, const se_event *event)
{
    struct known_replica *replica = NULL;
    struct known_key *key;

    pthread_mutex_lock(&keys->lock);
    if ((key = find_key(keys, event->key)))
        replica = find_replica(key, event->replica);
    if (replica) {
        key->seen = true;
        replica->events[event->kind]++;
        if (event->kind == SE_EVENT_KEY_LOST) {
            replica->lost = true;
            replica->sessions = 0;
        } else if (event->kind == SE_EVENT_KEY_HEALED)
            replica->lost = false;
    }
    pthread_mutex_unlock(&keys->lock);
    log_line("key '%s' replica %u: %s%s%s", event->key, event->replica, se_event_name(event->kind),
             *event->text ? ": " : "", event->text);
}

void keys_hear(struct keys *keys, const se_event *event)
{
    const struct outcome outcome = {
        .key = event->key,
        .replica = event->replica,
        .status = event->status,
        .sessions = event->sessions,
        .proves = needs_private_key(event->operation),
        .why = event->text,
    };

    if (event->kind == SE_EVENT_OPERATION)
        note_outcome(keys, &outcome);
    else
        note_event(keys, event);
}

/* ---- looking at all of them ---- */

static void note_certificate(struct keys *keys, const se_check_row *row)
{
    struct known_certificate *c = keys->certificates;
    size_t left = keys->certificate_count;

    while (left && (c->version != row->version || strcmp(c->descriptor, row->descriptor) != 0)) {
        c++;
        left--;
    }
    if (!left) {
        if (!array_grow(&keys->certificates, &keys->certificate_room, keys->certificate_count))
            return;
        c = &keys->certificates[keys->certificate_count];
        if (!(c->descriptor = strdup(row->descriptor)))
            return;
        keys->certificate_count++;
        c->version = row->version;
    }
    c->not_after = row->not_after;
}

/* NULL: out of memory. */
static struct known_current *find_current(struct keys *keys, const char *descriptor)
{
    for (size_t i = 0; i < keys->current_count; i++)
        if (strcmp(keys->currents[i].descriptor, descriptor) == 0)
            return &keys->currents[i];
    if (!array_grow(&keys->currents, &keys->current_room, keys->current_count) ||
        !(keys->currents[keys->current_count].descriptor = strdup(descriptor)))
        return NULL;
    return &keys->currents[keys->current_count++];
}

void keys_note_current(struct keys *keys, const char *descriptor, unsigned version)
{
    struct known_current *current;

    pthread_mutex_lock(&keys->lock);
    if ((current = find_current(keys, descriptor)))
        current->version = version;
    pthread_mutex_unlock(&keys->lock);
}

struct look {
    struct keys *keys;
    bool probes;
};

static void note_row(void *arg, const se_check_row *row)
{
    const struct look *look = arg;
    const struct outcome outcome = {
        .key = row->key,
        .status = row->status,
        .proves = look->probes,
        .why = row->text,
    };

    note_outcome(look->keys, &outcome);
    pthread_mutex_lock(&look->keys->lock);
    if (row->not_after)
        note_certificate(look->keys, row);
    pthread_mutex_unlock(&look->keys->lock);
    if (row->state == SE_VERSION_CURRENT)
        keys_note_current(look->keys, row->descriptor, row->version);
}

void keys_check(struct keys *keys, se_engine *engine)
{
    struct look look = { keys, keys_count_lost(keys) > 0 };
    se_check_options options = SE_CHECK_OPTIONS_INIT;

    options.probe = look.probes;
    options.days = -1;
    (void)!se_check(engine, note_row, &look, &options, NULL);
}

unsigned keys_count_lost(struct keys *keys)
{
    unsigned lost = 0;

    pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i < keys->count; i++)
        lost += keys->list[i].seen && is_lost(&keys->list[i]);
    pthread_mutex_unlock(&keys->lock);
    return lost;
}

/* ---- for metrics ---- */

static void list_replicas(const struct known_key *key,
                          void (*fn)(void *arg, const struct key_state *state), void *arg)
{
    struct key_state state = { .name = key->name };

    for (size_t i = 0; i < key->count; i++) {
        state.replica = (unsigned)i + 1;
        state.up = !key->lost && !key->replicas[i].lost;
        state.avoided = key->replicas[i].lost;
        state.sessions = key->replicas[i].sessions;
        memcpy(state.events, key->replicas[i].events, sizeof state.events);
        fn(arg, &state);
    }
}

void keys_list(struct keys *keys, void (*fn)(void *arg, const struct key_state *state), void *arg)
{
    pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i < keys->count; i++)
        if (keys->list[i].seen)
            list_replicas(&keys->list[i], fn, arg);
    pthread_mutex_unlock(&keys->lock);
}

void keys_list_certificates(struct keys *keys,
                            void (*fn)(void *arg, const struct certificate_state *state), void *arg)
{
    pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i < keys->certificate_count; i++) {
        const struct known_certificate *c = &keys->certificates[i];

        fn(arg, &(struct certificate_state){ c->descriptor, c->version, c->not_after });
    }
    pthread_mutex_unlock(&keys->lock);
}

void keys_list_current(struct keys *keys, void (*fn)(void *arg, const struct current_state *state),
                       void *arg)
{
    pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i < keys->current_count; i++) {
        const struct known_current *c = &keys->currents[i];

        fn(arg, &(struct current_state){ c->descriptor, c->version });
    }
    pthread_mutex_unlock(&keys->lock);
}

/* ---- begin and end ---- */

struct description {
    struct keys *keys;
    bool failed; /* out of memory */
};

/* `item` is "key NAME" or "key NAME replica N", with a name that may have blanks. */
static void note_item(void *arg, const char *item, const char *unused, const char *value)
{
    struct description *d = arg;
    char *name = text_starts(item, "key ") ? strdup(item + strlen("key ")) : NULL;
    unsigned long number = 1;
    struct known_key *key;
    char *mark = NULL;

    (void)unused;
    (void)value;
    if (!text_starts(item, "key "))
        return;
    for (char *next = name; next && (next = strstr(next, " replica ")); next++)
        mark = next;
    if (mark && text_number(&number, mark + strlen(" replica "), UINT_MAX))
        *mark = '\0';
    key = name ? find_key(d->keys, name) : NULL;
    d->failed |= !key || !find_replica(key, (unsigned)number);
    free(name);
}

se_status keys_describe(struct keys *keys, se_engine *engine, se_error *err)
{
    struct description d = { keys, false };

    TRY(se_describe(engine, note_item, &d, err));
    return d.failed ? error_memory(err) : SE_OK;
}

se_status keys_new(struct keys **out, se_error *err)
{
    if (!(*out = calloc(1, sizeof **out)))
        return error_memory(err);
    pthread_mutex_init(&(*out)->lock, NULL);
    return SE_OK;
}

void keys_free(struct keys *keys)
{
    if (!keys)
        return;
    for (size_t i = 0; i < keys->count; i++) {
        free(keys->list[i].name);
        free(keys->list[i].replicas);
    }
    for (size_t i = 0; i < keys->certificate_count; i++)
        free(keys->certificates[i].descriptor);
    for (size_t i = 0; i < keys->current_count; i++)
        free(keys->currents[i].descriptor);
    pthread_mutex_destroy(&keys->lock);
    free(keys->currents);
    free(keys->certificates);
    free(keys->list);
    free(keys);
}
