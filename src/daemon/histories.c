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

struct chain_search {
    const char *name;
    bool found;
};

static bool compare_chain(void *arg, const se_history_chain *chain)
{
    struct chain_search *search = arg;

    search->found = strcmp(chain->name, search->name) == 0;
    return !search->found;
}

/* As far as the store can be read. */
static bool is_chain_missing(const struct history_setting *setting)
{
    struct chain_search search = { .name = setting->chain ? setting->chain : "default" };

    return !se_history_chains(setting->store, compare_chain, &search, NULL) && !search.found;
}

/* What fails is tried again by the next call. Nobody knows the chain so far: that it is not there
 * says no more than that nobody has made it. */
static se_status open_named(struct named_history *named, se_engine *engine, se_error *err)
{
    const struct history_setting *setting = named->setting;
    se_history_options options = SE_HISTORY_OPTIONS_INIT;
    se_error why = SE_ERROR_INIT;
    se_status st;

    options.chain = setting->chain;
    options.descriptor = setting->descriptor;
    if (named->history)
        return SE_OK;
    st = se_history_open(&named->history, engine, setting->store, &options, &why);
    if (st == SE_ERR_REJECTED && is_chain_missing(setting))
        return error_set(err, SE_ERR_NO_DESCRIPTOR, "its chain has not been made");
    /* what the settings say is no fault of the caller's */
    return st ? error_copy(err, st == SE_ERR_USAGE ? SE_ERR_CONFIG : st, &why) : SE_OK;
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
