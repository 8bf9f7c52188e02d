/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/azure/vault_pending.h"

#include <openssl/err.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "provision/azure/vault_keystore.h"
#include "provision/x509_build.h"

enum { NOT_FOUND = 404, CONFLICT = 409 };

static const char certificates[] = "certificates";

/* ---- reading ---- */

void pending_certificate_free(struct pending_certificate *pending)
{
    X509_REQ_free(pending->request);
    *pending = (struct pending_certificate){ .request = NULL };
}

static void read_text(char *out, size_t room, const json_t *object, const char *member)
{
    const json_t *text = json_object_get(object, member);

    text_copy(out, room, json_is_string(text) ? json_string_value(text) : "",
              json_string_length(text));
    text_clean(out);
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

static se_status read_pending(struct pending_certificate *out, const json_t *json, se_error *err)
{
    *out = (struct pending_certificate){ .request = NULL };
    read_text(out->status, sizeof out->status, json, "status");
    read_text(out->issuer, sizeof out->issuer, json_object_get(json, "issuer"), "name");
    read_text(out->reason, sizeof out->reason, json_object_get(json, "error"), "message");
    if (!*out->reason)
        read_text(out->reason, sizeof out->reason, json, "status_details");
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
    AUTO(vault_reply) reply = { .json = NULL };

    *out = (struct pending_certificate){ .request = NULL };
    TRY(vault_look(&reply, session, certificates, "/pending", "read request of", err));
    return reply.json ? read_pending(out, reply.json, err) : SE_OK;
}

/* ---- making ---- */

static se_status create_body(struct writer *out, const struct vault_session *session,
                             const struct key_profile *key, const struct cert_profile *certificate,
                             const char *issuer, se_error *err)
{
    json_t *policy;

    TRY(vault_policy_make(&policy, session, key, certificate, issuer, err));
    return vault_body(out, json_pack("{so s{sb}}", "policy", policy, "attributes", "enabled", 1),
                      err);
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
    AUTO(vault_reply) reply = { .json = NULL };
    AUTO(pending_certificate) seen = { .request = NULL };
    se_error unheard = SE_ERROR_INIT;
    se_status st =
        vault_look_again(&reply, c->session, certificates, "/pending", "read request of", &unheard);

    if (!st && reply.json)
        st = read_pending(&seen, reply.json, &unheard);
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
    struct vault_call call = {
        .method = "POST",
        .collection = certificates,
        .below = "/create",
        .action = "make certificate",
        .accepted = { CONFLICT },
    };
    se_status st;

    TRY(create_body(&body, session, key, certificate, issuer, err));
    TRY(vault_pending_look(&c.before, session, err));
    call.body = buf_bytes(&body.buf);
    st = vault_call(&reply, session, &call, &failure);
    if (st == SE_ERR_UNAVAILABLE)
        return find_created(out, &c, &failure, err);
    if (st)
        return error_copy(err, st, &failure);
    if (reply.answer.status == CONFLICT)
        return vault_refuse_conflict(&reply, session, &call, "deletedcertificates", err);
    vault_note_speed(session, key);
    return read_pending(out, reply.json, err);
}

/* Until the vault has signed it itself. */
se_status vault_pending_wait(const struct vault_session *session, se_error *err)
{
    const int64_t until = vault_deadline(&session->target->ref);
    AUTO(pending_certificate) pending = { .request = NULL };
    unsigned turn = 0;

    do {
        pending_certificate_free(&pending);
        TRY(vault_pending_look(&pending, session, err));
        if (!strcmp(pending.status, "completed"))
            return SE_OK;
        if (!vault_pending_waits(&pending))
            return error_set(err, SE_ERR_STORE, "the vault does not make the certificate: %s: %s",
                             *pending.status ? pending.status : "there is no request",
                             pending.reason);
    } while (vault_wait(&turn, until));
    return error_set(err, SE_ERR_UNAVAILABLE,
                     "the vault makes the certificate, and has not done it within the deadline: "
                     "`signengine key list` shows when it has");
}

se_status vault_pending_forget(const struct vault_session *session, se_error *err)
{
    AUTO(vault_reply) reply = { .json = NULL };
    const struct vault_call call = {
        .method = "DELETE",
        .collection = certificates,
        .below = "/pending",
        .action = "give up request of",
        .accepted = { NOT_FOUND },
    };

    return vault_call(&reply, session, &call, err);
}
