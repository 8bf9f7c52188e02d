#include <stdlib.h>

#include "engine/engine.h"
#include "engine/replicas.h"

se_status key_slots_new(struct slot **out, size_t count, se_error *err)
{
    *out = calloc(count ? count : 1, sizeof **out);
    if (!*out)
        return error_memory(err);
    for (size_t i = 0; i < count; i++)
        pthread_mutex_init(&(*out)[i].lock, NULL);
    return SE_OK;
}

void key_slots_free(struct slot *slots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t part = 0; part < PART_COUNT; part++)
            key_unref(slots[i].keys[part]);
        pthread_mutex_destroy(&slots[i].lock);
    }
    free(slots);
}

static se_status open_first(struct key **out, const struct key_entry *entry, enum key_part part, se_error *err)
{
    se_error first = SE_ERROR_INIT;

    for (size_t i = 0; i < entry->count; i++) {
        se_error failure = SE_ERROR_INIT;
        se_status st = store_open(out, &entry->replicas[i], part, &failure);

        if (!st)
            return SE_OK;
        if (!first.status || !replica_may_mend(st))
            first = failure;
        if (!replica_may_mend(st))
            break;
    }
    return error_set_at(err, first.status, first.file, first.line, "%s", first.text);
}

/* One certificate is as good as another, but a private key is worth all its replicas. */
static se_status open_entry(struct key **out, const struct key_entry *entry, enum key_part part, se_error *err)
{
    if (part == PART_CERTIFICATE || entry->count == 1)
        return open_first(out, entry, part, err);
    return replicas_open(out, entry, part, err);
}

/* A key opened in full serves for its certificate too. */
static struct key **place(struct slot *slot, enum key_part part)
{
    for (size_t full = PART_SIGN; part == PART_CERTIFICATE && full < PART_COUNT; full++)
        if (slot->keys[full])
            return &slot->keys[full];
    return &slot->keys[part];
}

se_status slot_open(struct key **out, se_engine *engine, const struct key_entry *entry, enum key_part part, se_error *err)
{
    struct slot *slot = &engine->slots[entry - engine->config->keys];
    struct key **kept;
    se_status st = SE_OK;

    *out = NULL;
    pthread_mutex_lock(&slot->lock);
    kept = place(slot, part);
    if (!*kept)
        st = open_entry(kept, entry, part, err);
    if (!st)
        *out = key_ref(*kept);
    pthread_mutex_unlock(&slot->lock);
    return st;
}
