/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/azure/session.h"

#include <ctype.h>
#include <time.h>

#include "base/clock.h"

enum { NAME_MOST = 127, PAUSE_FIRST_MS = 200, PAUSE_MOST_MS = 5000 };

/* ---- its life ---- */

static se_status check_store(const struct target *target, enum vault_stores stores,
                             const char *command, se_error *err)
{
    const char *store = target->ref.store;
    const bool is_hsm = strcmp(store, "AzureManagedHSM") == 0;
    const bool is_vault = strcmp(store, "AzureKeyVault") == 0;

    if (is_hsm || (is_vault && stores == VAULT_STORES_ALL))
        return SE_OK;
    return error_set(err, SE_ERR_USAGE, "`%s` is for keys in %s: this one is in '%s'", command,
                     stores == VAULT_STORES_HSM ? "AzureManagedHSM"
                                                : "AzureKeyVault and AzureManagedHSM",
                     store);
}

static se_status check_name(const char *name, se_error *err)
{
    const char *p = name;

    while (isalnum((unsigned char)*p) || *p == '-')
        p++;
    if (*name && !*p && p - name <= NAME_MOST)
        return SE_OK;
    return error_set(err, SE_ERR_USAGE,
                     "a vault takes names of 1 to %d letters, digits and '-' only: choose another "
                     "alias",
                     NAME_MOST);
}

se_status vault_session_open(struct vault_session *out, const struct target *target,
                             enum vault_stores stores, const char *command, se_error *err)
{
    const bool is_certificate = place_names_certificate(&target->ref);

    *out = (struct vault_session){
        .target = target,
        .is_certificate = is_certificate,
        .kind = is_certificate ? "certificate" : "key",
        .collection = is_certificate ? "certificates" : "keys",
        .name = target->name,
    };
    TRY(check_store(target, stores, command, err));
    TRY(check_name(target->name, err));
    return vault_open(&out->vault, &target->ref, err);
}

void vault_session_close(struct vault_session *session)
{
    vault_close(session->vault);
    *session = (struct vault_session){ .name = NULL };
}

struct vault_caller vault_session_caller(const struct vault_session *session)
{
    const struct keyref *ref = &session->target->ref;

    return (struct vault_caller){ session->vault, ref, vault_deadline(ref) };
}

/* ---- requests ---- */

void vault_reply_free(struct vault_reply *reply)
{
    json_decref(reply->json);
    http_answer_free(&reply->answer);
    *reply = (struct vault_reply){ .json = NULL };
}

static void write_path(struct writer *out, const struct vault_session *session,
                       const struct vault_call *call)
{
    if (call->path)
        writer_text(out, call->path);
    else
        writer_format(out, "/%s%s/%s%s%s", call->is_deleted ? "deleted" : "", session->collection,
                      session->name, call->below ? "/" : "", call->below ? call->below : "");
}

static void write_what(struct writer *out, const struct vault_session *session,
                       const struct vault_call *call)
{
    if (call->path)
        writer_text(out, call->verb);
    else
        writer_format(out, "%s %s%s '%s'", call->verb, call->is_deleted ? "deleted " : "",
                      session->kind, session->name);
}

static se_status send_call(struct http_answer *out, const struct vault_session *session,
                           const struct vault_call *call, se_error *err)
{
    const struct keyref *ref = &session->target->ref;
    AUTO(writer) path = { 0 };
    AUTO(writer) what = { 0 };
    struct vault_request request = {
        .method = call->method,
        .api_version =
            call->api_version && !*ref->api_version ? call->api_version : ref->api_version,
        .is_repeatable = call->is_repeatable,
        .until = vault_deadline(ref),
    };

    write_path(&path, session, call);
    write_what(&what, session, call);
    if (path.failed || what.failed || (call->body && call->body->failed))
        return error_memory(err);
    request.path = writer_string(&path);
    request.what = writer_string(&what);
    if (call->body)
        request.body = buf_bytes(&call->body->buf);
    memcpy(request.accepted, call->accepted, sizeof request.accepted);
    return vault_send(out, session->vault, &request, NULL, err);
}

/* What is deleted may be answered for with nothing. */
static bool has_json(const struct http_answer *answer, const struct vault_call *call)
{
    return answer->status < 300 && (answer->body.buf.size || strcmp(call->method, "DELETE") != 0);
}

se_status vault_session_call(struct vault_reply *out, const struct vault_session *session,
                             const struct vault_call *call, se_error *err)
{
    *out = (struct vault_reply){ .json = NULL };
    TRY(send_call(&out->answer, session, call, err));
    if (!has_json(&out->answer, call))
        return SE_OK;
    return vault_context(session->vault, answer_json(&out->json, &out->answer, err), err);
}

se_status vault_session_fetch(json_t **out, const struct vault_session *session,
                              const struct vault_call *call, se_error *err)
{
    AUTO(vault_reply) reply = { .json = NULL };

    *out = NULL;
    TRY(vault_session_call(&reply, session, call, err));
    *out = MOVE(reply.json);
    return SE_OK;
}

se_status vault_session_failure(const struct vault_reply *reply,
                                const struct vault_session *session, const struct vault_call *call,
                                se_error *err)
{
    AUTO(writer) what = { 0 };

    write_what(&what, session, call);
    return vault_context(session->vault, answer_failure(&reply->answer, writer_string(&what), err),
                         err);
}

se_status vault_session_find(json_t **out, const struct vault_session *session, const char *below,
                             se_error *err)
{
    const struct vault_call call = {
        .method = "GET",
        .verb = "read",
        .below = below,
        .is_repeatable = true,
        .accepted = { HTTP_NOT_FOUND },
    };

    return vault_session_fetch(out, session, &call, err);
}

se_status vault_session_find_deleted(json_t **out, const struct vault_session *session,
                                     se_error *err)
{
    const struct vault_call call = {
        .method = "GET",
        .verb = "read",
        .is_deleted = true,
        .is_repeatable = true,
        .accepted = { HTTP_NOT_FOUND },
    };

    return vault_session_fetch(out, session, &call, err);
}

se_status vault_session_find_again(json_t **out, const struct vault_session *session,
                                   const char *below)
{
    struct vault_poll poll = { .until = vault_deadline(&session->target->ref) };
    se_status st;

    do
        st = vault_session_find(out, session, below, NULL);
    while (st == SE_ERR_UNAVAILABLE && vault_poll_wait(&poll));
    return st;
}

/* ---- what is in answers, and in bodies ---- */

void vault_object_read(struct vault_object *out, const struct vault_session *session,
                       const json_t *json)
{
    const json_t *key = json_object_get(json, "key");

    *out = (struct vault_object){ .kind = session->kind };
    member_copy(out->id, sizeof out->id, key ? key : json, key ? "kid" : "id");
}

static int write_json(const char *data, size_t size, void *arg)
{
    writer_put(arg, data, size);
    return 0;
}

se_status vault_body_write(struct writer *out, json_t *json, se_error *err)
{
    AUTO(json) released = json;

    *out = (struct writer){ .failed = false };
    if (!json || json_dump_callback(json, write_json, out, JSON_COMPACT) || out->failed)
        return error_memory(err);
    return SE_OK;
}

/* ---- waiting ---- */

bool vault_poll_wait(struct vault_poll *poll)
{
    const int64_t left = poll->until - clock_monotonic_ms();
    struct timespec pause;

    if (left <= 0)
        return false;
    poll->pause = poll->pause ? poll->pause * 2 : PAUSE_FIRST_MS;
    if (poll->pause > PAUSE_MOST_MS)
        poll->pause = PAUSE_MOST_MS;
    if (poll->pause > left)
        poll->pause = (unsigned)left;
    pause = (struct timespec){ poll->pause / 1000, (long)(poll->pause % 1000) * 1000000 };
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    return true;
}
