/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/azure/deleted.h"

#include <stdio.h>

#include "base/clock.h"

enum { PATIENCE_MS = 120000 }; /* a Key Vault takes some ten seconds to recover, or to purge */

static int64_t purge_date(const json_t *deleted)
{
    return member_number(deleted, "scheduledPurgeDate");
}

static bool is_being_deleted(const struct vault_reply *reply)
{
    char code[64];

    answer_code(code, &reply->answer);
    return strcmp(code, "ObjectIsBeingDeleted") == 0;
}

/* ---- names that are taken ---- */

/* Whoever may make keys need not be allowed to see the deleted ones. */
static bool find_purge_date(int64_t *purged, const struct vault_session *s)
{
    AUTO(json) deleted = NULL;

    *purged = 0;
    if (vault_session_find_deleted(&deleted, s, NULL) || !deleted)
        return false;
    *purged = purge_date(deleted);
    return true;
}

static se_status refuse_deleted(const struct vault_session *s, int64_t purged, se_error *err)
{
    char date[TIME_TEXT_ROOM];

    time_format(date, TIME_READABLE, purged);
    return error_set(err, SE_ERR_USAGE,
                     "the name '%s' is taken by a deleted one%s%s: `signengine key recover` brings "
                     "it back, `signengine key purge` frees the name",
                     s->name, purged ? ", until " : "", purged ? date : "");
}

/* A Managed HSM says no more than "Conflict". */
se_status vault_refuse_conflict(const struct vault_reply *reply, const struct vault_session *s,
                                const struct vault_call *call, se_error *err)
{
    int64_t purged;
    bool is_found;
    char code[64];

    if (is_being_deleted(reply))
        return error_set(err, SE_ERR_UNAVAILABLE,
                         "the vault is still deleting '%s': wait some seconds, then recover or "
                         "purge it",
                         s->name);
    answer_code(code, &reply->answer);
    is_found = find_purge_date(&purged, s);
    if (is_found || strcmp(code, "ObjectIsDeletedButRecoverable") == 0)
        return refuse_deleted(s, purged, err);
    return vault_session_failure(reply, s, call, err);
}

/* ---- delete ---- */

/* Until the deleted one can be seen; who may not see it does not wait. */
static se_status wait_deleted(int64_t *purged, const struct vault_session *s, se_error *err)
{
    const struct vault_call call = {
        .method = "GET",
        .verb = "read",
        .is_deleted = true,
        .is_repeatable = true,
        .accepted = { HTTP_NOT_FOUND, HTTP_FORBIDDEN },
    };
    struct vault_poll poll = { .until = vault_deadline(&s->target->ref) };

    do {
        AUTO(vault_reply) reply = { .json = NULL };

        TRY(vault_session_call(&reply, s, &call, err));
        if (reply.json)
            *purged = purge_date(reply.json);
        if (reply.answer.status != HTTP_NOT_FOUND)
            return SE_OK;
    } while (vault_poll_wait(&poll));
    return error_set(err, SE_ERR_UNAVAILABLE,
                     "the vault deletes '%s', and has not done it within the deadline: `signengine "
                     "key list --deleted` shows when it has",
                     s->name);
}

static void note_deleted(const struct vault_session *s, int64_t purged)
{
    char date[TIME_TEXT_ROOM];

    if (purged)
        target_note(s->target, "'%s' can be brought back with `signengine key recover` until %s",
                    s->name, time_format(date, TIME_READABLE, purged));
}

se_status vault_delete(const struct vault_session *s, se_error *err)
{
    const struct vault_call call = {
        .method = "DELETE",
        .verb = "delete",
        .is_repeatable = true,
        /* an earlier try did it, whose answer was lost */
        .accepted = { HTTP_NOT_FOUND, HTTP_CONFLICT },
    };
    AUTO(vault_reply) reply = { .json = NULL };
    int64_t purged;

    TRY(vault_session_call(&reply, s, &call, err));
    if (reply.answer.status == HTTP_CONFLICT && !is_being_deleted(&reply))
        return vault_session_failure(&reply, s, &call, err);
    purged = purge_date(reply.json);
    /* without a date: a vault of old that deletes for good */
    if (purged || !reply.json)
        TRY(wait_deleted(&purged, s, err));
    note_deleted(s, purged);
    return SE_OK;
}

/* ---- what there is to take back, or to purge ---- */

/* The alternative to what was looked for, in words. */
static se_status refuse_not_deleted(const struct vault_session *s, se_error *err)
{
    AUTO(json) live = NULL;

    TRY(vault_session_find(&live, s, NULL, err));
    if (live)
        return error_set(err, SE_ERR_KEY, "%s '%s' is not deleted", s->kind, s->name);
    return error_set(err, SE_ERR_KEY,
                     "there is no deleted %s '%s', nor one that is not: its name is another, or it "
                     "is being deleted just now, which takes seconds",
                     s->kind, s->name);
}

static se_status find_deleted(json_t **out, const struct vault_session *s, se_error *err)
{
    TRY(vault_session_find_deleted(out, s, err));
    return *out ? SE_OK : refuse_not_deleted(s, err);
}

/* POST or DELETE of the deleted object; again while its deletion has not ended. */
static se_status change_deleted(bool *is_found, const struct vault_session *s,
                                const struct vault_call *call, struct vault_poll *poll,
                                se_error *err)
{
    for (;;) {
        AUTO(vault_reply) reply = { .json = NULL };

        TRY(vault_session_call(&reply, s, call, err));
        *is_found = reply.answer.status != HTTP_NOT_FOUND;
        if (reply.answer.status != HTTP_CONFLICT)
            return SE_OK;
        if (!is_being_deleted(&reply) || !vault_poll_wait(poll))
            return vault_session_failure(&reply, s, call, err);
    }
}

static se_status fail_late(const struct vault_session *s, const char *what, se_error *err)
{
    return error_set(err, SE_ERR_UNAVAILABLE,
                     "the vault has taken the order to %s %s '%s', and has not done it in %d "
                     "seconds: it goes on without us",
                     what, s->kind, s->name, PATIENCE_MS / 1000);
}

/* ---- recover ---- */

static se_status wait_live(struct vault_object *out, const struct vault_session *s,
                           struct vault_poll *poll, se_error *err)
{
    do {
        AUTO(json) live = NULL;

        TRY(vault_session_find(&live, s, NULL, err));
        if (live) {
            vault_object_read(out, s, live);
            return SE_OK;
        }
        target_progress(s->target, "%s '%s': being recovered", s->kind, s->name);
    } while (vault_poll_wait(poll));
    return fail_late(s, "recover", err);
}

static se_status recover_object(struct vault_object *out, const struct vault_session *s,
                                se_error *err)
{
    struct vault_poll poll = { .until = clock_monotonic_ms() + PATIENCE_MS };
    const struct vault_call call = {
        .method = "POST",
        .verb = "recover",
        .below = "recover",
        .is_deleted = true,
        .is_repeatable = true,
        .accepted = { HTTP_NOT_FOUND, HTTP_CONFLICT },
    };
    bool is_found;

    TRY(change_deleted(&is_found, s, &call, &poll, err));
    if (!is_found)
        return refuse_not_deleted(s, err);
    poll.pause = 0;
    return wait_live(out, s, &poll, err);
}

se_status vault_recover(struct vault_object *out, const struct target *target, se_error *err)
{
    AUTO(vault_session) session = { .vault = NULL };

    *out = (struct vault_object){ .kind = "" };
    TRY(vault_session_open(&session, target, VAULT_STORES_ALL, "key recover", err));
    return recover_object(out, &session, err);
}

/* ---- purge ---- */

/* "Recoverable+Purgeable": it is the level that says whether there is purge protection. */
static se_status check_purgeable(const struct vault_session *s, const json_t *deleted,
                                 se_error *err)
{
    const char *level = member_text(json_object_get(deleted, "attributes"), "recoveryLevel");
    char date[TIME_TEXT_ROOM];

    if (!*level || strstr(level, "Purgeable"))
        return SE_OK;
    return error_set(err, SE_ERR_POLICY,
                     "the vault has purge protection: %s '%s' goes by itself on %s, and until then "
                     "its name is taken; `key recover` takes it back",
                     s->kind, s->name, time_format(date, TIME_DATE, purge_date(deleted)));
}

static void tell_loss(const struct vault_session *s, const json_t *deleted,
                      const struct vault_consent *consent)
{
    struct vault_object object;

    vault_object_read(&object, s, deleted);
    consent->loss(consent->arg,
                  &(struct vault_loss){
                      .kind = s->kind,
                      .id = object.id,
                      .detail = s->is_certificate ? "all versions, each with its private key"
                                                  : "all versions",
                      .deleted = member_number(deleted, "deletedDate"),
                      .purge = purge_date(deleted),
                  });
}

static se_status ask_purge(const struct vault_session *s, const json_t *deleted,
                           const struct vault_consent *consent, se_error *err)
{
    char question[256];

    tell_loss(s, deleted, consent);
    if (consent->dry_run)
        return SE_OK;
    (void)snprintf(question, sizeof question, "Purge deleted %s '%s' of vault '%s'?", s->kind,
                   s->name, vault_place(s->vault)->host);
    return consent->ask(consent->arg, question, err);
}

static se_status wait_purged(const struct vault_session *s, struct vault_poll *poll, se_error *err)
{
    do {
        AUTO(json) deleted = NULL;

        TRY(vault_session_find_deleted(&deleted, s, err));
        if (!deleted)
            return SE_OK;
        target_progress(s->target, "%s '%s': being purged", s->kind, s->name);
    } while (vault_poll_wait(poll));
    return fail_late(s, "purge", err);
}

static se_status purge_object(const struct vault_session *s, se_error *err)
{
    struct vault_poll poll = { .until = clock_monotonic_ms() + PATIENCE_MS };
    const struct vault_call call = {
        .method = "DELETE",
        .verb = "purge",
        .is_deleted = true,
        .is_repeatable = true,
        .accepted = { HTTP_NOT_FOUND, HTTP_CONFLICT },
    };
    bool is_found;

    TRY(change_deleted(&is_found, s, &call, &poll, err));
    poll.pause = 0;
    return wait_purged(s, &poll, err);
}

se_status vault_purge(struct vault_object *out, const struct target *target,
                      const struct vault_consent *consent, se_error *err)
{
    AUTO(vault_session) session = { .vault = NULL };
    AUTO(json) deleted = NULL;

    *out = (struct vault_object){ .kind = "" };
    TRY(vault_session_open(&session, target, VAULT_STORES_ALL, "key purge", err));
    TRY(find_deleted(&deleted, &session, err));
    TRY(check_purgeable(&session, deleted, err));
    TRY(ask_purge(&session, deleted, consent, err));
    if (!consent->dry_run)
        TRY(purge_object(&session, err));
    vault_object_read(out, &session, deleted);
    return SE_OK;
}
