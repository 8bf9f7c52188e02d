/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/key.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/fork_lock.h"
#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"
#include "keystore/azure/jwk.h"

/* ---- its life ---- */

void vault_key_free(void *remote)
{
    struct vault_key *key = remote;

    if (!key)
        return;
    EVP_PKEY_free(key->public_key);
    vault_close(key->vault);
    keyref_release(key->ref);
    free(key->id);
    free(key);
}

se_status vault_key_new(struct vault_key **out, const struct keyref *ref, struct vault *vault,
                        EVP_PKEY *public_key, char *id, unsigned operations,
                        const struct key_watch *watch, se_error *err)
{
    struct vault_key *key = calloc(1, sizeof *key);
    const struct keyref *held = key ? keyref_hold(ref) : NULL;

    *out = key;
    if (!held || !EVP_PKEY_up_ref(public_key)) {
        keyref_release(held);
        vault_close(vault);
        free(id);
        free(key);
        *out = NULL;
        return error_memory(err);
    }
    *key = (struct vault_key){
        .ref = held,
        .vault = vault,
        .watch = watch,
        .public_key = public_key,
        .id = id,
        .operations = operations,
    };
    return SE_OK;
}

/* ---- what the service can do ---- */

/* Each curve goes with one digest (RFC 7518, 3.4). */
static int curve_bits(const EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);

    return bits == 521 ? 512 : bits;
}

static const struct {
    int bits;
    const char *names[PADDING_PSS + 1];
} sign_algorithms[] = {
    [DIGEST_SHA256] = { 256, { "ES256", "RS256", "PS256" } },
    [DIGEST_SHA384] = { 384, { "ES384", "RS384", "PS384" } },
    [DIGEST_SHA512] = { 512, { "ES512", "RS512", "PS512" } },
};

se_status vault_sign_algorithm(const char **out, const EVP_PKEY *key, const struct sign_how *how,
                               se_error *err)
{
    const int bits = sign_algorithms[how->digest].bits;
    const bool is_ecdsa = how->padding == PADDING_NONE;
    char type[32];

    *out = "";
    key_type_name(type, key);
    if ((key_family(key) == FAMILY_EC) != is_ecdsa)
        return error_set(err, SE_ERR_CRYPTO, "the padding does not go with the key");
    if (!bits || (is_ecdsa && bits != curve_bits(key)))
        return error_set(err, SE_ERR_KEY, "a vault does not sign %s with %s%s",
                         digest_name(how->digest), type,
                         is_ecdsa ? ": each curve has one digest there" : "");
    if (how->padding == PADDING_PSS && how->salt != bits / 8)
        return error_set(err, SE_ERR_KEY,
                         "a vault signs PSS with a salt as long as the digest, not of %d bytes",
                         how->salt);
    *out = sign_algorithms[how->digest].names[how->padding];
    return SE_OK;
}

se_status vault_unwrap_algorithm(const char **out, const struct unwrap_how *how, se_error *err)
{
    *out = "";
    if (how->digest == DIGEST_SHA1 && how->mgf1 == DIGEST_SHA1)
        *out = "RSA-OAEP";
    else if (how->digest == DIGEST_SHA256 && how->mgf1 == DIGEST_SHA256)
        *out = "RSA-OAEP-256";
    return **out ? SE_OK
                 : error_set(err, SE_ERR_KEY,
                             "a vault decrypts RSA-OAEP with SHA-1 or SHA-256 only, and with the "
                             "same digest for MGF1; not with %s and MGF1-%s",
                             digest_name(how->digest), digest_name(how->mgf1));
}

/* ---- one operation ---- */

/* Whether another replica may do it instead: then it does not wait for a vault that is throttled.
 */
static bool has_replicas(const struct keyref *ref)
{
    return ref->entry && ref->entry->count > 1;
}

static void tell_watch(const struct vault_key *key, enum key_change change, const char *text)
{
    if (key->watch)
        key->watch->tell(key->watch->arg, change, text);
}

/* Who watches hears once that it is away, and once that it is back.  A caller may come late with
 * what others know better by now, and one that began before the vault was lost proves nothing. */
static void note_away(struct vault_key *key, bool is_away, const struct vault_trace *trace,
                      const char *text)
{
    bool is_news;

    fork_lock_take();
    is_news = key->is_away != is_away && (is_away ? trace->seen : trace->since) > key->changed;
    if (is_news) {
        key->is_away = is_away;
        key->changed = trace->seen;
    }
    fork_lock_give();
    if (is_news)
        tell_watch(key, is_away ? KEY_LOST : KEY_HEALED, text);
}

static void report_slowed(const struct vault_key *key, const struct vault_trace *trace)
{
    char text[96];

    (void)snprintf(text, sizeof text, "the vault throttles: %.0f operations a second from now on",
                   trace->rate);
    tell_watch(key, KEY_SLOWED, trace->rate > 0 ? text : "the vault throttles");
}

static void report_trace(struct vault_key *key, const struct vault_trace *trace, se_status st,
                         const se_error *failure)
{
    if (trace->is_slowed)
        report_slowed(key, trace);
    if (st == SE_ERR_UNAVAILABLE && !trace->is_throttled)
        note_away(key, true, trace, failure->text);
    else if (!st)
        note_away(key, false, trace, "");
}

/* An operation with the key, as it is named in its path. */
struct key_operation {
    const char *name; /* "sign" */
    const char *algorithm;
    se_bytes in;
    long accepted; /* an answer that is no success, and yet says something; 0: none */
};

static se_status write_request(struct writer *path, struct writer *what, struct writer *body,
                               const struct vault_key *key, const struct key_operation *op,
                               se_error *err)
{
    AUTO(se_buf) value = SE_BUF_INIT;

    TRY(base64url_encode(&value, op->in, err));
    writer_format(path, "%s/%s", key->id + strlen(vault_place(key->vault)->base), op->name);
    writer_format(what, "%s with key '%s'", op->name, key->ref->alias);
    writer_format(body, "{\"alg\":\"%s\",\"value\":\"%s\"}", op->algorithm,
                  (const char *)value.data);
    return path->failed || what->failed || body->failed ? error_memory(err) : SE_OK;
}

static se_status ask_vault(struct http_answer *out, struct vault_key *key,
                           const struct key_operation *op, se_error *err)
{
    AUTO(writer) path = { 0 };
    AUTO(writer) what = { 0 };
    AUTO(writer) body = { 0 };
    struct vault_trace trace;
    se_error failure = SE_ERROR_INIT;
    struct vault_request request = {
        .method = "POST",
        .api_version = key->ref->api_version,
        .is_repeatable = true,
        .is_urgent = has_replicas(key->ref),
        .until = vault_deadline(key->ref),
        .accepted = { op->accepted },
    };
    se_status st;

    *out = (struct http_answer){ .status = 0 };
    TRY(write_request(&path, &what, &body, key, op, err));
    request.path = writer_string(&path);
    request.what = writer_string(&what);
    request.body = buf_bytes(&body.buf);
    st = vault_send(out, key->vault, &request, &trace, &failure);
    report_trace(key, &trace, st, &failure);
    return st ? error_copy(err, st, &failure) : SE_OK;
}

/* ---- signing ---- */

/* A wrong version behind the same name, r and s mixed up, a proxy that lies: none of it leaves. */
static se_status verify_signature(const struct vault_key *key, const struct sign_how *how,
                                  se_bytes hash, se_bytes signature, se_error *err)
{
    se_error failure = SE_ERROR_INIT;
    se_status st = key_verify_hash(key->public_key, how, hash, signature, &failure);

    if (st == SE_ERR_REJECTED)
        return error_set(err, SE_ERR_KEY,
                         "what it signs with key '%s' does not verify with the certificate: it has "
                         "used another key",
                         key->ref->alias);
    return st ? error_copy(err, st, &failure) : SE_OK;
}

static se_status take_signature(se_buf *out, const struct vault_key *key,
                                const struct sign_how *how, const struct http_answer *answer,
                                se_error *err)
{
    const size_t size = (size_t)EVP_PKEY_get_size(key->public_key);
    AUTO(json) json = NULL;
    AUTO(se_buf) raw = SE_BUF_INIT;

    TRY(answer_json(&json, answer, err));
    TRY(answer_value(&raw, json, key->id, err));
    if (how->padding == PADDING_NONE)
        return jwk_ecdsa_der(out, key->public_key, buf_bytes(&raw), err);
    if (raw.size != size)
        return error_set(err, SE_ERR_STORE, "its signature has %zu bytes, not %zu", raw.size, size);
    *out = buf_move(&raw);
    return SE_OK;
}

static se_status vault_sign(se_buf *out, void *remote, const struct sign_how *how, se_bytes hash,
                            se_error *err)
{
    struct vault_key *key = remote;
    AUTO(http_answer) answer = { .status = 0 };
    AUTO(se_buf) signature = SE_BUF_INIT;
    struct key_operation op = { .name = "sign", .in = hash };
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    TRY(vault_sign_algorithm(&op.algorithm, key->public_key, how, err));
    TRY(ask_vault(&answer, key, &op, err));
    st = take_signature(&signature, key, how, &answer, err);
    if (!st)
        st = verify_signature(key, how, hash, buf_bytes(&signature), err);
    TRY(vault_context(key->vault, st, err));
    *out = buf_move(&signature);
    return SE_OK;
}

/* ---- decrypting ---- */

/* A key may be for one of the two words that Azure has for the same. */
static const char *unwrap_operation(const struct vault_key *key)
{
    return key->operations & KEY_OP_DECRYPT ? "decrypt" : "unwrapkey";
}

static se_status vault_unwrap(se_buf *out, void *remote, const struct unwrap_how *how,
                              se_bytes blob, se_error *err)
{
    struct vault_key *key = remote;
    AUTO(http_answer) answer = { .status = 0 };
    struct key_operation op = {
        .name = unwrap_operation(key),
        .in = blob,
        .accepted = HTTP_BAD_REQUEST,
    };

    *out = (se_buf)SE_BUF_INIT;
    TRY(vault_unwrap_algorithm(&op.algorithm, how, err));
    TRY(ask_vault(&answer, key, &op, err));
    if (answer.status == HTTP_BAD_REQUEST)
        return remote_refused(err);
    return vault_context(key->vault, answer_secret_value(out, &answer, key->id, err), err);
}

/* ---- what it says of itself, without a call ---- */

static se_status may_sign(void *remote, const struct sign_how *how, se_error *err)
{
    const struct vault_key *key = remote;
    const char *algorithm;

    return vault_sign_algorithm(&algorithm, key->public_key, how, err);
}

static se_status may_unwrap(void *remote, const struct unwrap_how *how, se_error *err)
{
    const char *algorithm;

    (void)remote;
    return vault_unwrap_algorithm(&algorithm, how, err);
}

static const char *sign_mechanism(void *remote, const struct sign_how *how)
{
    const struct vault_key *key = remote;
    const char *algorithm;

    (void)!vault_sign_algorithm(&algorithm, key->public_key, how, NULL);
    return algorithm;
}

static const char *unwrap_mechanism(void *remote, const struct unwrap_how *how)
{
    const char *algorithm;

    (void)remote;
    (void)!vault_unwrap_algorithm(&algorithm, how, NULL);
    return algorithm;
}

se_status vault_key_wrap(EVP_PKEY **out, struct vault_key *key, se_error *err)
{
    static const struct remote_ops ops = {
        .sign = vault_sign,
        .unwrap = vault_unwrap,
        .close = vault_key_free,
        .may_sign = may_sign,
        .may_unwrap = may_unwrap,
        .advise = vault_key_advise,
        .sign_mechanism = sign_mechanism,
        .unwrap_mechanism = unwrap_mechanism,
    };
    se_status st = remote_key(out, &ops, key, key->public_key, err);

    if (st)
        vault_key_free(key);
    return st;
}
