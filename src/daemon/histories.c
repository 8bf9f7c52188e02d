/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/histories.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/buf.h"

/* Opening may wait for a database: who wants another history does not wait with it. */
struct named_history {
    const struct history_setting *setting;
    pthread_mutex_t lock;
    se_history *history; /* NULL: not opened yet */
};

struct histories {
    se_engine *engine;
    struct named_history *list;
    size_t count;
};

void histories_free(struct histories *histories)
{
    if (!histories)
        return;
    for (size_t i = 0; i < histories->count; i++) {
        se_history_close(&histories->list[i].history);
        pthread_mutex_destroy(&histories->list[i].lock);
    }
    free(histories->list);
    free(histories);
}
AUTO_KIND(histories, struct histories *, histories_free(*p))

se_status histories_new(struct histories **out, se_engine *engine,
                        const struct history_setting *settings, size_t count, se_error *err)
{
    AUTO(histories) histories = calloc(1, sizeof *histories);

    *out = NULL;
    if (!histories || !(histories->list = calloc(count + 1, sizeof *histories->list)))
        return error_memory(err);
    histories->engine = engine;
    for (size_t i = 0; i < count; i++) {
        histories->list[i] = (struct named_history){ .setting = &settings[i] };
        pthread_mutex_init(&histories->list[i].lock, NULL);
        histories->count++;
    }
    *out = MOVE(histories);
    return SE_OK;
}

static struct named_history *find_history(const struct histories *histories, const char *name)
{
    for (size_t i = 0; i < histories->count; i++)
        if (strcmp(histories->list[i].setting->name, name) == 0)
            return &histories->list[i];
    return NULL;
}

/* What fails is tried again by the next call. */
static se_status open_named(struct named_history *named, se_engine *engine, se_error *err)
{
    se_history_options options = SE_HISTORY_OPTIONS_INIT;

    options.chain = named->setting->chain;
    options.descriptor = named->setting->descriptor;
    return named->history
               ? SE_OK
               : se_history_open(&named->history, engine, named->setting->store, &options, err);
}

se_status histories_open(se_history **out, struct histories *histories, const char *name,
                         se_error *err)
{
    struct named_history *named = find_history(histories, name);
    se_status st;

    *out = NULL;
    if (!named)
        return error_set(err, SE_ERR_NO_DESCRIPTOR, "no history '%s' is in the settings", name);
    pthread_mutex_lock(&named->lock);
    st = open_named(named, histories->engine, err);
    *out = named->history;
    pthread_mutex_unlock(&named->lock);
    return st ? error_prefix(err, st, "history '%s': ", name) : SE_OK;
}
