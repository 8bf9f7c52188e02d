/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keys.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "daemon/log.h"

struct known_key {
    char *name;
    bool lost;
};

struct keys {
    pthread_mutex_t lock;
    struct known_key *list;
    size_t count, room;
};

/* Only a status of the store, or of a key in it; what was wrong with a request says nothing about
 * the key. */
static bool is_loss(se_status st)
{
    return st == SE_ERR_UNAVAILABLE || st == SE_ERR_STORE || st == SE_ERR_ACCESS ||
           st == SE_ERR_KEY;
}

/* NULL: out of memory. Under the lock. */
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

/* Whether that is news. */
static bool set_lost(struct keys *keys, const char *name, bool lost)
{
    struct known_key *key;
    bool changed = false;

    pthread_mutex_lock(&keys->lock);
    if ((key = find_key(keys, name))) {
        changed = key->lost != lost;
        key->lost = lost;
    }
    pthread_mutex_unlock(&keys->lock);
    return changed;
}

static void note_status(struct keys *keys, const char *name, se_status status, const char *why)
{
    if (!*name)
        return;
    if (!status && set_lost(keys, name, false))
        log_line("key '%s' is back", name);
    if (is_loss(status) && set_lost(keys, name, true))
        log_line("key '%s' is out of reach: %s", name, why);
}

void keys_hear(struct keys *keys, const se_event *event)
{
    if (event->kind == SE_EVENT_OPERATION)
        note_status(keys, event->key, event->status, event->text);
    else
        log_line("key '%s' replica %u: %s%s%s", event->key, event->replica,
                 se_event_name(event->kind), *event->text ? ": " : "", event->text);
}

static void note_row(void *arg, const se_check_row *row)
{
    note_status(arg, row->key, row->status, row->text);
}

void keys_check(struct keys *keys, se_engine *engine)
{
    se_check_options options = SE_CHECK_OPTIONS_INIT;

    options.probe = keys_count_lost(keys) > 0;
    options.days = -1;
    (void)!se_check(engine, note_row, keys, &options, NULL);
}

unsigned keys_count_lost(struct keys *keys)
{
    unsigned lost = 0;

    pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i < keys->count; i++)
        lost += keys->list[i].lost;
    pthread_mutex_unlock(&keys->lock);
    return lost;
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
    for (size_t i = 0; i < keys->count; i++)
        free(keys->list[i].name);
    pthread_mutex_destroy(&keys->lock);
    free(keys->list);
    free(keys);
}
