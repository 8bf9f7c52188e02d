/* SPDX-License-Identifier: Apache-2.0 */
/* A Managed HSM's full backups and restores, its settings, its security domain. */
#include "tests/azure/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_JOBS 64

struct job {
    char id[33];
    bool restore, failed;
    int64_t started, until; /* seconds; ms */
    char *container;        /* of a backup: where it is */
    char *folder;           /* of a restore: from where */
    char *name;             /* of one key's restore */
    char *details;
    bool done;
};

/* Under the store's lock. */
static struct job jobs[MOST_JOBS];
static size_t job_count;
static json_t *folders; /* name of the folder: what was in the HSM */
static bool arm_manages;

static struct job *begin_job(struct call *c, bool restore)
{
    struct job *job = &jobs[job_count++ % MOST_JOBS];
    free(job->container);
    free(job->folder);
    free(job->name);
    free(job->details);
    *job = (struct job){ .restore = restore,
                         .started = clock_seconds(),
                         .until = clock_ms() + settings.delay };
    hex_random(job->id, 16);
    answer_header(c->answer, "Azure-AsyncOperation", "https://%s/%s/%s/pending", c->request->host,
                  restore ? "restore" : "backup", job->id);
    answer_header(c->answer, "Retry-After", "10");
    return job;
}

static json_t *job_answer(const struct job *job)
{
    json_t *answer = json_object();
    json_object_set_new(answer, "status", json_string(job->done ? "Succeeded" : "InProgress"));
    json_object_set_new(answer, "statusDetails",
                        job->done && job->details ? json_string(job->details) : json_null());
    json_object_set_new(answer, "error", json_null());
    json_object_set_new(answer, "startTime", json_time(job->started));
    json_object_set_new(answer, "endTime", job->done ? json_time(clock_seconds()) : json_null());
    json_object_set_new(answer, "jobId", json_string(job->id));
    if (!job->restore)
        json_object_set_new(answer, "azureStorageBlobContainerUri",
                            job->done && job->container ? json_string(job->container)
                                                        : json_null());
    return answer;
}

/* A SAS token says when it expires ("se="); "redacted" is what the recordings have.  Without one it
 * is a managed identity's turn. */
static bool storage_opens(const json_t *storage)
{
    const char *token = json_string_value(json_object_get(storage, "token"));
    return json_is_true(json_object_get(storage, "useManagedIdentity")) ||
           (token && (strstr(token, "se=") || strcmp(token, "redacted") == 0));
}

void hsm_backup(struct call *c)
{
    const char *container = json_string_value(json_object_get(c->body, "storageResourceUri"));
    if (!container) {
        answer_error(c, 400, "BadParameter", NULL, "storageResourceUri is missing");
        return;
    }
    store_lock();
    struct job *job = begin_job(c, false);
    char name[64];
    struct tm parts;
    time_t now = (time_t)clock_seconds();
    gmtime_r(&now, &parts);
    strftime(name, sizeof name, "mhsm-emulator-%Y%m%d%H%M%S", &parts);
    snprintf(name + strlen(name), 4, "%02zu", job_count % 100);
    job->container = text_format("%s/%s", container, name);
    job->failed = !storage_opens(c->body);
    json_t *saved = json_array();
    for (size_t i = 0; i < store_count(); i++)
        if (store_at(i)->life == LIFE_LIVE)
            json_array_append_new(saved, object_save(store_at(i)));
    if (!folders)
        folders = json_object();
    json_object_set_new(folders, name, saved);
    answer_json(c->answer, 202, job_answer(job));
    store_unlock();
}

static void begin_restore(struct call *c, const char *folder, const char *name)
{
    store_lock();
    struct job *job = begin_job(c, true);
    job->folder = text_copy(folder ? folder : "");
    job->name = name ? text_copy(name) : NULL;
    job->failed = !storage_opens(json_object_get(c->body, "sasTokenParameters"));
    answer_json(c->answer, 202, job_answer(job));
    store_unlock();
}

void hsm_restore(struct call *c)
{
    begin_restore(c, json_string_value(json_object_get(c->body, "folderToRestore")), NULL);
}

void hsm_restore_key(struct call *c)
{
    begin_restore(c, json_string_value(json_object_get(c->body, "folder")), c->name);
}

bool hsm_busy(void)
{
    for (size_t i = 0; i < MOST_JOBS; i++)
        if (jobs[i].restore && !jobs[i].done && clock_ms() < jobs[i].until)
            return true;
    return false;
}

/* All of the HSM is replaced, or one key's missing versions come back: its present ones stay. */
static void finish_restore(struct job *job, const json_t *saved)
{
    size_t i, restored = 0, kept = 0;
    json_t *entry;
    if (!job->name)
        while (store_count())
            store_remove(store_at(0));
    json_array_foreach(saved, i, entry) {
        const char *name = json_string_value(json_object_get(entry, "name"));
        size_t versions = json_array_size(json_object_get(entry, "versions"));
        if (job->name && strcasecmp(name, job->name) != 0)
            continue;
        if (store_find(name)) {
            kept += versions;
        } else {
            object_load(store_add(name), entry);
            restored += versions;
        }
    }
    if (job->name)
        job->details = text_format("Number of successful key versions restored: %zu, Number of key "
                                   "versions could not overwrite: %zu",
                                   restored, kept);
}

void hsm_job(struct call *c)
{
    bool restore = strcmp(c->operation, "restore-status") == 0;
    struct job *job = NULL;
    store_lock();
    for (size_t i = 0; i < MOST_JOBS; i++)
        if (strcmp(jobs[i].id, c->name) == 0 && jobs[i].restore == restore)
            job = &jobs[i];
    const json_t *saved = job && restore ? json_object_get(folders, job->folder) : NULL;
    if (!job) {
        answer_error(c, 404, "NotFound", NULL, "No such job: %s", c->name);
    } else if (job->failed) { /* recorded: without an Activity ID, with a null innererror */
        answer_json(c->answer, 400,
                    json_pack("{s{ss sn ss}}", "error", "code", "BadRequest", "innererror",
                              "message",
                              "The customer provided SAS token is malformed. The SAS token does "
                              "not contain the expiry field"));
    } else {
        if (!job->done && clock_ms() >= job->until) {
            job->done = true;
            if (restore && saved)
                finish_restore(job, saved);
        }
        if (job->done && restore && !saved)
            answer_json(c->answer, 400,
                        json_pack("{s{ss sn ss}}", "error", "code", "BadRequest", "innererror",
                                  "message", "The folder to restore was not found"));
        else
            answer_json(c->answer, 200, job_answer(job));
    }
    store_unlock();
}

/* ---- settings: not recorded ---- */

static json_t *setting_json(void)
{
    return json_pack("{ss ss ss}", "name", "AllowKeyManagementOperationsThroughARM", "type",
                     "boolean", "value", arm_manages ? "true" : "false");
}

void settings_get(struct call *c)
{
    if (!c->name)
        answer_json(c->answer, 200, json_pack("{s[o]}", "settings", setting_json()));
    else if (strcmp(c->name, "AllowKeyManagementOperationsThroughARM") == 0)
        answer_json(c->answer, 200, setting_json());
    else
        answer_error(c, 404, "SettingNotFound", NULL, "Setting not found: %s", c->name);
}

void settings_set(struct call *c)
{
    const char *value = json_string_value(json_object_get(c->body, "value"));
    arm_manages = value && strcmp(value, "true") == 0;
    settings_get(c);
}
