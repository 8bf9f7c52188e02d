/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/azure/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "keystore/azure/answer.h"

enum { NOT_FOUND = 404, PAUSE_FIRST_MS = 250, PAUSE_MOST_MS = 5000 };

/* ---- its life ---- */

static bool is_managed_hsm(const struct target *target)
{
    return strcmp(target->ref.store, "AzureManagedHSM") == 0;
}

static se_status check_store(const struct target *target, enum vault_kinds kinds, const char *what,
                             se_error *err)
{
    const bool is_vault = strcmp(target->ref.store, "AzureKeyVault") == 0;

    if (is_managed_hsm(target) || (is_vault && kinds == VAULT_KIND_ANY))
        return SE_OK;
    return error_set(err, SE_ERR_USAGE, "`%s` is for keys in %s: this one is in '%s'", what,
                     kinds == VAULT_KIND_HSM ? "AzureManagedHSM"
                                             : "AzureKeyVault and AzureManagedHSM",
                     target->ref.store);
}

/* As the store reads it: an alias names a certificate unless one is configured. */
static bool is_of_certificate(const struct keyref *ref)
{
    if (ref->mode)
        return ref->mode == VAULT_MODE_CERTIFICATE;
    return !*ref->certificate && !ref->certificate_der.size;
}

se_status admin_session_open(struct admin_session *out, const struct target *target,
                             enum vault_kinds kinds, const char *what, se_error *err)
{
    bool is_certificate;

    *out = (struct admin_session){ .target = target };
    TRY(check_store(target, kinds, what, err));
    is_certificate = !is_managed_hsm(target) && is_of_certificate(&target->ref);
    out->kind = is_certificate ? "certificate" : "key";
    out->collection = is_certificate ? "certificates" : "keys";
    out->name = target->name;
    return vault_open(&out->vault, &target->ref, err);
}

void admin_session_close(struct admin_session *session)
{
    vault_close(session->vault);
    *session = (struct admin_session){ .target = NULL };
}

/* ---- requests ---- */

static se_status send_request(struct http_answer *out, const struct admin_session *session,
                              const struct vault_ask *ask, const char *path, se_error *err)
{
    const struct keyref *ref = &session->target->ref;
    const struct vault_request request = {
        .method = ask->method,
        .path = path,
        .query = ask->query,
        .api_version = ask->api_version && !*ref->api_version ? ask->api_version : ref->api_version,
        .what = ask->what,
        .body = ask->body ? buf_bytes(&ask->body->buf) : (se_bytes){ NULL, 0 },
        .is_repeatable = ask->is_repeatable,
        .until = vault_deadline(ref),
        .accepted = { ask->accepted[0], ask->accepted[1], ask->accepted[2] },
    };

    return vault_send(out, session->vault, &request, NULL, err);
}

se_status admin_session_ask(struct http_answer *out, const struct admin_session *session,
                            const struct vault_ask *ask, se_error *err, const char *path, ...)
{
    char text[2048];
    va_list args;
    int size;

    *out = (struct http_answer){ .status = 0 };
    va_start(args, path);
    size = vsnprintf(text, sizeof text, path, args);
    va_end(args);
    if (size < 0 || (size_t)size >= sizeof text)
        return error_set(err, SE_ERR_STORE, "the vault names an address that is too long");
    if (ask->body && ask->body->failed)
        return error_memory(err);
    return send_request(out, session, ask, text, err);
}

se_status admin_session_json(json_t **out, const struct admin_session *session,
                             const struct http_answer *answer, se_error *err)
{
    *out = NULL;
    if (answer->status < 200 || answer->status > 299)
        return SE_OK;
    TRY_PREFIX(answer_json(out, answer, err), err,
               "vault '%s': ", vault_place(session->vault)->host);
    return SE_OK;
}

static se_status find_object(json_t **out, const struct admin_session *session, const char *prefix,
                             const char *below, se_error *err)
{
    AUTO(http_answer) answer = { .status = 0 };
    char what[256];
    const struct vault_ask ask = {
        .method = "GET",
        .what = what,
        .is_repeatable = true,
        .accepted = { NOT_FOUND },
    };

    *out = NULL;
    (void)snprintf(what, sizeof what, "read %s%s '%s'", *prefix ? "deleted " : "", session->kind,
                   session->name);
    TRY(admin_session_ask(&answer, session, &ask, err, "/%s%s/%s%s", prefix, session->collection,
                          session->name, below));
    return admin_session_json(out, session, &answer, err);
}

se_status admin_session_find(json_t **out, const struct admin_session *session, const char *below,
                             se_error *err)
{
    return find_object(out, session, "", below, err);
}

se_status admin_session_find_deleted(json_t **out, const struct admin_session *session,
                                     se_error *err)
{
    return find_object(out, session, "deleted", "", err);
}

/* ---- what is in an answer ---- */

const char *json_member_text(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text ? text : "";
}

int64_t json_member_number(const json_t *json, const char *name)
{
    return json_integer_value(json_object_get(json, name));
}

void vault_object_read(struct vault_object *out, const struct admin_session *session,
                       const json_t *json)
{
    const json_t *key = json_object_get(json, "key");
    const char *id = key ? json_member_text(key, "kid") : json_member_text(json, "id");

    *out = (struct vault_object){ .kind = session->kind };
    text_copy(out->id, sizeof out->id, id, strlen(id));
    text_clean(out->id);
}

/* ---- JSON out ---- */

void writer_json_text(struct writer *w, se_bytes text)
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

/* ---- waiting ---- */

bool vault_poll_wait(struct vault_poll *poll)
{
    const int64_t now = clock_monotonic_ms();
    struct timespec pause;

    if (now >= poll->until)
        return false;
    poll->pause = poll->pause ? poll->pause * 2 : PAUSE_FIRST_MS;
    if (poll->pause > PAUSE_MOST_MS)
        poll->pause = PAUSE_MOST_MS;
    pause = (struct timespec){ poll->pause / 1000, (long)(poll->pause % 1000) * 1000000 };
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    return true;
}

static void tell_news(void (*tell)(void *arg, const char *text), void *arg, const char *format,
                      va_list args)
{
    char text[1024];

    (void)vsnprintf(text, sizeof text, format, args);
    text_clean(text);
    tell(arg, text);
}

void vault_news_progress(const struct vault_news *news, const char *format, ...)
{
    va_list args;

    if (!news || !news->progress)
        return;
    va_start(args, format);
    tell_news(news->progress, news->arg, format, args);
    va_end(args);
}

void vault_news_warn(const struct vault_news *news, const char *format, ...)
{
    va_list args;

    if (!news || !news->warn)
        return;
    va_start(args, format);
    tell_news(news->warn, news->arg, format, args);
    va_end(args);
}
