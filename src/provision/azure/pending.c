/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/azure/pending.h"

#include <openssl/err.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "provision/azure/deleted.h"
#include "provision/azure/keystore.h"
#include "provision/x509_build.h"

/* ---- reading ---- */

void pending_certificate_free(struct pending_certificate *pending)
{
    X509_REQ_free(pending->request);
    *pending = (struct pending_certificate){ .request = NULL };
}

static se_status read_request(X509_REQ **out, const json_t *csr, se_error *err)
{
    AUTO(se_buf) der = SE_BUF_INIT;
    const unsigned char *p;
    AUTO(x509_req) request = NULL;

    *out = NULL;
    if (!json_is_string(csr))
        return SE_OK;
    if (base64_decode(&der, (se_bytes){ json_string_value(csr), json_string_length(csr) }, NULL))
        return error_set(err, SE_ERR_STORE, "the vault's request (csr) is no base64");
    p = der.data;
    request = X509_REQ_new_ex(crypto_context(), NULL);
    if (!request || !d2i_X509_REQ(&request, &p, (long)der.size) || p != der.data + der.size)
        return crypto_error(err, SE_ERR_STORE, "the vault's request (csr) can't be read");
    *out = MOVE(request);
    return SE_OK;
}

se_status pending_certificate_read(struct pending_certificate *out, const json_t *json,
                                   se_error *err)
{
    *out = (struct pending_certificate){ .request = NULL };
    member_copy(out->id, sizeof out->id, json, "id");
    member_copy(out->status, sizeof out->status, json, "status");
    member_copy(out->issuer, sizeof out->issuer, json_object_get(json, "issuer"), "name");
    member_copy(out->reason, sizeof out->reason, json_object_get(json, "error"), "message");
    if (!*out->reason)
        member_copy(out->reason, sizeof out->reason, json, "status_details");
    return read_request(&out->request, json_object_get(json, "csr"), err);
}

bool vault_pending_waits(const struct pending_certificate *pending)
{
    return !strcmp(pending->status, "inProgress");
}

/* out->request is NULL: nothing is pending. */
se_status vault_pending_look(struct pending_certificate *out, const struct vault_session *session,
                             se_error *err)
{
    AUTO(json) json = NULL;

    *out = (struct pending_certificate){ .request = NULL };
    TRY(vault_session_find(&json, session, "pending", err));
    return json ? pending_certificate_read(out, json, err) : SE_OK;
}

/* ---- making ---- */

static se_status create_body(struct writer *out, const struct vault_session *session,
                             const struct key_profile *key, const struct cert_profile *certificate,
                             const char *issuer, se_error *err)
{
    json_t *policy;

    TRY(vault_policy_make(&policy, session, key, certificate, issuer, err));
    return vault_body_write(
        out, json_pack("{so s{sb}}", "policy", policy, "attributes", "enabled", 1), err);
}

/* What is to be made, and what was pending before. */
struct creation {
    const struct vault_session *session;
    const struct key_profile *key;
    const struct cert_profile *certificate;
    struct pending_certificate before;
};
static void creation_free(struct creation *creation)
{
    pending_certificate_free(&creation->before);
}
AUTO_KIND(creation, struct creation, creation_free(p))

static bool is_created(const struct creation *c, const struct pending_certificate *seen)
{
    se_error unheard = SE_ERROR_INIT;

    return seen->request &&
           !(c->before.request && EVP_PKEY_eq(X509_REQ_get0_pubkey(seen->request),
                                              X509_REQ_get0_pubkey(c->before.request)) == 1) &&
           !vault_request_check(seen->request, c->key, c->certificate, &unheard);
}

/* Of a lost answer: whether a request is there that is what was asked for, and was not before. */
static se_status find_created(struct pending_certificate *out, const struct creation *c,
                              const se_error *lost, se_error *err)
{
    AUTO(json) json = NULL;
    AUTO(pending_certificate) seen = { .request = NULL };
    se_status st = vault_session_find_again(&json, c->session, "pending");

    if (!st && json)
        st = pending_certificate_read(&seen, json, NULL);
    if (!st && is_created(c, &seen)) {
        *out = MOVE(seen);
        return SE_OK;
    }
    (void)error_copy(err, SE_ERR_UNAVAILABLE, lost);
    return error_suffix(err, SE_ERR_UNAVAILABLE,
                        st ? "; whether the vault makes the certificate is not known: look with "
                             "`signengine key list` before another one is made"
                           : "; the vault makes no such certificate");
}

se_status vault_pending_create(struct pending_certificate *out, const struct vault_session *session,
                               const struct key_profile *key,
                               const struct cert_profile *certificate, const char *issuer,
                               se_error *err)
{
    AUTO(creation) c = { .session = session, .key = key, .certificate = certificate };
    AUTO(vault_reply) reply = { .json = NULL };
    AUTO(writer) body = { 0 };
    se_error failure = SE_ERROR_INIT;
    const struct vault_call call = {
        .method = "POST",
        .verb = "make",
        .below = "create",
        .body = &body,
        .accepted = { HTTP_CONFLICT },
    };
    se_status st;

    TRY(create_body(&body, session, key, certificate, issuer, err));
    TRY(vault_pending_look(&c.before, session, err));
    st = vault_session_call(&reply, session, &call, &failure);
    if (st == SE_ERR_UNAVAILABLE)
        return find_created(out, &c, &failure, err);
    if (st)
        return error_copy(err, st, &failure);
    if (reply.answer.status == HTTP_CONFLICT)
        return vault_refuse_conflict(&reply, session, &call, err);
    vault_note_speed(session, key);
    return pending_certificate_read(out, reply.json, err);
}

se_status vault_pending_wait(const struct vault_session *session, int64_t until, se_error *err)
{
    struct vault_poll poll = { .until = until };
    AUTO(pending_certificate) pending = { .request = NULL };

    do {
        pending_certificate_free(&pending);
        TRY(vault_pending_look(&pending, session, err));
        if (!strcmp(pending.status, "completed"))
            return SE_OK;
        if (!vault_pending_waits(&pending))
            return error_set(err, SE_ERR_STORE, "the vault does not make the certificate: %s: %s",
                             *pending.status ? pending.status : "there is no request",
                             pending.reason);
        target_progress(session->target, "certificate '%s': being made", session->name);
    } while (vault_poll_wait(&poll));
    return error_set(err, SE_ERR_UNAVAILABLE,
                     "the vault makes the certificate, and has not done it within the deadline: "
                     "`signengine key list` shows when it has");
}

se_status vault_pending_forget(const struct vault_session *session, se_error *err)
{
    AUTO(vault_reply) reply = { .json = NULL };
    const struct vault_call call = {
        .method = "DELETE",
        .verb = "give up the request for",
        .below = "pending",
        .accepted = { HTTP_NOT_FOUND },
    };

    return vault_session_call(&reply, session, &call, err);
}
