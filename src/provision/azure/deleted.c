/* SPDX-License-Identifier: Apache-2.0 */
/* Soft-deleted keys and certificates: taken back, or purged. */
#include <stdio.h>

#include "base/clock.h"
#include "keystore/azure/answer.h"
#include "provision/azure/session.h"

enum {
    NOT_FOUND = 404,
    CONFLICT = 409,
    PATIENCE_MS = 120000, /* a Key Vault takes some ten seconds to recover, or to purge */
};

/* ---- what there is ---- */

/* The alternative to what was looked for, in words. */
static se_status refuse_not_deleted(const struct admin_session *s, se_error *err)
{
    AUTO(json) live = NULL;

    TRY(admin_session_find(&live, s, "", err));
    if (live)
        return error_set(err, SE_ERR_KEY, "%s '%s' is not deleted", s->kind, s->name);
    return error_set(err, SE_ERR_KEY,
                     "there is no deleted %s '%s', nor one that is not: its name is another, or it "
                     "is being deleted just now, which takes seconds",
                     s->kind, s->name);
}

static se_status find_deleted(json_t **out, const struct admin_session *s, se_error *err)
{
    TRY(admin_session_find_deleted(out, s, err));
    return *out ? SE_OK : refuse_not_deleted(s, err);
}

static bool is_being_deleted(const struct http_answer *answer)
{
    char code[64];

    answer_code(code, answer);
    return strcmp(code, "ObjectIsBeingDeleted") == 0;
}

/* POST or DELETE of the deleted object; again while its deletion has not ended. */
static se_status change_deleted(bool *is_found, const struct admin_session *s,
                                const struct vault_ask *ask, const char *below,
                                struct vault_poll *poll, se_error *err)
{
    for (;;) {
        AUTO(http_answer) answer = { .status = 0 };

        TRY(admin_session_ask(&answer, s, ask, err, "/deleted%s/%s%s", s->collection, s->name,
                              below));
        *is_found = answer.status != NOT_FOUND;
        if (answer.status != CONFLICT)
            return SE_OK;
        if (!is_being_deleted(&answer) || !vault_poll_wait(poll))
            return answer_failure(&answer, ask->what, err);
    }
}

static se_status fail_late(const struct admin_session *s, const char *what, se_error *err)
{
    return error_set(err, SE_ERR_UNAVAILABLE,
                     "the vault has taken the order to %s %s '%s', and has not done it in %d "
                     "seconds: it goes on without us",
                     what, s->kind, s->name, PATIENCE_MS / 1000);
}

/* ---- recover ---- */

static se_status wait_live(struct vault_object *out, const struct admin_session *s,
                           const struct vault_news *news, struct vault_poll *poll, se_error *err)
{
    do {
        AUTO(json) live = NULL;

        TRY(admin_session_find(&live, s, "", err));
        if (live) {
            vault_object_read(out, s, live);
            return SE_OK;
        }
        vault_news_progress(news, "%s '%s': being recovered", s->kind, s->name);
    } while (vault_poll_wait(poll));
    return fail_late(s, "recover", err);
}

static se_status recover_object(struct vault_object *out, const struct admin_session *s,
                                const struct vault_news *news, se_error *err)
{
    struct vault_poll poll = { .until = clock_monotonic_ms() + PATIENCE_MS };
    char what[256];
    const struct vault_ask ask = {
        .method = "POST",
        .what = what,
        .is_repeatable = true,
        .accepted = { NOT_FOUND, CONFLICT },
    };
    bool is_found;

    (void)snprintf(what, sizeof what, "recover %s '%s'", s->kind, s->name);
    TRY(change_deleted(&is_found, s, &ask, "/recover", &poll, err));
    if (!is_found)
        return refuse_not_deleted(s, err);
    poll.pause = 0;
    return wait_live(out, s, news, &poll, err);
}

se_status vault_recover(struct vault_object *out, const struct target *target,
                        const struct vault_news *news, se_error *err)
{
    AUTO(admin_session) session = { .vault = NULL };

    *out = (struct vault_object){ .kind = "" };
    TRY(admin_session_open(&session, target, VAULT_KIND_ANY, "key recover", err));
    return recover_object(out, &session, news, err);
}

/* ---- purge ---- */

/* "Recoverable+Purgeable": it is the level that says whether there is purge protection. */
static se_status check_purgeable(const struct admin_session *s, const json_t *deleted,
                                 se_error *err)
{
    const char *level = json_member_text(json_object_get(deleted, "attributes"), "recoveryLevel");
    char date[TIME_TEXT_ROOM];

    if (!*level || strstr(level, "Purgeable"))
        return SE_OK;
    return error_set(
        err, SE_ERR_POLICY,
        "the vault has purge protection: %s '%s' goes by itself on %s, and until then "
        "its name is taken; `key recover` takes it back",
        s->kind, s->name,
        time_format(date, TIME_DATE, json_member_number(deleted, "scheduledPurgeDate")));
}

static void tell_loss(const struct admin_session *s, const json_t *deleted,
                      const struct vault_consent *consent)
{
    struct vault_object object;

    vault_object_read(&object, s, deleted);
    consent->loss(consent->arg, &(struct vault_loss){
                                    .kind = s->kind,
                                    .id = object.id,
                                    .detail = strcmp(s->kind, "certificate") == 0
                                                  ? "all versions, each with its private key"
                                                  : "all versions",
                                    .deleted = json_member_number(deleted, "deletedDate"),
                                    .purge = json_member_number(deleted, "scheduledPurgeDate"),
                                });
}

static se_status ask_purge(const struct admin_session *s, const json_t *deleted,
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

static se_status wait_purged(const struct admin_session *s, const struct vault_news *news,
                             struct vault_poll *poll, se_error *err)
{
    do {
        AUTO(json) deleted = NULL;

        TRY(admin_session_find_deleted(&deleted, s, err));
        if (!deleted)
            return SE_OK;
        vault_news_progress(news, "%s '%s': being purged", s->kind, s->name);
    } while (vault_poll_wait(poll));
    return fail_late(s, "purge", err);
}

static se_status purge_object(const struct admin_session *s, const struct vault_news *news,
                              se_error *err)
{
    struct vault_poll poll = { .until = clock_monotonic_ms() + PATIENCE_MS };
    char what[256];
    const struct vault_ask ask = {
        .method = "DELETE",
        .what = what,
        .is_repeatable = true,
        .accepted = { NOT_FOUND, CONFLICT },
    };
    bool is_found;

    (void)snprintf(what, sizeof what, "purge %s '%s'", s->kind, s->name);
    TRY(change_deleted(&is_found, s, &ask, "", &poll, err));
    poll.pause = 0;
    return wait_purged(s, news, &poll, err);
}

se_status vault_purge(struct vault_object *out, const struct target *target,
                      const struct vault_consent *consent, const struct vault_news *news,
                      se_error *err)
{
    AUTO(admin_session) session = { .vault = NULL };
    AUTO(json) deleted = NULL;

    *out = (struct vault_object){ .kind = "" };
    TRY(admin_session_open(&session, target, VAULT_KIND_ANY, "key purge", err));
    TRY(find_deleted(&deleted, &session, err));
    TRY(check_purgeable(&session, deleted, err));
    TRY(ask_purge(&session, deleted, consent, err));
    if (!consent->dry_run)
        TRY(purge_object(&session, news, err));
    vault_object_read(out, &session, deleted);
    return SE_OK;
}
