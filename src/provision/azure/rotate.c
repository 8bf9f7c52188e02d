/* SPDX-License-Identifier: Apache-2.0 */
/* A new version of a key, with the certificate or the request that belongs to it. */
#include <openssl/pem.h>
#include <stdio.h>
#include <strings.h>

#include "base/base64.h"
#include "base/clock.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "keystore/azure/answer.h"
#include "keystore/azure/jwk.h"
#include "keystore/azure/key.h"
#include "keystore/keystore.h"
#include "provision/azure/next_version.h"
#include "provision/azure/session.h"
#include "provision/x509_build.h"

AUTO_KIND(bio, BIO *, BIO_free(*p))

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

static bool has_rotation(const json_t *policy)
{
    size_t i;
    const json_t *action;

    json_array_foreach(json_object_get(policy, "lifetimeActions"), i, action)
    {
        const char *type = json_member_text(json_object_get(action, "action"), "type");

        if (strcasecmp(type, "rotate") == 0)
            return true;
    }
    return false;
}

/* Who may not read it does not hear of it. */
static void warn_policy(const struct admin_session *s, const struct vault_news *news)
{
    AUTO(json) policy = NULL;

    if (!admin_session_find(&policy, s, "/rotationpolicy", NULL) && has_rotation(policy))
        vault_news_warn(news,
                        "a rotation policy makes versions of key '%s' behind our back, without a "
                        "certificate: take it away, as `key rotate` does it with one",
                        s->name);
}

static void warn_replicas(const struct admin_session *s, const struct vault_news *news)
{
    const struct key_entry *entry = s->target->entry;

    if (entry && entry->count > 1)
        vault_news_warn(news,
                        "the other replicas of key '%s' do not have the new version: `key backup` "
                        "and `key restore` bring it to vaults that take it",
                        entry->name);
}

/* ---- key mode ---- */

/* What the new certificate says unless it is asked for otherwise: what the old one says. */
static se_status inherit_profile(struct cert_profile *profile, const struct admin_session *s,
                                 const struct provision_profile *wanted, se_error *err)
{
    AUTO(x509) old = NULL;
    AUTO(x509_stack) chain = NULL;

    /* without one, a version gets its first */
    if (store_configured_certificate(&old, &chain, &s->target->ref, NULL))
        return SE_OK;
    if (old && !*wanted->subject) {
        X509_NAME_free(profile->subject);
        profile->subject = X509_NAME_dup(X509_get_subject_name(old));
    }
    if (old && !wanted->alternative_count)
        profile->alternatives = X509_get_ext_d2i(old, NID_subject_alt_name, NULL, NULL);
    if (old && !*wanted->usage)
        profile->uses = certificate_uses(old);
    return profile->subject ? SE_OK : error_memory(err);
}

static se_status make_version(json_t **out, const struct admin_session *s, const char *version,
                              se_error *err)
{
    AUTO(http_answer) answer = { .status = 0 };
    char what[256];
    const struct vault_ask ask = { .method = *version ? "GET" : "POST", .what = what };

    (void)snprintf(what, sizeof what, "%s key '%s'", *version ? "read" : "rotate", s->name);
    TRY(admin_session_ask(&answer, s, &ask, err, "/keys/%s/%s", s->name,
                          *version ? version : "rotate"));
    return admin_session_json(out, s, &answer, err);
}

/* Both halves of that version. */
static se_status open_pair(struct key_pair *out, const struct admin_session *s, const json_t *json,
                           se_error *err)
{
    struct vault_key_answer answer;
    struct object_id id;
    struct vault_key *key = NULL;
    char *kid;

    TRY(answer_key(&answer, json, err));
    TRY(object_id_parse(&id, vault_place(s->vault), "keys", answer.id, err));
    TRY(jwk_public_key(&out->public_key, answer.jwk, err));
    if (!(kid = strdup(answer.id)))
        return error_memory(err);
    TRY(vault_key_new(&key, &s->target->ref, vault_ref(s->vault), out->public_key, kid,
                      answer.operations, NULL, err));
    return vault_key_wrap(&out->private_key, key, err);
}

static se_status write_pem(se_buf *out, X509 *certificate, X509_REQ *request, se_error *err)
{
    AUTO(bio) bio = BIO_new(BIO_s_mem());
    char *text;
    long size;

    if (!bio || !(certificate ? PEM_write_bio_X509(bio, certificate)
                              : PEM_write_bio_X509_REQ(bio, request)))
        return crypto_error(err, SE_ERR_CRYPTO, "writing what was made");
    size = BIO_get_mem_data(bio, &text);
    return buf_copy(out, (se_bytes){ text, (size_t)size }, err);
}

static se_status sign_once(se_buf *out, const struct key_pair *pair,
                           const struct cert_profile *profile, bool is_request, se_error *err)
{
    AUTO(x509) certificate = NULL;
    AUTO(x509_req) request = NULL;

    if (is_request)
        TRY(x509_build_request(&request, pair, profile, err));
    else
        TRY(x509_build_certificate(&certificate, pair, profile, err));
    return write_pem(out, certificate, request, err);
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

static se_status finish_key(struct vault_rotated *out, const struct admin_session *s,
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

static se_status rotate_key(struct vault_rotated *out, const struct admin_session *s,
                            const struct vault_rotation *how, const struct vault_news *news,
                            se_error *err)
{
    AUTO(json) json = NULL;
    se_status st;

    warn_policy(s, news);
    warn_replicas(s, news);
    TRY(make_version(&json, s, how->version, err));
    vault_object_read(&out->object, s, json);
    if (!(st = finish_key(out, s, json, how, err)))
        return SE_OK;
    return error_prefix(err, st,
                        "%s is made, but not its %s, which `key rotate --key-version` makes: ",
                        out->object.id, how->is_request ? "request" : "certificate");
}

/* ---- certificate mode: the vault makes key and certificate as the policy says ---- */

static se_status read_policy(json_t **out, const struct admin_session *s,
                             const struct vault_rotation *how, se_error *err)
{
    AUTO(json) policy = NULL;
    json_t *issuer;

    *out = NULL;
    TRY(admin_session_find(&policy, s, "/policy", err));
    if (!policy)
        return error_set(err, SE_ERR_KEY, "the vault has no certificate '%s'", s->name);
    issuer = json_object_get(policy, "issuer");
    if ((how->is_request && json_object_set_new(issuer, "name", json_string("Unknown"))) ||
        json_object_set_new(json_object_get(policy, "key_props"), "reuse_key", json_false()))
        return error_set(err, SE_ERR_STORE, "the policy of certificate '%s' makes no sense",
                         s->name);
    (void)json_object_del(policy, "id");
    (void)json_object_del(policy, "attributes");
    if (!how->is_request && strcasecmp(json_member_text(issuer, "name"), "Unknown") == 0)
        return error_set(err, SE_ERR_USAGE,
                         "a CA that the vault does not know issues certificate '%s': --request "
                         "makes a request for it",
                         s->name);
    *out = MOVE(policy);
    return SE_OK;
}

static se_status order_certificate(json_t **out, const struct admin_session *s,
                                   const json_t *policy, se_error *err)
{
    AUTO(http_answer) answer = { .status = 0 };
    AUTO(json) wish = json_pack("{s:O}", "policy", policy);
    AUTO(writer) body = { 0 };
    char what[256];
    const struct vault_ask ask = { .method = "POST", .what = what, .body = &body };
    size_t size = wish ? json_dumpb(wish, NULL, 0, JSON_COMPACT) : 0;
    unsigned char *room = size ? writer_room(&body, size) : NULL;

    if (!room)
        return error_memory(err);
    writer_filled(&body, json_dumpb(wish, (char *)room, size, JSON_COMPACT));
    (void)snprintf(what, sizeof what, "make a new version of certificate '%s'", s->name);
    TRY(admin_session_ask(&answer, s, &ask, err, "/certificates/%s/create", s->name));
    return admin_session_json(out, s, &answer, err);
}

static se_status take_request(struct vault_rotated *out, const struct admin_session *s,
                              const json_t *pending, se_error *err)
{
    AUTO(se_buf) der = SE_BUF_INIT;
    AUTO(x509_req) request = NULL;
    const unsigned char *p;

    if (!base64_decode(&der, text_bytes(json_member_text(pending, "csr")), NULL)) {
        p = der.data;
        request = d2i_X509_REQ(NULL, &p, (long)der.size);
    }
    if (!request)
        return error_set(err, SE_ERR_STORE, "vault '%s': what it gives as a request is none",
                         vault_place(s->vault)->host);
    vault_object_read(&out->object, s, pending);
    return write_pem(&out->made, NULL, request, err);
}

static se_status take_certificate(struct vault_rotated *out, const struct admin_session *s,
                                  se_error *err)
{
    AUTO(json) json = NULL;
    AUTO(vault_certificate_answer) answer = { .id = "" };
    AUTO(x509) certificate = NULL;

    TRY(admin_session_find(&json, s, "", err));
    if (!json)
        return error_set(err, SE_ERR_KEY, "certificate '%s' is gone", s->name);
    TRY(answer_certificate(&answer, json, err));
    TRY(certificate_parse(&certificate, buf_bytes(&answer.certificate), err));
    vault_object_read(&out->object, s, json);
    return write_pem(&out->made, certificate, NULL, err);
}

static se_status check_pending(const struct admin_session *s, const json_t *pending, se_error *err)
{
    const json_t *error = json_object_get(pending, "error");

    if (!json_is_object(error))
        return SE_OK;
    return error_set(err, SE_ERR_STORE, "vault '%s': it makes no certificate '%s': %.300s",
                     vault_place(s->vault)->host, s->name, json_member_text(error, "message"));
}

static se_status wait_certificate(struct vault_rotated *out, const struct admin_session *s,
                                  const struct vault_news *news, se_error *err)
{
    struct vault_poll poll = { .until = clock_monotonic_ms() + PENDING_MS };

    do {
        AUTO(json) pending = NULL;

        TRY(admin_session_find(&pending, s, "/pending", err));
        TRY(check_pending(s, pending, err));
        if (!pending || strcmp(json_member_text(pending, "status"), "inProgress") != 0)
            return take_certificate(out, s, err);
        vault_news_progress(news, "certificate '%s': being made", s->name);
    } while (vault_poll_wait(&poll));
    return error_set(err, SE_ERR_UNAVAILABLE,
                     "certificate '%s' is not made after %d seconds: the vault goes on without us",
                     s->name, PENDING_MS / 1000);
}

static se_status rotate_certificate(struct vault_rotated *out, const struct admin_session *s,
                                    const struct vault_rotation *how, const struct vault_news *news,
                                    se_error *err)
{
    AUTO(json) policy = NULL;
    AUTO(json) pending = NULL;

    if (*how->version)
        return error_set(err, SE_ERR_USAGE,
                         "--key-version is for keys: the vault makes certificate and key together");
    TRY(read_policy(&policy, s, how, err));
    TRY(order_certificate(&pending, s, policy, err));
    if (how->is_request)
        return take_request(out, s, pending, err);
    TRY(wait_certificate(out, s, news, err));
    vault_news_warn(news,
                    "the configuration names no version: who opens certificate '%s' from now on "
                    "uses the new one",
                    s->name);
    return SE_OK;
}

/* ---- both ---- */

static se_status rotate_object(struct vault_rotated *out, const struct target *target,
                               const struct vault_rotation *how, const struct vault_news *news,
                               se_error *err)
{
    AUTO(admin_session) session = { .vault = NULL };

    TRY(admin_session_open(&session, target, VAULT_KIND_ANY, "key rotate", err));
    if (strcmp(session.kind, "certificate") == 0)
        return rotate_certificate(out, &session, how, news, err);
    return rotate_key(out, &session, how, news, err);
}

se_status vault_rotate(struct vault_rotated *out, const struct target *target,
                       const struct vault_rotation *how, const struct vault_news *news,
                       se_error *err)
{
    AUTO(vault_rotated) made = { .made = SE_BUF_INIT, .configuration = SE_BUF_INIT };

    *out = (struct vault_rotated){ .made = SE_BUF_INIT, .configuration = SE_BUF_INIT };
    TRY(rotate_object(&made, target, how, news, err));
    *out = MOVE(made);
    return SE_OK;
}
