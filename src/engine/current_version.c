/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an engine has noticed about versions: that another one is current than before, and that one
 * came to be known only after its time had begun.  It is handed on from one loading of the
 * configuration to the next.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/fork_lock.h"
#include "config/versions.h"
#include "engine/engine.h"

/* Others' clocks may be ahead, and configurations are on their way for a while. */
enum { LATE_AFTER = 600, LATE_FOR = 24 * 3600 };

struct known_version {
    /* of the name, at its first version in the configuration; under fork_lock_take() */
    unsigned current; /* the last that was current for a job, or when this was loaded; 0: none */
    int64_t since;    /* when that job began */

    int64_t late; /* when this process came to know the version, if that was late; 0: it was not */
};

static struct known_version *find_known(const struct engine *engine, const char *name)
{
    const struct config *config = engine->config;

    for (size_t i = 0; i < config->descriptor_count; i++)
        if (!strcmp(config->descriptors[i].name, name))
            return &engine->known_versions[i];
    return NULL;
}

se_status known_versions_new(struct known_version **out, const struct config *config, se_error *err)
{
    const int64_t now = clock_seconds();

    if (!(*out = calloc(config->descriptor_count + 1, sizeof **out)))
        return error_memory(err);
    for (size_t i = 0; i < config->descriptor_count; i++) {
        const struct descriptor *current = config_current(config, config->descriptors[i].name, now);

        (*out)[i].current = current ? current->version : 0;
    }
    return SE_OK;
}

/* ---- another one is current ---- */

static void report_switch(const struct engine *engine, const struct descriptor *d, unsigned before)
{
    AUTO(writer) text = { 0 };

    writer_format(&text, "now it is version %u that %s", d->version, version_verb(d));
    if (before)
        writer_format(&text, "; before it was version %u", before);
    events_report_version(&engine->events, SE_EVENT_VERSION_SWITCHED, d, writer_string(&text));
}

/* A job that began before the switch, and ends after others have seen it, is no way back. */
static void note_current(const struct engine *engine, const struct descriptor *d, int64_t time)
{
    struct known_version *known = find_known(engine, d->name);
    unsigned before;
    bool is_news;

    if (__atomic_load_n(&known->current, __ATOMIC_RELAXED) == d->version)
        return;
    fork_lock_take();
    before = known->current;
    is_news = before != d->version && time >= known->since;
    if (is_news) {
        __atomic_store_n(&known->current, d->version, __ATOMIC_RELAXED);
        known->since = time;
    }
    fork_lock_give();
    if (is_news)
        report_switch(engine, d, before);
}

se_status engine_choose_version(const struct descriptor **out, const struct engine *engine,
                                const char *name, const struct version_wish *wish, se_error *err)
{
    TRY(config_version(out, engine->config, name, wish, err));
    if (!wish->version && is_version_time(&(*out)->time, wish->time))
        note_current(engine, *out, wish->time);
    return SE_OK;
}

/* ---- from one loading of the configuration to the next ---- */

static void follow_name(struct known_version *known, const struct engine *old, const char *name)
{
    const struct known_version *before = find_known(old, name);

    if (!before)
        return;
    fork_lock_take();
    known->current = before->current;
    known->since = before->since;
    fork_lock_give();
}

/* What the old configuration would have made of the moment at which others began to use it. */
static bool was_missed(const struct descriptor *d, const struct engine *old, int64_t now)
{
    const struct descriptor *before;

    if (!d->time.from || now - d->time.from <= LATE_AFTER || !is_version_time(&d->time, now))
        return false;
    return config_descriptor(&before, old->config, d->name, d->version, NULL) ||
           !is_version_time(&before->time, d->time.from);
}

static void report_late(const struct engine *engine, const struct descriptor *d)
{
    char from[TIME_TEXT_ROOM];
    AUTO(writer) text = { 0 };

    writer_format(&text,
                  "version %u was in use by others before this process knew it: it %s from %s on",
                  d->version, version_verb(d), time_format(from, TIME_RFC3339, d->time.from));
    events_report_version(&engine->events, SE_EVENT_VERSION_LATE, d, writer_string(&text));
}

void known_versions_follow(struct engine *engine, const struct engine *old)
{
    const struct config *config = engine->config;
    const int64_t now = clock_seconds();

    for (size_t i = 0; i < config->descriptor_count; i++) {
        const struct descriptor *d = &config->descriptors[i], *before;
        struct known_version *known = &engine->known_versions[i];

        follow_name(known, old, d->name);
        if (!config_descriptor(&before, old->config, d->name, d->version, NULL))
            known->late = old->known_versions[before - old->config->descriptors].late;
        if (was_missed(d, old, now))
            known->late = now;
    }
}

void known_versions_report(const struct engine *engine, const struct engine *old)
{
    for (size_t i = 0; i < engine->config->descriptor_count; i++) {
        const struct descriptor *d = &engine->config->descriptors[i];
        const int64_t late = engine->known_versions[i].late;

        if (late && was_missed(d, old, late))
            report_late(engine, d);
    }
}

bool is_version_late(const struct engine *engine, const struct descriptor *d)
{
    const int64_t late = engine->known_versions[d - engine->config->descriptors].late;

    return late && clock_seconds() - late < LATE_FOR;
}
