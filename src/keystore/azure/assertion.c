/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/assertion.h"

#include "base/base64.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"

enum { ASSERTION_LASTS_S = 600, JTI_SIZE = 16 };

AUTO_KIND(json_text, char *, free(*p))
AUTO_KIND(der, unsigned char *, OPENSSL_free(*p))

/* ---- JWT (RFC 7519) ---- */

/* Takes `json` over. */
static se_status append_json(struct writer *w, json_t *json, se_error *err)
{
    AUTO(json) part = json;
    AUTO(json_text) text = part ? json_dumps(part, JSON_COMPACT) : NULL;

    if (!text)
        return error_set(err, SE_ERR_CONFIG, "the assertion would be no JSON: is it UTF-8?");
    writer_base64url(w, text_bytes(text));
    return SE_OK;
}

/* By which the service finds the certificate (RFC 7515, 4.1.8). */
static se_status append_header(struct writer *w, X509 *certificate, se_error *err)
{
    AUTO(der) der = NULL;
    AUTO(se_buf) print = SE_BUF_INIT;
    unsigned char hash[SHA256_SIZE];
    int size = i2d_X509(certificate, &der);

    if (size <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode the certificate");
    TRY(crypto_sha256(hash, &(se_bytes){ der, (size_t)size }, 1, err));
    TRY(base64url_encode(&print, (se_bytes){ hash, sizeof hash }, err));
    return append_json(w,
                       json_pack("{s:s, s:s, s:s}", "alg", "PS256", "typ", "JWT", "x5t#S256",
                                 (const char *)print.data),
                       err);
}

static se_status append_claims(struct writer *w, const char *audience, const char *client,
                               se_error *err)
{
    const json_int_t now = clock_seconds();
    AUTO(se_buf) id = SE_BUF_INIT;
    unsigned char random[JTI_SIZE];

    TRY(crypto_draw_public(random, sizeof random, err));
    TRY(base64url_encode(&id, (se_bytes){ random, sizeof random }, err));
    return append_json(w,
                       json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "aud", audience, "iss",
                                 client, "sub", client, "jti", (const char *)id.data, "nbf", now,
                                 "iat", now, "exp", now + ASSERTION_LASTS_S),
                       err);
}

static se_status append_signature(struct writer *w, EVP_PKEY *key, se_error *err)
{
    static const struct sign_how how = { DIGEST_SHA256, PADDING_PSS, SHA256_SIZE };
    AUTO(se_buf) signature = SE_BUF_INIT;
    unsigned char hash[SHA256_SIZE];
    const se_bytes text = buf_bytes(&w->buf);

    if (w->failed)
        return error_memory(err);
    TRY(crypto_sha256(hash, &text, 1, err));
    TRY(key_sign_hash(&signature, key, &how, (se_bytes){ hash, sizeof hash }, err));
    writer_text(w, ".");
    writer_base64url(w, buf_bytes(&signature));
    return SE_OK;
}

se_status assertion_write(se_buf *out, const struct key *key, const char *audience,
                          const char *client, se_error *err)
{
    AUTO(writer) jwt = { 0 };
    char type[32];

    *out = (se_buf)SE_BUF_INIT;
    if (key_family(key->private) != FAMILY_RSA) {
        key_type_name(type, key->private);
        return error_set(err, SE_ERR_KEY,
                         "the login service takes certificates with RSA keys only, and this one "
                         "has a key of type %s",
                         type);
    }
    TRY(append_header(&jwt, key->certificate, err));
    writer_text(&jwt, ".");
    TRY(append_claims(&jwt, audience, client, err));
    TRY(append_signature(&jwt, key->private, err));
    return writer_finish(out, &jwt, err);
}

/* ---- asking with it ---- */

se_status assertion_present(struct token_answer *out, const struct credential_request *request,
                            const struct credential_client *client, const se_buf *assertion,
                            se_error *err)
{
    AUTO(credential_proof) proof = { .is_refused = false };

    writer_text(&proof.fields, "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A"
                               "client-assertion-type%3Ajwt-bearer&client_assertion=");
    writer_percent(&proof.fields, (const char *)assertion->data);
    return credential_ask_authority(out, request, client, &proof, err);
}

static se_status write_for_client(se_buf *out, const struct key *key,
                                  const struct credential_client *client, se_error *err)
{
    AUTO(se_buf) url = SE_BUF_INIT;

    *out = (se_buf)SE_BUF_INIT;
    TRY(credential_token_url(&url, client, err));
    return assertion_write(out, key, (const char *)url.data, client->id, err);
}

se_status assertion_ask(struct token_answer *out, const struct credential_request *request,
                        const struct credential_client *client, const struct key *key,
                        se_error *err)
{
    AUTO(se_buf) assertion = SE_BUF_INIT;

    *out = (struct token_answer){ .lifetime = 0 };
    TRY(write_for_client(&assertion, key, client, err));
    return assertion_present(out, request, client, &assertion, err);
}

/* ---- with a key of the configuration ---- */

static assertion_open_fn opener; /* atomic */

void assertion_open_with(assertion_open_fn open)
{
    __atomic_store_n(&opener, open, __ATOMIC_RELEASE);
}

/* It is opened each time, about once an hour: what a token keeps open for it would lie idle. */
static se_status sign_with_replica(se_buf *out, const struct keyref *ref,
                                   const struct credential_client *client, se_error *err)
{
    const assertion_open_fn open = __atomic_load_n(&opener, __ATOMIC_ACQUIRE);
    AUTO(key) key = NULL;

    if (!open)
        return error_set(err, SE_ERR_STORE, "no key stores are known");
    TRY(open(&key, ref, PART_SIGN, NULL, err));
    return write_for_client(out, key, client, err);
}

/* Of the failures the first one, or better one that may pass. */
static se_status sign_with_any(se_buf *out, const struct key_entry *signer,
                               const struct credential_client *client, se_error *err)
{
    se_error failure = SE_ERROR_INIT;

    for (size_t i = 0; i < signer->count; i++) {
        se_error why = SE_ERROR_INIT;
        se_status st = sign_with_replica(out, &signer->replicas[i], client, &why);

        if (!st)
            return SE_OK;
        if (!failure.status || (st == SE_ERR_UNAVAILABLE && failure.status != st))
            failure = why;
    }
    return error_copy(err, failure.status, &failure);
}

static se_status ask_with_certificate(struct token_answer *out,
                                      const struct credential_request *request, se_error *err)
{
    const struct key_entry *signer = request->ref->signer;
    AUTO(se_buf) assertion = SE_BUF_INIT;
    struct credential_client client;

    *out = (struct token_answer){ .lifetime = 0 };
    TRY(credential_client(&client, &certificate_credential, request, err));
    if (!signer)
        return error_set(err, SE_ERR_CONFIG,
                         "credential certificate needs a credentialKey: the <key> whose "
                         "certificate the login service knows");
    TRY_PREFIX(sign_with_any(&assertion, signer, &client, err), err,
               "credentialKey '%.64s': ", signer->name);
    return assertion_present(out, request, &client, &assertion, err);
}

const struct credential_type certificate_credential = {
    .kind = CREDENTIAL_CERTIFICATE,
    .name = "certificate",
    .ask = ask_with_certificate,
};
