/* SPDX-License-Identifier: Apache-2.0 */
/* A Managed HSM as a whole: to Blob storage, and from there over all that it holds. */
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "provision/azure/session.h"

/* Earlier versions know no managed identity. */
#define IDENTITY_VERSION "7.5"

enum { FAILURES_MOST = 20 };

/* ---- storage ---- */

static se_status check_storage(const struct vault_storage *storage, se_error *err)
{
    const char *container = storage->container ? storage->container : "";

    if (!text_starts(container, "https://") || strpbrk(container, "?#@ "))
        return error_set(err, SE_ERR_USAGE,
                         "'%.200s' is no container of Blob storage: "
                         "https://ACCOUNT.blob.core.windows.net/CONTAINER, without its SAS token",
                         container);
    return SE_OK;
}

/* Portals show it as the query that it is. */
static se_bytes sas_token(const se_buf *token)
{
    const bool mark = token->size && *token->data == '?';

    return (se_bytes){ token->data + mark, token->size - mark };
}

/* With its quotes; what is a secret stays in the writer. */
static void write_json_text(struct writer *w, se_bytes text)
{
    const unsigned char *p = text.data;

    writer_text(w, "\"");
    for (size_t i = 0; i < text.size; i++) {
        if (p[i] < ' ')
            writer_format(w, "\\u%04x", p[i]);
        else {
            if (p[i] == '"' || p[i] == '\\')
                writer_text(w, "\\");
            writer_put(w, p + i, 1);
        }
    }
    writer_text(w, "\"");
}

static void write_storage(struct writer *w, const struct vault_storage *storage)
{
    writer_text(w, "\"storageResourceUri\":");
    write_json_text(w, text_bytes(storage->container));
    if (!storage->token->size) {
        writer_text(w, ",\"useManagedIdentity\":true");
        return;
    }
    writer_text(w, ",\"token\":");
    write_json_text(w, sas_token(storage->token));
}

/* ---- a job ---- */

static void read_job(struct vault_job *out, const json_t *json)
{
    *out = (struct vault_job){ .started = member_number(json, "startTime"),
                               .ended = member_number(json, "endTime") };
    member_copy(out->id, sizeof out->id, json, "jobId");
    member_copy(out->status, sizeof out->status, json, "status");
    member_copy(out->detail, sizeof out->detail, json, "statusDetails");
    member_copy(out->folder, sizeof out->folder, json, "azureStorageBlobContainerUri");
}

static bool is_failed(const struct vault_job *job)
{
    return strcmp(job->status, "Failed") == 0 || strcmp(job->status, "Cancelled") == 0;
}

static se_status check_job(const struct vault_session *s, const struct vault_job *job,
                           const json_t *json, const char *what, se_error *err)
{
    const json_t *error = json_object_get(json, "error");
    char reason[512];

    if (!is_failed(job))
        return SE_OK;
    member_copy(reason, sizeof reason, error, "message");
    return vault_context(s->vault,
                         error_set(err, SE_ERR_STORE, "the %s has failed: %s", what,
                                   *reason        ? reason
                                   : *job->detail ? job->detail
                                                  : "it does not say why"),
                         err);
}

static se_status fetch_job(struct vault_job *out, const struct vault_session *s, const char *path,
                           const char *what, se_error *err)
{
    AUTO(json) json = NULL;
    char verb[64];
    const struct vault_call call = {
        .method = "GET",
        .verb = verb,
        .path = path,
        .is_repeatable = true,
    };

    (void)snprintf(verb, sizeof verb, "finish the %s", what);
    TRY(vault_session_fetch(&json, s, &call, err));
    read_job(out, json);
    return check_job(s, out, json, what, err);
}

/* Hours, for a large one; that it can't be asked for a while says nothing of the job. */
static se_status wait_job(struct vault_job *job, const struct vault_session *s, const char *path,
                          const char *what, se_error *err)
{
    struct vault_poll poll = { .until = INT64_MAX };
    const int64_t begin = clock_monotonic_ms();
    unsigned failures = 0;

    while (strcmp(job->status, "Succeeded") != 0) {
        struct vault_job now;
        se_error failure = SE_ERROR_INIT;
        se_status st;

        target_progress(s->target, "%s %s: %s, %lld s", what, job->id, job->status,
                        (long long)(clock_monotonic_ms() - begin) / 1000);
        (void)vault_poll_wait(&poll);
        st = fetch_job(&now, s, path, what, &failure);
        if (st && (st != SE_ERR_UNAVAILABLE || ++failures == FAILURES_MOST))
            return error_copy(err, st, &failure);
        if (st)
            continue;
        failures = 0;
        *job = now;
    }
    return SE_OK;
}

/* ---- begin ---- */

struct job_order {
    const char *method, *path, *what;
    const struct writer *body;
    bool is_waited_for, has_identity;
};

static se_status begin_job(struct vault_job *out, const struct vault_session *s,
                           const struct job_order *order, se_error *err)
{
    AUTO(json) json = NULL;
    AUTO(writer) path = { 0 };
    char verb[64];
    const struct vault_call call = {
        .method = order->method,
        .verb = verb,
        .path = order->path,
        .body = order->body,
        .api_version = order->has_identity ? IDENTITY_VERSION : NULL,
    };

    (void)snprintf(verb, sizeof verb, "begin the %s", order->what);
    TRY(vault_session_fetch(&json, s, &call, err));
    read_job(out, json);
    TRY(check_job(s, out, json, order->what, err));
    if (!order->is_waited_for)
        return SE_OK;
    writer_format(&path, "%s/%s/pending", order->path, out->id);
    if (path.failed)
        return error_memory(err);
    return wait_job(out, s, writer_string(&path), order->what, err);
}

static se_status begin_backup(struct vault_job *out, const struct target *target,
                              const struct vault_storage *storage, bool is_waited_for,
                              se_error *err)
{
    AUTO(vault_session) session = { .vault = NULL };
    AUTO(writer) body = { 0 };
    const struct job_order order = {
        .method = "POST",
        .path = "/backup",
        .what = "backup",
        .body = &body,
        .is_waited_for = is_waited_for,
        .has_identity = !storage->token->size,
    };

    TRY(vault_session_open(&session, target, VAULT_STORES_HSM, "key store backup", err));
    TRY(check_storage(storage, err));
    writer_text(&body, "{");
    write_storage(&body, storage);
    writer_text(&body, "}");
    return begin_job(out, &session, &order, err);
}

se_status vault_store_backup(struct vault_job *out, const struct target *target,
                             const struct vault_storage *storage, bool is_waited_for, se_error *err)
{
    struct vault_job job = { .id = "" };

    *out = job;
    TRY(begin_backup(&job, target, storage, is_waited_for, err));
    *out = job;
    return SE_OK;
}

/* ---- restore ---- */

static se_status count_item(void *arg, const json_t *item, bool *stop, se_error *err)
{
    (void)item;
    (void)stop;
    (void)err;
    ++*(size_t *)arg;
    return SE_OK;
}

/* The number of keys, as far as it may be seen. */
static void tell_hsm_loss(const struct vault_session *s, const char *folder,
                          const struct vault_consent *consent)
{
    const struct vault_caller caller = vault_session_caller(s);
    size_t keys = 0;
    char detail[512];

    if (vault_list(&caller, "/keys", "list keys", count_item, &keys, NULL))
        (void)snprintf(detail, sizeof detail,
                       "all its keys and roles, whose number the login may not see; '%.200s' "
                       "takes their place",
                       folder);
    else
        (void)snprintf(detail, sizeof detail,
                       "all its roles and %zu key%s; '%.200s' takes their place", keys,
                       keys == 1 ? "" : "s", folder);
    consent->loss(consent->arg, &(struct vault_loss){
                                    .kind = "Managed HSM",
                                    .id = vault_place(s->vault)->base,
                                    .detail = detail,
                                });
}

static se_status ask_restore(const struct vault_session *s, const char *folder,
                             const struct vault_consent *consent, se_error *err)
{
    char question[320];

    tell_hsm_loss(s, folder, consent);
    if (consent->dry_run)
        return SE_OK;
    (void)snprintf(question, sizeof question, "Wipe Managed HSM '%.200s' and restore the backup?",
                   vault_place(s->vault)->host);
    return consent->ask(consent->arg, question, err);
}

/* The URL that the backup named is as good as the name of its folder. */
static const char *folder_name(const struct vault_storage *storage, const char *folder)
{
    const size_t size = strlen(storage->container);

    return text_starts(folder, storage->container) && folder[size] == '/' ? folder + size + 1
                                                                          : folder;
}

static se_status check_folder(const char *folder, se_error *err)
{
    if (*folder && !strpbrk(folder, "/?#: "))
        return SE_OK;
    return error_set(err, SE_ERR_USAGE,
                     "'%.200s' is no folder of the container: `key store backup` has named it, "
                     "mhsm-NAME-DATE",
                     folder);
}

static void write_restore(struct writer *w, const struct vault_storage *storage, const char *folder)
{
    writer_text(w, "{\"folderToRestore\":");
    write_json_text(w, text_bytes(folder));
    writer_text(w, ",\"sasTokenParameters\":{");
    write_storage(w, storage);
    writer_text(w, "}}");
}

se_status vault_store_restore(struct vault_job *out, const struct target *target,
                              const struct vault_storage *storage, const char *folder,
                              bool is_waited_for, const struct vault_consent *consent,
                              se_error *err)
{
    AUTO(vault_session) session = { .vault = NULL };
    AUTO(writer) body = { 0 };
    struct vault_job job = { .id = "" };
    const struct job_order order = {
        .method = "PUT",
        .path = "/restore",
        .what = "restore",
        .body = &body,
        .is_waited_for = is_waited_for,
        .has_identity = !storage->token->size,
    };

    *out = job;
    TRY(vault_session_open(&session, target, VAULT_STORES_HSM, "key store restore", err));
    TRY(check_storage(storage, err));
    folder = folder_name(storage, folder);
    TRY(check_folder(folder, err));
    TRY(ask_restore(&session, folder, consent, err));
    if (consent->dry_run)
        return SE_OK;
    write_restore(&body, storage, folder);
    TRY(begin_job(&job, &session, &order, err));
    *out = job;
    return SE_OK;
}

/* ---- status ---- */

static se_status check_job_id(const char *job, se_error *err)
{
    const size_t size = strlen(job);

    if (size && size < sizeof((struct vault_job *)0)->id &&
        strspn(job, "0123456789abcdefABCDEF-") == size)
        return SE_OK;
    return error_set(err, SE_ERR_USAGE, "'%.64s' is no job: hexadecimal digits", job);
}

se_status vault_store_status(struct vault_job *out, const struct target *target, const char *job,
                             bool is_restore, se_error *err)
{
    AUTO(vault_session) session = { .vault = NULL };
    const char *what = is_restore ? "restore" : "backup";
    struct vault_job found = { .id = "" };
    char path[128];

    *out = found;
    TRY(vault_session_open(&session, target, VAULT_STORES_HSM, "key store status", err));
    TRY(check_job_id(job, err));
    (void)snprintf(path, sizeof path, "/%s/%s/pending", what, job);
    TRY(fetch_job(&found, &session, path, what, err));
    *out = found;
    return SE_OK;
}
