/* SPDX-License-Identifier: Apache-2.0 */
/* Engines are opened, loaded again while they are used, and closed. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arguments.h"
#include "base/file_watch.h"
#include "base/fork_lock.h"
#include "base/text.h"
#include "config/diff.h"
#include "engine/engine.h"
#include "engine/signed_config.h"

enum {
    LOOK_INTERVAL_MS = 30000, /* where nothing tells of changes */
    DIFFERENCES_MOST = 8,     /* that one line tells of */
};

/* How an engine is loaded, and what is known about its files. */
struct loader {
    char *path, *pin_key, *trust_config; /* the last two may be NULL */
    char *crls;                          /* what `revocation` names; NULL: none */
    se_revocation_params revocation;
    bool looks_at_revocation;
    se_report_fn report;
    void *report_arg;
    struct events events;

    bool watches;
    struct file_watch *watch; /* NULL: there is no thread yet */

    pthread_mutex_t lock;              /* of one loading, and of what follows */
    pid_t process;                     /* that the lock belongs to */
    se_error refusal;                  /* why the last one failed, if it did */
    unsigned char refused[FILES_HASH]; /* how the files looked then */
    bool again;                        /* they still look so: what is found has been reported */
};

/* ---- one loading ---- */

/* The text of the configuration, while it is not parsed yet. */
struct loaded_text {
    struct signed_config checked;
    unsigned char hash[FILES_HASH];
};

/* What is remembered of a text, and what is checked, is what is parsed then. */
static se_status take_text(void *arg, se_bytes text, se_error *err)
{
    struct loaded_text *loaded = arg;

    TRY(files_hash_text(loaded->hash, text, err));
    return loaded->checked.trust ? signed_config_check(&loaded->checked, text, err) : SE_OK;
}

static se_status load_config(struct engine *engine, struct loaded_text *text,
                             const struct loader *loader, se_error *err)
{
    const struct config_options options = {
        .report = loader->again ? NULL : loader->report,
        .report_arg = loader->report_arg,
        .pin_key = loader->pin_key,
        .vouch = take_text,
        .vouch_arg = text,
    };

    text->checked = (struct signed_config){
        .path = loader->path,
        .trust = loader->trust_config,
        .revocation = loader->looks_at_revocation ? &loader->revocation : NULL,
    };
    TRY(config_load(&engine->config, loader->path, &options, err));
    return loader->trust_config ? signed_config_check_files(engine->config, &text->checked, err)
                                : SE_OK;
}

static se_status make_caches(struct engine *engine, se_error *err)
{
    TRY(key_cache_new(&engine->key_cache, engine->config, &engine->events, err));
    TRY(known_versions_new(&engine->known_versions, engine->config, err));
    engine->data_key_caches =
        calloc(engine->config->descriptor_count + 1, sizeof *engine->data_key_caches);
    return engine->data_key_caches ? SE_OK : error_memory(err);
}

/* The files are looked at before any key is opened: what changes later is found changed. */
static se_status engine_load(struct engine **out, const struct loader *loader, se_error *err)
{
    AUTO(free_engine) engine = calloc(1, sizeof *engine);
    struct loaded_text text = { .hash = { 0 } };
    se_status st;

    *out = NULL;
    if (!engine)
        return error_memory(err);
    engine->events = loader->events;
    st = load_config(engine, &text, loader, err);
    se_buf_free(&text.checked.canonical);
    if (st)
        return st;
    TRY(make_caches(engine, err));
    if (loader->watches)
        TRY(config_files_hash(engine->files, engine->config, text.hash, loader->trust_config, err));
    *out = MOVE(engine);
    return SE_OK;
}

/* ---- loading it again ---- */

struct differences {
    struct writer text;
    size_t count;
};

static void differences_free(struct differences *all)
{
    writer_free(&all->text);
}
AUTO_KIND(differences, struct differences, differences_free(p))

static void put_difference(void *arg, const char *item, const char *property, const char *before,
                           const char *after)
{
    struct differences *all = arg;

    if (++all->count > DIFFERENCES_MOST)
        return;
    writer_format(&all->text, "%s%.80s: %s ", all->count > 1 ? "; " : "", item, property);
    if (!before)
        writer_format(&all->text, "is new: '%.80s'", after);
    else if (!after)
        writer_text(&all->text, "is gone");
    else
        writer_format(&all->text, "was '%.80s', is '%.80s'", before, after);
}

static se_status describe_differences(struct differences *all, const struct engine *before,
                                      const struct engine *after, se_error *err)
{
    TRY(config_diff(before->config, after->config, put_difference, all, err));
    if (!all->count)
        writer_text(&all->text, "no property of the configuration differs");
    else if (all->count > DIFFERENCES_MOST)
        writer_format(&all->text, "; and %zu more", all->count - DIFFERENCES_MOST);
    if (all->text.failed)
        return error_memory(err);
    text_clean((char *)all->text.buf.data);
    return SE_OK;
}

static se_status replace_current(se_engine *engine, se_error *err)
{
    AUTO(engine) old = engine_enter(engine);
    AUTO(free_engine) fresh = NULL;
    AUTO(differences) differences = { .count = 0 };

    TRY(engine_load(&fresh, engine->loader, err));
    TRY(key_cache_follow(fresh, old, err));
    TRY(describe_differences(&differences, old, fresh, err));
    known_versions_follow(fresh, old);
    engine_let_go(engine_replace(engine, fresh));
    events_report(&engine->loader->events, SE_EVENT_RELOADED, SE_OK,
                  writer_string(&differences.text));
    known_versions_report(MOVE(fresh), old);
    return SE_OK;
}

/* In the child of a fork, a thread that it does not have may hold the lock for ever. */
static void lock_loader(struct loader *loader)
{
    const pid_t process = getpid();

    fork_lock_take();
    if (loader->process != process)
        pthread_mutex_init(&loader->lock, NULL);
    loader->process = process;
    fork_lock_give();
    pthread_mutex_lock(&loader->lock);
}

/* `looks`: how the files look, of a try that nobody asked for.  It tells the same refusal once:
 * there are tries again and again. */
static se_status reload_engine(se_engine *engine, const unsigned char *looks, se_error *err)
{
    struct loader *loader = engine->loader;
    se_error failure = SE_ERROR_INIT;
    se_status st;

    lock_loader(loader);
    loader->again = looks && !CRYPTO_memcmp(looks, loader->refused, FILES_HASH);
    st = replace_current(engine, &failure);
    if (st && !(looks && strcmp(loader->refusal.text, failure.text) == 0))
        events_report(&loader->events, SE_EVENT_RELOAD_REFUSED, st, failure.text);
    loader->refusal = failure;
    if (st && looks)
        memcpy(loader->refused, looks, FILES_HASH);
    pthread_mutex_unlock(&loader->lock);
    return st ? error_copy(err, st, &failure) : SE_OK;
}

se_status se_reload(se_engine *engine, se_error *error)
{
    TRY(arguments_check(error, engine));
    if (!engine->loader)
        return error_set(error, SE_ERR_USAGE,
                         "what se_hold() gave stays as it is: reload what it was made of");
    TRY(reload_engine(engine, NULL, error));
    if (engine->loader->watch)
        file_watch_wake(engine->loader->watch);
    return SE_OK;
}

/* ---- watching ---- */

static void name_file(void *arg, const char *path, bool secret)
{
    (void)secret;
    watched_paths_add(arg, path);
}

static void name_files(void *arg, struct watched_paths *paths)
{
    se_engine *engine = arg;
    AUTO(engine) now = engine_enter(engine);

    watched_paths_add(paths, now->config->path);
    if (engine->loader->trust_config)
        watched_paths_add(paths, engine->loader->trust_config);
    config_files_list(now->config, name_file, paths);
}

static bool have_changed(unsigned char looks[FILES_HASH], se_engine *engine)
{
    AUTO(engine) now = engine_enter(engine);

    return !config_files_hash(looks, now->config, NULL, engine->loader->trust_config, NULL) &&
           CRYPTO_memcmp(looks, now->files, FILES_HASH) != 0;
}

static bool was_refused(struct loader *loader)
{
    bool refused;

    lock_loader(loader);
    refused = loader->refusal.status;
    pthread_mutex_unlock(&loader->lock);
    return refused;
}

/* After a refusal, files that look as they did are loaded again as well: somebody waits to hear
 * that all is well. */
static bool look_at_files(void *arg)
{
    se_engine *engine = arg;
    unsigned char looks[FILES_HASH];

    return (have_changed(looks, engine) || was_refused(engine->loader)) &&
           !reload_engine(engine, looks, NULL);
}

static se_status watch_files(se_engine *engine, se_error *err)
{
    const struct file_watch_calls calls = {
        .name_paths = name_files,
        .look_at_files = look_at_files,
        .arg = engine,
        .interval_ms = LOOK_INTERVAL_MS,
    };

    engine->loader->watch = file_watch_start(&calls);
    return engine->loader->watch
               ? SE_OK
               : error_set(err, SE_ERR_MEMORY, "cannot make a thread that watches '%s'",
                           engine->loader->path);
}

/* ---- open and close ---- */

static void loader_free(struct loader *loader)
{
    if (!loader)
        return;
    pthread_mutex_destroy(&loader->lock);
    free(loader->path);
    free(loader->pin_key);
    free(loader->trust_config);
    free(loader->crls);
    free(loader);
}

static bool copy_text(char **out, const char *text)
{
    return !text || (*out = strdup(text));
}

static se_status take_revocation(struct loader *loader, const se_options *options, se_error *err)
{
    if (!options->config_revocation)
        return SE_OK;
    if (!options->trust_config)
        return error_set(err, SE_ERR_USAGE,
                         "whether its signer was revoked is looked at of a configuration that has "
                         "to be signed only: by whom?");
    TRY(arguments_options(&loader->revocation, options->config_revocation, se_revocation_params,
                          err));
    if (!copy_text(&loader->crls, loader->revocation.crls))
        return error_memory(err);
    loader->revocation.crls = loader->crls;
    loader->looks_at_revocation = true;
    return SE_OK;
}

static se_status loader_new(struct loader **out, const char *path, const se_options *options,
                            se_error *err)
{
    struct loader *loader = calloc(1, sizeof *loader);

    *out = loader;
    if (!loader)
        return error_memory(err);
    pthread_mutex_init(&loader->lock, NULL);
    loader->process = getpid();
    loader->watches = options->watch;
    loader->report = options->report;
    loader->report_arg = options->report_arg;
    loader->events = (struct events){ options->event, options->event_arg };
    if (!copy_text(&loader->path, path) || !copy_text(&loader->pin_key, options->pin_key) ||
        !copy_text(&loader->trust_config, options->trust_config))
        return error_memory(err);
    return take_revocation(loader, options, err);
}

static se_status follow_engine(struct engine *engine, se_engine *other, se_error *err)
{
    AUTO(engine) old = engine_enter(other);

    TRY(key_cache_follow(engine, old, err));
    known_versions_follow(engine, old);
    known_versions_report(engine, old);
    return SE_OK;
}

static se_status open_engine(se_engine *engine, const char *path, const se_options *options,
                             se_error *err)
{
    struct engine *first;
    se_options read;

    TRY(arguments_options(&read, options, se_options, err));
    TRY(loader_new(&engine->loader, path, &read, err));
    TRY(engine_load(&first, engine->loader, err));
    (void)engine_replace(engine, first);
    if (read.follows)
        TRY(follow_engine(first, read.follows, err));
    return read.watch ? watch_files(engine, err) : SE_OK;
}

se_status se_open(se_engine **out, const char *path, const se_options *options, se_error *error)
{
    se_engine *engine;
    se_status st;

    if (out)
        *out = NULL;
    TRY(arguments_check(error, out, path));
    if (!(engine = calloc(1, sizeof *engine)))
        return error_memory(error);
    if ((st = open_engine(engine, path, options, error))) {
        se_close(&engine);
        return st;
    }
    *out = engine;
    return SE_OK;
}

void se_close(se_engine **engine)
{
    se_engine *closed = engine ? *engine : NULL;

    if (!closed)
        return;
    if (closed->loader)
        file_watch_stop(closed->loader->watch);
    engine_let_go(closed->current);
    loader_free(closed->loader);
    free(closed);
    *engine = NULL;
}
