/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/azure/vault_session.h"

#include <ctype.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "crypto/crypto.h"

enum { NAME_MOST = 127, NOT_FOUND = 404, CONFLICT = 409, FORBIDDEN = 403 };

/* ---- opening ---- */

static bool is_vault_name(const char *name)
{
    const char *p = name;

    while (isalnum((unsigned char)*p) || *p == '-')
        p++;
    return *name && !*p && p - name <= NAME_MOST;
}

se_status vault_session_open(struct vault_session *out, const struct target *target, se_error *err)
{
    *out = (struct vault_session){ .target = target, .name = target->name };
    if (!is_vault_name(target->name))
        return error_set(err, SE_ERR_USAGE,
                         "a vault takes names of 1 to %d letters, digits and '-' only: choose "
                         "another alias",
                         NAME_MOST);
    return vault_open(&out->vault, &target->ref, err);
}

void vault_session_close(struct vault_session *session)
{
    vault_close(session->vault);
    *session = (struct vault_session){ .name = NULL };
}

/* ---- calls ---- */

void vault_reply_free(struct vault_reply *reply)
{
    json_decref(reply->json);
    http_answer_free(&reply->answer);
    *reply = (struct vault_reply){ .json = NULL };
}

static bool is_success(const struct vault_reply *reply)
{
    return reply->answer.status < 300 && reply->answer.body.buf.size;
}

static void write_what(struct writer *out, const struct vault_session *session,
                       const struct vault_call *call)
{
    writer_format(out, "%s '%s'", call->action, session->name);
}

static se_status send_call(struct http_answer *out, const struct vault_session *session,
                           const struct vault_call *call, se_error *err)
{
    const struct keyref *ref = &session->target->ref;
    AUTO(writer) path = { 0 };
    AUTO(writer) what = { 0 };
    struct vault_request request = {
        .method = call->method,
        .api_version = ref->api_version,
        .body = call->body,
        .is_repeatable = call->is_repeatable,
        .until = vault_deadline(ref),
    };

    writer_format(&path, "/%s/%s%s", call->collection, session->name,
                  call->below ? call->below : "");
    write_what(&what, session, call);
    if (path.failed || what.failed)
        return error_memory(err);
    request.path = writer_string(&path);
    request.what = writer_string(&what);
    memcpy(request.accepted, call->accepted, sizeof request.accepted);
    return vault_send(out, session->vault, &request, NULL, err);
}

se_status vault_call(struct vault_reply *out, const struct vault_session *session,
                     const struct vault_call *call, se_error *err)
{
    *out = (struct vault_reply){ .json = NULL };
    TRY(send_call(&out->answer, session, call, err));
    if (is_success(out))
        TRY_PREFIX(answer_json(&out->json, &out->answer, err), err,
                   "vault '%s': ", vault_place(session->vault)->host);
    return SE_OK;
}

se_status vault_reply_failure(const struct vault_reply *reply, const struct vault_session *session,
                              const struct vault_call *call, se_error *err)
{
    AUTO(writer) what = { 0 };

    write_what(&what, session, call);
    return error_prefix(err, answer_failure(&reply->answer, writer_string(&what), err),
                        "vault '%s': ", vault_place(session->vault)->host);
}

se_status vault_look(struct vault_reply *out, const struct vault_session *session,
                     const char *collection, const char *below, const char *action, se_error *err)
{
    const struct vault_call call = {
        .method = "GET",
        .collection = collection,
        .below = below,
        .action = action,
        .is_repeatable = true,
        .accepted = { NOT_FOUND },
    };

    return vault_call(out, session, &call, err);
}

/* ---- names that are deleted ---- */

int64_t vault_purge_date(const json_t *json)
{
    return json_integer_value(json_object_get(json, "scheduledPurgeDate"));
}

/* Whoever may make keys need not be allowed to see the deleted ones. */
static bool find_deleted(int64_t *purged, const struct vault_session *session, const char *deleted)
{
    AUTO(vault_reply) reply = { .json = NULL };
    se_error unheard = SE_ERROR_INIT;

    *purged = 0;
    if (vault_look(&reply, session, deleted, NULL, "read deleted", &unheard) || !reply.json)
        return false;
    *purged = vault_purge_date(reply.json);
    return true;
}

static se_status refuse_deleted(const struct vault_session *session, int64_t purged, se_error *err)
{
    char date[TIME_TEXT_ROOM];

    time_format(date, TIME_READABLE, purged);
    return error_set(err, SE_ERR_USAGE,
                     "the name '%s' is taken by a deleted one%s%s: `signengine key recover` brings "
                     "it back, `signengine key purge` frees the name",
                     session->name, purged ? ", until " : "", purged ? date : "");
}

/* A Managed HSM says no more than "Conflict". */
se_status vault_refuse_conflict(const struct vault_reply *reply,
                                const struct vault_session *session, const struct vault_call *call,
                                const char *deleted, se_error *err)
{
    int64_t purged;
    bool is_found;
    char code[64];

    answer_code(code, &reply->answer);
    if (!strcmp(code, "ObjectIsBeingDeleted"))
        return error_set(err, SE_ERR_UNAVAILABLE,
                         "the vault is still deleting '%s': wait some seconds, then recover or "
                         "purge it",
                         session->name);
    is_found = find_deleted(&purged, session, deleted);
    if (is_found || !strcmp(code, "ObjectIsDeletedButRecoverable"))
        return refuse_deleted(session, purged, err);
    return vault_reply_failure(reply, session, call, err);
}

/* ---- waiting and deleting ---- */

bool vault_wait(unsigned *turn, int64_t until)
{
    enum { FIRST_MS = 200, TURNS_LONGER = 4 };
    const int64_t delay = (int64_t)FIRST_MS << (*turn < TURNS_LONGER ? *turn : TURNS_LONGER);
    const struct timespec t = { delay / 1000, (long)(delay % 1000) * 1000000 };

    ++*turn;
    if (clock_monotonic_ms() + delay >= until)
        return false;
    (void)nanosleep(&t, NULL);
    return true;
}

se_status vault_look_again(struct vault_reply *out, const struct vault_session *session,
                           const char *collection, const char *below, const char *action,
                           se_error *err)
{
    const int64_t until = vault_deadline(&session->target->ref);
    unsigned turn = 0;
    se_status st;

    *out = (struct vault_reply){ .json = NULL };
    do {
        vault_reply_free(out);
        *err = (se_error)SE_ERROR_INIT;
        st = vault_look(out, session, collection, below, action, err);
    } while (st == SE_ERR_UNAVAILABLE && vault_wait(&turn, until));
    return st;
}

/* Until the deleted one can be seen; who may not see it does not wait. */
static se_status wait_deleted(int64_t *purged, const struct vault_session *session,
                              const char *deleted, se_error *err)
{
    const struct vault_call call = {
        .method = "GET",
        .collection = deleted,
        .action = "read deleted",
        .is_repeatable = true,
        .accepted = { NOT_FOUND, FORBIDDEN },
    };
    const int64_t until = vault_deadline(&session->target->ref);
    unsigned turn = 0;

    do {
        AUTO(vault_reply) reply = { .json = NULL };

        TRY(vault_call(&reply, session, &call, err));
        if (reply.json)
            *purged = vault_purge_date(reply.json);
        if (reply.answer.status != NOT_FOUND)
            return SE_OK;
    } while (vault_wait(&turn, until));
    return error_set(err, SE_ERR_UNAVAILABLE,
                     "the vault deletes '%s', and has not done it within the deadline: `signengine "
                     "key list --deleted` shows when it has",
                     session->name);
}

static void note_deleted(const struct vault_session *session, int64_t purged)
{
    char date[TIME_TEXT_ROOM];

    if (purged)
        target_note(session->target,
                    "'%s' can be brought back with `signengine key recover` until %s",
                    session->name, time_format(date, TIME_READABLE, purged));
}

se_status vault_delete(const struct vault_session *session, const char *collection, se_error *err)
{
    const struct vault_call call = {
        .method = "DELETE",
        .collection = collection,
        .action = "delete",
        .is_repeatable = true,
        .accepted = { NOT_FOUND, CONFLICT }, /* an earlier try did it, whose answer was lost */
    };
    AUTO(vault_reply) reply = { .json = NULL };
    AUTO(writer) deleted = { 0 };
    char code[64];
    int64_t purged;

    TRY(vault_call(&reply, session, &call, err));
    answer_code(code, &reply.answer);
    if (reply.answer.status == CONFLICT && strcmp(code, "ObjectIsBeingDeleted") != 0)
        return vault_reply_failure(&reply, session, &call, err);
    purged = vault_purge_date(reply.json);
    writer_format(&deleted, "deleted%s", collection);
    if (deleted.failed)
        return error_memory(err);
    /* without a date: a vault of old that deletes for good */
    if (purged || !reply.json)
        TRY(wait_deleted(&purged, session, writer_string(&deleted), err));
    note_deleted(session, purged);
    return SE_OK;
}

/* ---- bodies ---- */

se_status vault_tag_make(char out[VAULT_TAG], se_error *err)
{
    unsigned char random[VAULT_TAG / 2];

    *out = '\0';
    if (RAND_bytes_ex(crypto_context(), random, sizeof random, 0) <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "no random bytes");
    for (size_t i = 0; i < sizeof random; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", random[i]);
    return SE_OK;
}

bool vault_tag_is(const json_t *json, const char tag[VAULT_TAG])
{
    const char *there =
        json_string_value(json_object_get(json_object_get(json, "tags"), VAULT_TAG_NAME));

    return there && !strcmp(there, tag);
}

static int write_json(const char *data, size_t size, void *arg)
{
    writer_put(arg, data, size);
    return 0;
}

se_status vault_body(struct writer *out, json_t *json, se_error *err)
{
    AUTO(json) released = json;

    *out = (struct writer){ .failed = false };
    if (!json || json_dump_callback(json, write_json, out, JSON_COMPACT) || out->failed)
        return error_memory(err);
    return SE_OK;
}
