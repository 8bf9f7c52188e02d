/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of a vault whose certificates are files of ours. */
#include <stdlib.h>

#include "base/clock.h"
#include "crypto/certificate.h"
#include "keystore/azure/guid.h"
#include "keystore/azure/jwk.h"
#include "provision/azure/deleted.h"
#include "provision/azure/keystore.h"
#include "provision/target_certificate.h"

#define TAG_NAME "signengine-request"

enum { DAY = 86400 };

/* ---- looking ---- */

static se_status refuse_managed(const struct vault_keystore *s, se_error *err)
{
    return error_set(err, SE_ERR_USAGE,
                     "the vault's certificate '%s' manages the key of that name: it is changed "
                     "with mode=\"certificate\"",
                     s->session.name);
}

static se_status read_version(struct vault_keystore *s, const json_t *json, se_error *err)
{
    struct vault_key_answer answer;
    struct object_id id;

    TRY(answer_key(&answer, json, err));
    TRY(object_id_parse(&id, vault_place(s->session.vault), "keys", answer.id, err));
    if (answer.is_managed)
        return refuse_managed(s, err);
    memcpy(s->version, id.version, sizeof s->version);
    return SE_OK;
}

static se_status keys_hold(bool *out, const struct keystore *keystore, se_error *err)
{
    struct vault_keystore *s = (struct vault_keystore *)keystore;
    AUTO(json) json = NULL;

    *out = target_certificate_is_there(keystore->target);
    TRY(vault_session_find(&json, &s->session, NULL, err));
    if (!json)
        return SE_OK;
    *out = true;
    return read_version(s, json, err);
}

static se_status keys_find(struct key_pair *out, struct keystore *keystore, se_error *err)
{
    struct vault_keystore *s = (struct vault_keystore *)keystore;
    const char *version = keystore->target->ref.key_version;
    AUTO(json) json = NULL;
    struct vault_key_answer answer;

    TRY(vault_session_find(&json, &s->session, *version ? version : NULL, err));
    if (!json)
        return error_set(err, SE_ERR_KEY, "there is no such key, or no such version of it");
    TRY(read_version(s, json, err));
    TRY(answer_key(&answer, json, err));
    return vault_pair_open(out, &s->session, &answer, err);
}

/* ---- bodies ---- */

static const struct {
    unsigned use;
    const char *operations[5];
} operations[] = {
    { USE_SIGN, { "sign", "verify" } },
    { USE_ENCRYPT, { "decrypt", "unwrapKey", "encrypt", "wrapKey" } },
};

/* NULL: out of memory */
static json_t *operations_json(unsigned uses)
{
    AUTO(json) list = json_array();

    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        for (size_t k = 0; uses & operations[i].use && operations[i].operations[k]; k++)
            if (json_array_append_new(list, json_string(operations[i].operations[k])))
                return NULL;
    return MOVE(list);
}

static json_t *attributes_json(const struct key_profile *profile)
{
    json_t *attributes = json_pack("{sb sb}", "enabled", 1, "exportable", 0);

    if (profile->days)
        (void)json_object_set_new(attributes, "exp",
                                  json_integer(clock_seconds() + (int64_t)profile->days * DAY));
    return attributes;
}

/* A key for encryption signs once: its own certificate. */
static se_status create_body(struct writer *out, const struct vault_session *session,
                             const struct key_profile *profile, const char *tag, se_error *err)
{
    json_t *body;

    TRY(vault_key_properties(&body, session, profile, err));
    if (json_object_set_new(body, "key_ops", operations_json(profile->uses | USE_SIGN)) ||
        json_object_set_new(body, "attributes", attributes_json(profile)) ||
        json_object_set_new(body, "tags", json_pack("{ss}", TAG_NAME, tag))) {
        json_decref(body);
        return error_memory(err);
    }
    return vault_body_write(out, body, err);
}

/* ---- what was made, though the answer was lost ---- */

/* How the newest version is known for what was asked for. */
struct made_test {
    const char *tag;            /* by its tag, */
    const EVP_PKEY *public_key; /* or by its key */
};

static bool is_made(const struct made_test *test, const json_t *json)
{
    struct vault_key_answer answer;
    AUTO(evp_pkey) public_key = NULL;

    if (test->tag)
        return !strcmp(member_text(json_object_get(json, "tags"), TAG_NAME), test->tag);
    return !answer_key(&answer, json, NULL) && !jwk_public_key(&public_key, answer.jwk, NULL) &&
           EVP_PKEY_eq(public_key, test->public_key) == 1;
}

/* A second request might make a second key: look, before anything. */
static se_status find_made(json_t **out, const struct vault_session *session,
                           const struct made_test *test, const se_error *lost, se_error *err)
{
    AUTO(json) seen = NULL;
    se_status st = vault_session_find_again(&seen, session, NULL);

    if (!st && seen && is_made(test, seen)) {
        *out = MOVE(seen);
        return SE_OK;
    }
    (void)error_copy(err, SE_ERR_UNAVAILABLE, lost);
    return error_suffix(err, SE_ERR_UNAVAILABLE, "%s",
                        st ? "; whether the vault has made the key is not known: look with "
                             "`signengine key list` before another one is made"
                           : "; the vault has not made the key");
}

/* Sends what makes a version, once. */
static se_status make_version(json_t **out, const struct vault_session *session,
                              const struct vault_call *call, const struct made_test *test,
                              se_error *err)
{
    AUTO(vault_reply) reply = { .json = NULL };
    se_error failure = SE_ERROR_INIT;
    se_status st = vault_session_call(&reply, session, call, &failure);

    *out = NULL;
    if (st == SE_ERR_UNAVAILABLE)
        return find_made(out, session, test, &failure, err);
    if (st)
        return error_copy(err, st, &failure);
    if (reply.answer.status == HTTP_CONFLICT)
        return vault_refuse_conflict(&reply, session, call, err);
    *out = MOVE(reply.json);
    return SE_OK;
}

/* ---- making ---- */

static se_status create_key(json_t **out, const struct vault_keystore *s,
                            const struct key_profile *profile, se_error *err)
{
    AUTO(writer) body = { 0 };
    char tag[GUID_TEXT];
    const struct vault_call call = {
        .method = "POST",
        .verb = "make",
        .below = "create",
        .body = &body,
        .accepted = { HTTP_CONFLICT },
    };

    TRY(guid_draw(tag, err));
    TRY(create_body(&body, &s->session, profile, tag, err));
    return make_version(out, &s->session, &call, &(struct made_test){ .tag = tag }, err);
}

static se_status take_made(struct vault_keystore *s, const struct vault_key_answer *answer,
                           const struct key_profile *profile, se_error *err)
{
    struct object_id id;

    TRY(object_id_parse(&id, vault_place(s->session.vault), "keys", answer->id, err));
    if (answer->attributes.is_exportable)
        return error_set(err, SE_ERR_STORE, "the vault has made a key that can be exported");
    vault_note_version(s, answer->id);
    s->made_ops = profile->uses & USE_SIGN ? 0 : profile->uses;
    memcpy(s->made, id.version, sizeof s->made);
    return SE_OK;
}

static se_status keys_generate(struct key_pair *out, struct keystore *keystore,
                               const struct key_profile *profile, se_error *err)
{
    struct vault_keystore *s = (struct vault_keystore *)keystore;
    AUTO(json) json = NULL;
    struct vault_key_answer answer;

    TRY(target_certificate_open(&s->file, keystore->target, err));
    TRY(create_key(&json, s, profile, err));
    vault_note_speed(&s->session, profile);
    TRY(answer_key(&answer, json, err));
    TRY(take_made(s, &answer, profile, err));
    return vault_pair_open(out, &s->session, &answer, err);
}

/* ---- bringing in ---- */

/* {"Hsm":..,"key":{JWK..,"key_ops":..},..}; the key never goes through a JSON library. */
static se_status import_body(struct writer *out, const struct vault_keystore *s, se_error *err)
{
    const bool is_hsm = s->profile.protection != PROTECTION_SOFTWARE;
    AUTO(se_buf) jwk = SE_BUF_INIT;
    AUTO(writer) rights = { 0 };
    AUTO(writer) attributes = { 0 };

    TRY(jwk_write_private(&jwk, s->key, is_hsm, err));
    TRY(vault_body_write(&rights, operations_json(s->profile.uses), err));
    TRY(vault_body_write(&attributes, attributes_json(&s->profile), err));
    writer_expect(out, jwk.size + rights.buf.size + attributes.buf.size + 64);
    writer_format(out, "{\"Hsm\":%s,\"key\":", is_hsm ? "true" : "false");
    writer_put(out, jwk.data, jwk.size - 1); /* its members come before one more */
    writer_format(out, ",\"key_ops\":%s},\"attributes\":%s}", writer_string(&rights),
                  writer_string(&attributes));
    return out->failed ? error_memory(err) : SE_OK;
}

static se_status check_importable(const struct vault_keystore *s, se_error *err)
{
    json_t *properties;

    TRY(vault_key_properties(&properties, &s->session, &s->profile, err));
    json_decref(properties);
    return SE_OK;
}

static se_status import_key(struct vault_keystore *s, se_error *err)
{
    AUTO(json) json = NULL;
    AUTO(writer) body = { 0 };
    struct vault_key_answer answer;
    const struct vault_call call = {
        .method = "PUT",
        .verb = "bring in",
        .body = &body,
        .accepted = { HTTP_CONFLICT },
    };

    TRY(check_importable(s, err));
    TRY(import_body(&body, s, err));
    TRY(make_version(&json, &s->session, &call, &(struct made_test){ .public_key = s->key }, err));
    vault_note_speed(&s->session, &s->profile);
    TRY(answer_key(&answer, json, err));
    vault_note_version(s, answer.id);
    return SE_OK;
}

/* ---- so that it stays ---- */

static se_status set_operations(const struct vault_keystore *s, unsigned uses, se_error *err)
{
    AUTO(json) changed = NULL;
    AUTO(writer) body = { 0 };
    const struct vault_call call = {
        .method = "PATCH",
        .verb = "change",
        .below = s->made,
        .body = &body,
        .is_repeatable = true,
    };

    TRY(vault_body_write(&body, json_pack("{so}", "key_ops", operations_json(uses)), err));
    return vault_session_fetch(&changed, &s->session, &call, err);
}

/* In vaults that don't change rights the key has one too many, which `key list` shows. */
static void end_signing(struct vault_keystore *s)
{
    se_error why = SE_ERROR_INIT;

    if (*s->made && s->made_ops && set_operations(s, s->made_ops, &why))
        target_note(s->keystore.target,
                    "the key may still sign, which it did once for its certificate: %s", why.text);
}

static se_status delete_key(struct vault_keystore *s, se_error *err)
{
    if (!*s->version)
        return error_set(err, SE_ERR_KEY,
                         "there is no such key, only the file with its certificate");
    TRY(vault_delete(&s->session, err));
    if (target_certificate_is_there(s->keystore.target))
        target_note(s->keystore.target, "its certificate stays in '%s'",
                    s->keystore.target->ref.certificate);
    return SE_OK;
}

static se_status write_certificate(struct vault_keystore *s, enum replace replace, se_error *err)
{
    return target_certificate_write(&s->file, s->keystore.target, s->certificate, s->chain, replace,
                                    err);
}

static se_status keys_commit(struct keystore *keystore, enum replace replace, se_error *err)
{
    struct vault_keystore *s = (struct vault_keystore *)keystore;

    if (!s->certificate)
        return delete_key(s, err);
    if (!*s->made)
        TRY(target_certificate_open(&s->file, keystore->target, err));
    if (s->key)
        TRY(import_key(s, err));
    end_signing(s);
    return error_suffix(err, write_certificate(s, replace, err), "%s",
                        *s->made || s->key ? "; the key is in the vault, without its certificate"
                                           : "");
}

const struct keystore_ops vault_key_ops = {
    .features = KEYSTORE_FILES | KEYSTORE_VERSIONS | KEYSTORE_DELETED | KEYSTORE_PROTECTION |
                KEYSTORE_EXPIRY,
    .force_does = VAULT_FORCE_DOES,
    .holds = keys_hold,
    .find = keys_find,
    .generate = keys_generate,
    .put_key = vault_put_key,
    .put_certificates = vault_put_certificates,
    .commit = keys_commit,
    .list = vault_keystore_list,
    .close = vault_keystore_close,
};
