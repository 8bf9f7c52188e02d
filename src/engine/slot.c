#include <stdlib.h>
#include <unistd.h>

#include "base/fork_lock.h"
#include "engine/engine.h"
#include "engine/replica.h"
#include "engine/replicas.h"

static bool slot_make(struct slot *slot, const struct key_entry *entry, const struct events *events)
{
    pthread_mutex_init(&slot->lock, NULL);
    slot->process = getpid();
    slot->reporters = calloc(entry->count, sizeof *slot->reporters);
    for (size_t i = 0; slot->reporters && i < entry->count; i++)
        reporter_set(&slot->reporters[i], events, entry, i);
    return slot->reporters;
}

se_status key_slots_new(struct slot **out, const struct config *config, const struct events *events,
                        se_error *err)
{
    bool made = (*out = calloc(config->key_count ? config->key_count : 1, sizeof **out));

    for (size_t i = 0; *out && i < config->key_count; i++)
        made = slot_make(&(*out)[i], &config->keys[i], events) && made;
    return made ? SE_OK : error_memory(err);
}

void key_slots_free(struct slot *slots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t part = 0; part < PART_COUNT; part++)
            key_unref(slots[i].keys[part]);
        free(slots[i].reporters);
        pthread_mutex_destroy(&slots[i].lock);
    }
    free(slots);
}

static se_status open_first(struct key **out, const struct key_entry *entry, enum key_part part,
                            const struct reporter *reporters, se_error *err)
{
    se_error first = SE_ERROR_INIT;

    for (size_t i = 0; i < entry->count; i++) {
        se_error failure = SE_ERROR_INIT;
        se_status st = store_open(out, &entry->replicas[i], part, &reporters[i].watch, &failure);

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
static se_status open_entry(struct key **out, const struct key_entry *entry, enum key_part part,
                            const struct reporter *reporters, se_error *err)
{
    if (part <= PART_ENCRYPT || entry->count == 1)
        return open_first(out, entry, part, reporters, err);
    return replicas_open(out, entry, part, reporters, err);
}

/* A key opened for more serves for its certificate too: any for verifying, one that may decrypt for
 * encrypting. */
static bool serves_for(enum key_part part, enum key_part opened)
{
    return opened == part || part == PART_CERTIFICATE ||
           (part == PART_ENCRYPT && opened == PART_DECRYPT);
}

static struct key **place(struct slot *slot, enum key_part part)
{
    for (size_t opened = 0; opened < PART_COUNT; opened++)
        if (slot->keys[opened] && serves_for(part, (enum key_part)opened))
            return &slot->keys[opened];
    return &slot->keys[part];
}

/* Who waited while another caller failed to open the key does not try in turn: each might wait as
 * long as all before it. */
static se_status open_slot(struct slot *slot, unsigned seen, const struct key_entry *entry,
                           enum key_part part, se_error *err)
{
    struct opening *opening = &slot->openings[part];
    const se_error *failure = &opening->failure;

    if (opening->failures == seen) {
        opening->failure = (se_error)SE_ERROR_INIT;
        if (!open_entry(&slot->keys[part], entry, part, slot->reporters, &opening->failure))
            return SE_OK;
        __atomic_add_fetch(&opening->failures, 1, __ATOMIC_RELAXED);
    }
    return error_set_at(err, failure->status, failure->file, failure->line, "%s", failure->text);
}

/* In the child of a fork, a thread that it does not have may hold the lock for ever. */
static void adopt(struct slot *slot, pid_t process)
{
    fork_lock_take();
    if (slot->process != process)
        pthread_mutex_init(&slot->lock, NULL);
    __atomic_store_n(&slot->process, process, __ATOMIC_RELEASE);
    fork_lock_give();
}

static void lock(struct slot *slot)
{
    pid_t process = getpid();

    if (__atomic_load_n(&slot->process, __ATOMIC_ACQUIRE) != process)
        adopt(slot, process);
    pthread_mutex_lock(&slot->lock);
}

se_status slot_open(struct key **out, se_engine *engine, const struct key_entry *entry,
                    enum key_part part, se_error *err)
{
    struct slot *slot = &engine->slots[entry - engine->config->keys];
    unsigned seen = __atomic_load_n(&slot->openings[part].failures, __ATOMIC_RELAXED);
    struct key **kept;
    se_status st = SE_OK;

    *out = NULL;
    lock(slot);
    kept = place(slot, part);
    if (!*kept)
        st = open_slot(slot, seen, entry, part, err);
    if (!st)
        *out = key_ref(*kept);
    pthread_mutex_unlock(&slot->lock);
    return st;
}
