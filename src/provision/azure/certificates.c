/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that a vault keeps, each with its key. */
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/clock.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "provision/azure/deleted.h"
#include "provision/azure/keystore.h"
#include "provision/azure/pending.h"
#include "provision/file_keystore.h"
#include "provision/target_certificate.h"

AUTO_KIND(pkcs12, PKCS12 *, PKCS12_free(*p))

enum { PASSWORD_BYTES = 16 };

/* ---- looking ---- */

static se_status certificate_there(bool *out, const struct keystore *keystore, se_error *err)
{
    struct vault_keystore *s = (struct vault_keystore *)keystore;
    AUTO(json) json = NULL;
    AUTO(vault_certificate_answer) answer = { .id = "" };
    struct object_id id;

    *out = false;
    TRY(vault_session_find(&json, &s->session, NULL, err));
    if (!json)
        return SE_OK;
    *out = true;
    TRY(answer_certificate(&answer, json, err));
    TRY(object_id_parse(&id, vault_place(s->session.vault), "certificates", answer.id, err));
    memcpy(s->version, id.version, sizeof s->version);
    return SE_OK;
}

/* ---- making ---- */

static void note_months(const struct vault_keystore *s, unsigned days)
{
    const unsigned months = vault_policy_months(days);

    if (days * 12 != months * 365)
        target_note(s->keystore.target,
                    "a vault counts in months: the certificate is valid for %u of them instead of "
                    "%u days",
                    months, days);
}

/* The newest, which is what the name means then. */
static se_status fetch_certificate(X509 **out, char id[512], const struct vault_keystore *s,
                                   se_error *err)
{
    AUTO(json) json = NULL;
    AUTO(vault_certificate_answer) answer = { .id = "" };

    *out = NULL;
    *id = '\0';
    TRY(vault_session_find(&json, &s->session, NULL, err));
    if (!json)
        return SE_OK;
    TRY(answer_certificate(&answer, json, err));
    memcpy(id, answer.id, sizeof answer.id);
    return answer.certificate.size ? certificate_parse(out, buf_bytes(&answer.certificate), err)
                                   : SE_OK;
}

/* What the engine reads is the file, where the configuration has one; else the vault. */
static se_status write_file(struct vault_keystore *s, X509 *certificate,
                            const STACK_OF(X509) * chain, enum replace replace, se_error *err)
{
    if (!*s->keystore.target->ref.certificate)
        return SE_OK;
    if (s->file.fd < 0)
        TRY(target_certificate_open(&s->file, s->keystore.target, err));
    return target_certificate_write(&s->file, s->keystore.target, certificate, chain, replace, err);
}

static se_status finish_certificate(struct vault_keystore *s,
                                    const struct pending_certificate *pending, se_error *err)
{
    AUTO(x509) made = NULL;
    char id[512];

    TRY(fetch_certificate(&made, id, s, err));
    if (!made || EVP_PKEY_eq(X509_get0_pubkey(made), X509_REQ_get0_pubkey(pending->request)) != 1)
        return error_set(err, SE_ERR_STORE,
                         "the vault's certificate is not the one that it was to make");
    vault_note_version(s, id);
    return write_file(s, made, NULL, REPLACE_ALL, err);
}

static se_status certificate_generate(struct keystore *keystore, const struct key_profile *key,
                                      const struct cert_profile *certificate, se_error *err)
{
    struct vault_keystore *s = (struct vault_keystore *)keystore;
    AUTO(pending_certificate) pending = { .request = NULL };

    if (*keystore->target->ref.certificate)
        TRY(target_certificate_open(&s->file, keystore->target, err));
    TRY(vault_pending_create(&pending, &s->session, key, certificate, "Self", err));
    if (!pending.request)
        return error_set(err, SE_ERR_STORE, "the vault does not say what it makes");
    TRY(vault_pending_wait(&s->session, vault_deadline(&keystore->target->ref), err));
    note_months(s, certificate->days);
    TRY(vault_request_check(pending.request, key, certificate, err));
    return finish_certificate(s, &pending, err);
}

/* ---- requests ---- */

/* One that waits for its answer is the same request, if it is what is wished. */
static se_status reuse_pending(struct pending_certificate *pending, const struct vault_keystore *s,
                               const struct key_profile *key,
                               const struct cert_profile *certificate, bool force, se_error *err)
{
    se_error why = SE_ERROR_INIT;

    TRY(vault_pending_look(pending, &s->session, err));
    if (!pending->request || !vault_pending_waits(pending) ||
        (!force && !vault_request_check(pending->request, key, certificate, &why)))
        return SE_OK;
    if (!force)
        return error_set(err, SE_ERR_IO,
                         "a request waits for its answer already, and is another: --force gives it "
                         "up, with its key");
    pending_certificate_free(pending);
    return vault_pending_forget(&s->session, err);
}

static se_status certificate_request(X509_REQ **out, struct keystore *keystore,
                                     const struct key_profile *key,
                                     const struct cert_profile *certificate, bool force,
                                     se_error *err)
{
    struct vault_keystore *s = (struct vault_keystore *)keystore;
    AUTO(pending_certificate) pending = { .request = NULL };

    *out = NULL;
    TRY(reuse_pending(&pending, s, key, certificate, force, err));
    if (!pending.request || !vault_pending_waits(&pending)) {
        pending_certificate_free(&pending);
        TRY(vault_pending_create(&pending, &s->session, key, certificate, "Unknown", err));
    }
    if (!pending.request)
        return error_set(err, SE_ERR_STORE, "the vault has made no request");
    TRY(vault_request_check(pending.request, key, certificate, err));
    *out = MOVE(pending.request);
    return SE_OK;
}

/* The key of the pending request: nothing else can get a certificate. */
static se_status certificate_find(struct key_pair *out, struct keystore *keystore, se_error *err)
{
    struct vault_keystore *s = (struct vault_keystore *)keystore;
    AUTO(pending_certificate) pending = { .request = NULL };

    TRY(vault_pending_look(&pending, &s->session, err));
    if (!pending.request || !vault_pending_waits(&pending))
        return error_set(err, SE_ERR_KEY,
                         "no request waits for its answer: `signengine key request` makes one");
    out->public_key = X509_REQ_get_pubkey(pending.request);
    return out->public_key ? SE_OK
                           : crypto_error(err, SE_ERR_STORE, "the request's key can't be read");
}

/* ---- merging ---- */

static se_status add_certificate(json_t *list, X509 *certificate, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der);
    se_status st;

    if (size <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "encoding a certificate");
    st = base64_encode(&text, (se_bytes){ der, (size_t)size }, err);
    OPENSSL_free(der);
    if (st)
        return st;
    return json_array_append_new(list, json_string((const char *)text.data)) ? error_memory(err)
                                                                             : SE_OK;
}

static se_status merge_body(struct writer *out, const struct vault_keystore *s, se_error *err)
{
    AUTO(json) list = json_array();

    TRY(add_certificate(list, s->certificate, err));
    for (int i = 0; i < sk_X509_num(s->chain); i++)
        TRY(add_certificate(list, sk_X509_value(s->chain, i), err));
    return vault_body_write(out, json_pack("{so}", "x5c", MOVE(list)), err);
}

/* Whether the vault has it all the same: an answer may get lost. */
static bool has_certificate(const struct vault_keystore *s)
{
    AUTO(json) json = NULL;
    AUTO(vault_certificate_answer) answer = { .id = "" };
    AUTO(x509) there = NULL;

    return !vault_session_find_again(&json, &s->session, NULL) && json &&
           !answer_certificate(&answer, json, NULL) && answer.certificate.size &&
           !certificate_parse(&there, buf_bytes(&answer.certificate), NULL) &&
           !X509_cmp(there, s->certificate);
}

static se_status check_later(const struct vault_keystore *s, se_error *err)
{
    char date[TIME_TEXT_ROOM];

    if (certificate_not_before(s->certificate) <= clock_seconds())
        return SE_OK;
    return error_set(err, SE_ERR_POLICY,
                     "the certificate is valid from %s only, and a vault uses it at once: merge it "
                     "then",
                     time_format(date, TIME_READABLE, certificate_not_before(s->certificate)));
}

static se_status merge_certificate(struct vault_keystore *s, se_error *err)
{
    AUTO(json) merged = NULL;
    AUTO(writer) body = { 0 };
    se_error failure = SE_ERROR_INIT;
    const struct vault_call call = {
        .method = "POST",
        .verb = "merge",
        .below = "pending/merge",
        .body = &body,
    };
    se_status st;

    TRY(check_later(s, err));
    TRY(merge_body(&body, s, err));
    st = vault_session_fetch(&merged, &s->session, &call, &failure);
    if (!st || (st == SE_ERR_UNAVAILABLE && has_certificate(s)))
        return SE_OK;
    return error_copy(err, st, &failure);
}

/* ---- bringing in ---- */

/* Encrypted for the way: its password lies beside it, and TLS is around both. */
static se_status make_pfx(se_buf *out, const struct vault_keystore *s, const char *password,
                          se_error *err)
{
    AUTO(pkcs12) pfx =
        PKCS12_create_ex(password, s->session.name, s->key, s->certificate, s->chain, 0, 0,
                         FILE_ITERATIONS, FILE_ITERATIONS, 0, crypto_context(), NULL);
    unsigned char *at;
    int size = pfx ? i2d_PKCS12(pfx, NULL) : -1;

    if (size <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "making the PKCS #12");
    TRY(buf_new(out, (size_t)size, err));
    at = out->data;
    return i2d_PKCS12(pfx, &at) == size ? SE_OK
                                        : crypto_error(err, SE_ERR_CRYPTO, "encoding the PKCS #12");
}

static se_status draw_password(se_buf *out, se_error *err)
{
    AUTO(se_buf) random = SE_BUF_INIT;

    TRY(buf_new(&random, PASSWORD_BYTES, err));
    TRY(crypto_draw_secret(random.data, random.size, err));
    return base64url_encode(out, buf_bytes(&random), err);
}

static se_status import_body(struct writer *out, const struct vault_keystore *s, se_error *err)
{
    AUTO(se_buf) pfx = SE_BUF_INIT;
    AUTO(writer) policy = { 0 };
    AUTO(se_buf) password = SE_BUF_INIT;
    json_t *wished;

    TRY(vault_policy_import(&wished, &s->session, &s->profile, err));
    TRY(vault_body_write(&policy, wished, err));
    TRY(draw_password(&password, err));
    TRY(make_pfx(&pfx, s, (const char *)password.data, err));
    writer_expect(out, base64_size(pfx.size) + policy.buf.size + 128);
    writer_text(out, "{\"value\":\"");
    writer_base64(out, buf_bytes(&pfx));
    writer_format(out, "\",\"pwd\":\"%s\",\"policy\":%s,\"attributes\":{\"enabled\":true}}",
                  (const char *)password.data, writer_string(&policy));
    return out->failed ? error_memory(err) : SE_OK;
}

static se_status import_certificate(struct vault_keystore *s, se_error *err)
{
    AUTO(vault_reply) reply = { .json = NULL };
    AUTO(writer) body = { 0 };
    se_error failure = SE_ERROR_INIT;
    const struct vault_call call = {
        .method = "POST",
        .verb = "bring in",
        .below = "import",
        .body = &body,
        .accepted = { HTTP_CONFLICT },
    };
    AUTO(x509) there = NULL;
    char id[512];
    se_status st;

    TRY(import_body(&body, s, err));
    st = vault_session_call(&reply, &s->session, &call, &failure);
    if (st && !(st == SE_ERR_UNAVAILABLE && has_certificate(s)))
        return error_copy(err, st, &failure);
    if (reply.answer.status == HTTP_CONFLICT)
        return vault_refuse_conflict(&reply, &s->session, &call, err);
    vault_note_speed(&s->session, &s->profile);
    TRY(fetch_certificate(&there, id, s, err));
    vault_note_version(s, id);
    return SE_OK;
}

/* ---- so that it stays ---- */

static se_status certificate_commit(struct keystore *keystore, enum replace replace, se_error *err)
{
    struct vault_keystore *s = (struct vault_keystore *)keystore;

    if (!s->certificate)
        return vault_delete(&s->session, err);
    TRY(s->key ? import_certificate(s, err) : merge_certificate(s, err));
    return error_suffix(err, write_file(s, s->certificate, s->chain, replace, err),
                        "; the vault has the certificate");
}

const struct keystore_ops vault_certificate_ops = {
    .features = KEYSTORE_FILES | KEYSTORE_VERSIONS | KEYSTORE_DELETED | KEYSTORE_PROTECTION |
                KEYSTORE_REQUESTS,
    .force_does = VAULT_FORCE_DOES,
    .holds = certificate_there,
    .find = certificate_find,
    .put_key = vault_put_key,
    .put_certificates = vault_put_certificates,
    .commit = certificate_commit,
    .generate_certified = certificate_generate,
    .request = certificate_request,
    .list = vault_keystore_list,
    .close = vault_keystore_close,
};
