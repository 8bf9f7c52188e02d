/* SPDX-License-Identifier: Apache-2.0 */
/* A new version of a key, with the certificate or the request that belongs to it. */
#include <openssl/x509v3.h>
#include <stdio.h>
#include <strings.h>

#include "base/clock.h"
#include "crypto/certificate.h"
#include "keystore/keystore.h"
#include "provision/azure/keystore.h"
#include "provision/azure/next_version.h"
#include "provision/azure/pending.h"
#include "provision/x509_build.h"

enum {
    SPREADING_MS = 15000, /* a version that was just made is not everywhere at once */
    PENDING_MS = 300000,
};

void vault_rotated_free(struct vault_rotated *rotated)
{
    se_buf_free(&rotated->made);
    se_buf_free(&rotated->configuration);
    *rotated = (struct vault_rotated){ .made = SE_BUF_INIT };
}

/* ---- what is there ---- */

/* Who may not read it does not hear of it. */
static void note_policy(const struct vault_session *s)
{
    AUTO(json) policy = NULL;

    if (!vault_session_find(&policy, s, "rotationpolicy", NULL) && answer_rotates(policy))
        target_note(s->target,
                    "a rotation policy makes versions of key '%s' behind our back, without a "
                    "certificate: take it away, as `key rotate` does it with one",
                    s->name);
}

static void note_replicas(const struct vault_session *s)
{
    const struct key_entry *entry = s->target->entry;

    if (entry && entry->count > 1)
        target_note(s->target,
                    "the other replicas of key '%s' do not have the new version: `key backup` "
                    "and `key restore` bring it to vaults that take it",
                    entry->name);
}

/* ---- key mode ---- */

/* What the new certificate says unless it is asked for otherwise: what the old one says. */
static se_status inherit_profile(struct cert_profile *profile, const struct vault_session *s,
                                 const struct provision_profile *wanted, se_error *err)
{
    AUTO(certificates) configured = { .own = NULL };

    /* without one, a version gets its first */
    if (store_configured_certificate(&configured, &s->target->ref, NULL))
        return SE_OK;
    return configured.own ? cert_profile_inherit(profile, configured.own, wanted, err) : SE_OK;
}

/* Or takes the one that is there. */
static se_status make_version(json_t **out, const struct vault_session *s, const char *version,
                              se_error *err)
{
    const struct vault_call call = {
        .method = *version ? "GET" : "POST",
        .verb = *version ? "read" : "rotate",
        .below = *version ? version : "rotate",
    };

    return vault_session_fetch(out, s, &call, err);
}

static se_status open_pair(struct key_pair *out, const struct vault_session *s, const json_t *json,
                           se_error *err)
{
    struct vault_key_answer answer;
    struct object_id id;

    TRY(answer_key(&answer, json, err));
    TRY(object_id_parse(&id, vault_place(s->vault), s->collection, answer.id, err));
    return vault_pair_open(out, s, &answer, err);
}

static se_status sign_once(se_buf *out, const struct key_pair *pair,
                           const struct cert_profile *profile, bool is_request, se_error *err)
{
    AUTO(x509) certificate = NULL;
    AUTO(x509_req) request = NULL;

    if (is_request) {
        TRY(x509_build_request(&request, pair, profile, err));
        return x509_request_pem(out, request, err);
    }
    TRY(x509_build_certificate(&certificate, pair, profile, err));
    return x509_certificate_pem(out, certificate, err);
}

/* A version that was just made may be unknown for some seconds. */
static se_status sign_new(se_buf *out, const struct key_pair *pair,
                          const struct cert_profile *profile, bool is_request, se_error *err)
{
    struct vault_poll poll = { .until = clock_monotonic_ms() + SPREADING_MS };
    se_error failure = SE_ERROR_INIT;
    se_status st;

    while ((st = sign_once(out, pair, profile, is_request, &failure)) == SE_ERR_KEY &&
           vault_poll_wait(&poll))
        failure = (se_error)SE_ERROR_INIT;
    return st ? error_copy(err, st, &failure) : SE_OK;
}

static se_status finish_key(struct vault_rotated *out, const struct vault_session *s,
                            const json_t *json, const struct vault_rotation *how, se_error *err)
{
    AUTO(key_pair) pair = { NULL, NULL };
    AUTO(cert_profile) profile = { .subject = NULL };

    TRY(open_pair(&pair, s, json, err));
    TRY(cert_profile_parse(&profile, how->wanted, s->target, key_family(pair.public_key), err));
    TRY(inherit_profile(&profile, s, how->wanted, err));
    TRY(sign_new(&out->made, &pair, &profile, how->is_request, err));
    return next_version_write(&out->configuration, s, out->object.id, how->certificate, err);
}

static se_status rotate_key(struct vault_rotated *out, const struct vault_session *s,
                            const struct vault_rotation *how, se_error *err)
{
    AUTO(json) json = NULL;
    se_status st;

    note_policy(s);
    note_replicas(s);
    TRY(make_version(&json, s, how->version, err));
    vault_object_read(&out->object, s, json);
    if (!(st = finish_key(out, s, json, how, err)))
        return SE_OK;
    return error_prefix(err, st,
                        "%s is made, but not its %s, which `key rotate --key-version` makes: ",
                        out->object.id, how->is_request ? "request" : "certificate");
}

/* ---- certificate mode: the vault makes key and certificate as the policy says ---- */

static se_status read_policy(json_t **out, const struct vault_session *s,
                             const struct vault_rotation *how, se_error *err)
{
    AUTO(json) policy = NULL;
    json_t *issuer;

    *out = NULL;
    TRY(vault_session_find(&policy, s, "policy", err));
    if (!policy)
        return error_set(err, SE_ERR_KEY, "the vault has no certificate '%s'", s->name);
    issuer = json_object_get(policy, "issuer");
    if ((how->is_request && json_object_set_new(issuer, "name", json_string("Unknown"))) ||
        json_object_set_new(json_object_get(policy, "key_props"), "reuse_key", json_false()))
        return error_set(err, SE_ERR_STORE, "the policy of certificate '%s' makes no sense",
                         s->name);
    (void)json_object_del(policy, "id");
    (void)json_object_del(policy, "attributes");
    if (!how->is_request && strcasecmp(member_text(issuer, "name"), "Unknown") == 0)
        return error_set(err, SE_ERR_USAGE,
                         "a CA that the vault does not know issues certificate '%s': --request "
                         "makes a request for it",
                         s->name);
    *out = MOVE(policy);
    return SE_OK;
}

static se_status order_certificate(struct pending_certificate *out, const struct vault_session *s,
                                   json_t *policy, se_error *err)
{
    AUTO(json) json = NULL;
    AUTO(writer) body = { 0 };
    const struct vault_call call = {
        .method = "POST",
        .verb = "make a new version of",
        .below = "create",
        .body = &body,
    };

    TRY(vault_body_write(&body, json_pack("{s:O}", "policy", policy), err));
    TRY(vault_session_fetch(&json, s, &call, err));
    return pending_certificate_read(out, json, err);
}

static se_status take_request(struct vault_rotated *out, const struct vault_session *s,
                              const struct pending_certificate *pending, se_error *err)
{
    if (!pending->request)
        return error_set(err, SE_ERR_STORE, "the vault has made no request");
    out->object = (struct vault_object){ .kind = s->kind };
    (void)snprintf(out->object.id, sizeof out->object.id, "%s", pending->id);
    return x509_request_pem(&out->made, pending->request, err);
}

static se_status take_certificate(struct vault_rotated *out, const struct vault_session *s,
                                  se_error *err)
{
    AUTO(json) json = NULL;
    AUTO(vault_certificate_answer) answer = { .id = "" };
    AUTO(x509) certificate = NULL;

    TRY(vault_session_find(&json, s, NULL, err));
    if (!json)
        return error_set(err, SE_ERR_KEY, "certificate '%s' is gone", s->name);
    TRY(answer_certificate(&answer, json, err));
    TRY(certificate_parse(&certificate, buf_bytes(&answer.certificate), err));
    vault_object_read(&out->object, s, json);
    return x509_certificate_pem(&out->made, certificate, err);
}

static se_status rotate_certificate(struct vault_rotated *out, const struct vault_session *s,
                                    const struct vault_rotation *how, se_error *err)
{
    AUTO(json) policy = NULL;
    AUTO(pending_certificate) pending = { .request = NULL };

    if (*how->version)
        return error_set(err, SE_ERR_USAGE,
                         "--key-version is for keys: the vault makes certificate and key together");
    TRY(read_policy(&policy, s, how, err));
    TRY(order_certificate(&pending, s, policy, err));
    if (how->is_request)
        return take_request(out, s, &pending, err);
    TRY(vault_pending_wait(s, clock_monotonic_ms() + PENDING_MS, err));
    TRY(take_certificate(out, s, err));
    target_note(s->target,
                "the configuration names no version: who opens certificate '%s' from now on uses "
                "the new one",
                s->name);
    return SE_OK;
}

/* ---- both ---- */

static se_status rotate_object(struct vault_rotated *out, const struct target *target,
                               const struct vault_rotation *how, se_error *err)
{
    AUTO(vault_session) session = { .vault = NULL };

    TRY(vault_session_open(&session, target, VAULT_STORES_ALL, "key rotate", err));
    return session.is_certificate ? rotate_certificate(out, &session, how, err)
                                  : rotate_key(out, &session, how, err);
}

se_status vault_rotate(struct vault_rotated *out, const struct target *target,
                       const struct vault_rotation *how, se_error *err)
{
    AUTO(vault_rotated) made = { .made = SE_BUF_INIT, .configuration = SE_BUF_INIT };

    *out = (struct vault_rotated){ .made = SE_BUF_INIT, .configuration = SE_BUF_INIT };
    TRY(rotate_object(&made, target, how, err));
    *out = MOVE(made);
    return SE_OK;
}
