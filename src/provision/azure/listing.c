/* SPDX-License-Identifier: Apache-2.0 */
/* What `key list` shows of a vault: keys or certificates, versions, and what is deleted. */
#include <openssl/err.h>
#include <stdlib.h>
#include <strings.h>

#include "crypto/certificate.h"
#include "keystore/azure/jwk.h"
#include "keystore/keystore.h"
#include "provision/azure/keystore.h"
#include "provision/listing.h"
#include "provision/target_certificate.h"

enum { VERSIONS_MOST = 500 };

struct lister {
    const struct vault_session *session; /* of the alias */
    const struct provision_report *report;
    unsigned scope;
    X509 *certificate; /* that the configuration has; NULL: none, or it can't be read */
    bool only_used;    /* versions that are not in use are passed over */
};

static void lister_free(struct lister *l)
{
    X509_free(l->certificate);
}
AUTO_KIND(lister, struct lister, lister_free(p))

/* ---- one row ---- */

static const char *protection_name(const struct vault_key_answer *key)
{
    const size_t size = strlen(key->type);
    const bool is_hsm = size > 4 && !strcmp(key->type + size - 4, "-HSM");

    return !size ? "" : is_hsm ? "HSM" : "software";
}

static struct key_state describe_state(const struct vault_key_answer *key,
                                       const struct vault_attributes *attributes)
{
    return (struct key_state){
        .version = "",
        .protection = protection_name(key),
        .is_enabled = attributes->is_enabled,
        .is_exportable = key->attributes.is_exportable,
        .created = attributes->created,
        .expires = attributes->expires,
    };
}

static void show_row(const struct lister *l, const char *label, const struct vault_key_answer *key,
                     X509 *certificate, const struct key_state *state)
{
    AUTO(evp_pkey) public_key = NULL;
    unsigned char id[PUBLIC_ID];
    se_error unheard = SE_ERROR_INIT;
    bool known;

    if (key->jwk && jwk_public_key(&public_key, key->jwk, &unheard))
        public_key = NULL; /* of a kind that is not used here */
    known = public_key && !key_public_id(id, public_key, NULL);
    listing_key(l->report, &(struct listing_row){
                               .label = label,
                               .id = { id, known ? sizeof id : 0 },
                               .public_key = public_key,
                               .type = *key->type ? key->type : "unknown",
                               .certificate = certificate,
                               .has_private = true,
                               .may_sign = key->operations & KEY_OP_SIGN,
                               .may_decrypt = key->operations & (KEY_OP_DECRYPT | KEY_OP_UNWRAP),
                               .may_leave = key->attributes.is_exportable,
                               .state = state,
                           });
    ERR_clear_error();
}

static se_status fetch_key(json_t **json, struct vault_key_answer *key, const struct lister *l,
                           const char *path, se_error *err)
{
    const struct vault_caller caller = vault_session_caller(l->session);

    TRY(vault_fetch(json, &caller, path, "read key", err));
    return answer_key(key, *json, err);
}

/* ---- keys ---- */

static bool is_alias(const struct lister *l, const char *name)
{
    return !strcasecmp(name, l->session->name);
}

/* Whose certificate the configuration has. */
static bool is_certified(const struct lister *l, const struct vault_key_answer *key)
{
    AUTO(evp_pkey) public_key = NULL;
    se_error unheard = SE_ERROR_INIT;

    return l->certificate && key->jwk && !jwk_public_key(&public_key, key->jwk, &unheard) &&
           EVP_PKEY_eq(public_key, X509_get0_pubkey(l->certificate)) == 1;
}

static se_status show_key(bool *found, const struct lister *l, const struct vault_session *session,
                          const json_t *json, se_error *err)
{
    const char *pinned = l->session->target->ref.key_version;
    struct vault_key_answer key;
    struct key_state state;
    struct object_id id;
    bool is_ours;

    TRY(answer_key(&key, json, err));
    TRY(object_id_parse(&id, vault_place(session->vault), "keys", key.id, err));
    is_ours = is_alias(l, id.name) && is_certified(l, &key);
    state = describe_state(&key, &key.attributes);
    state.version = id.version;
    state.is_used = is_ours && (!*pinned || !strcasecmp(pinned, id.version));
    *found = state.is_used || !l->only_used;
    if (*found)
        show_row(l, id.name, &key, is_ours ? l->certificate : NULL, &state);
    return SE_OK;
}

/* ---- certificates ---- */

/* What the newest is, is in use. */
static se_status show_certificate_version(const struct lister *l,
                                          const struct vault_session *session,
                                          const struct vault_certificate_answer *answer,
                                          bool is_newest, se_error *err)
{
    struct vault_key_answer key = { .type = "" };
    AUTO(json) json = NULL;
    AUTO(x509) certificate = NULL;
    struct key_state state;
    struct object_id id;

    TRY(object_id_parse(&id, vault_place(session->vault), "certificates", answer->id, err));
    if (*answer->key_id)
        TRY(fetch_key(&json, &key, l, answer->key_id + strlen(vault_place(session->vault)->base),
                      err));
    if (answer->certificate.size)
        TRY(certificate_parse(&certificate, buf_bytes(&answer->certificate), err));
    state = describe_state(&key, &answer->attributes);
    state.version = id.version;
    state.is_used = is_newest && certificate && is_alias(l, id.name);
    show_row(l, id.name, &key, certificate, &state);
    return SE_OK;
}

static se_status is_newest_version(bool *out, const struct vault_session *session, const char *id,
                                   se_error *err)
{
    AUTO(json) newest = NULL;

    TRY(vault_session_find(&newest, session, NULL, err));
    *out = !strcasecmp(member_text(newest, "id"), id);
    return SE_OK;
}

static se_status show_certificate(const struct lister *l, const struct vault_session *session,
                                  const json_t *json, bool is_newest, se_error *err)
{
    AUTO(vault_certificate_answer) answer = { .id = "" };

    TRY(answer_certificate(&answer, json, err));
    if (!is_newest)
        TRY(is_newest_version(&is_newest, session, answer.id, err));
    return show_certificate_version(l, session, &answer, is_newest, err);
}

/* ---- versions ---- */

/* `version`: "": the newest; *found: there is one that is shown. */
static se_status show_version(bool *found, const struct lister *l,
                              const struct vault_session *session, const char *version,
                              se_error *err)
{
    AUTO(json) json = NULL;

    *found = false;
    TRY(vault_session_find(&json, session, *version ? version : NULL, err));
    if (!json)
        return SE_OK;
    if (!session->is_certificate)
        return show_key(found, l, session, json, err);
    *found = true;
    return show_certificate(l, session, json, !*version, err);
}

struct version_entry {
    char version[33];
    int64_t created;
};
struct versions {
    const struct lister *lister;
    struct version_entry *list;
    size_t count;
};
static void versions_free(struct versions *versions)
{
    free(versions->list);
}
AUTO_KIND(versions, struct versions, versions_free(p))

static const char *item_id(const struct lister *l, const json_t *item)
{
    return member_text(item, l->session->is_certificate ? "id" : "kid");
}

static se_status keep_version(void *arg, const json_t *item, bool *stop, se_error *err)
{
    struct versions *versions = arg;
    const struct lister *l = versions->lister;
    struct version_entry *entry = &versions->list[versions->count];
    struct object_id id;

    TRY(object_id_parse(&id, vault_place(l->session->vault), l->session->collection,
                        item_id(l, item), err));
    memcpy(entry->version, id.version, sizeof entry->version);
    entry->created = member_number(json_object_get(item, "attributes"), "created");
    *stop = ++versions->count == VERSIONS_MOST;
    return SE_OK;
}

static int compare_age(const void *one, const void *other)
{
    const struct version_entry *a = one, *b = other;

    return a->created > b->created ? -1 : a->created < b->created;
}

static se_status load_versions(struct versions *out, const struct vault_session *session,
                               se_error *err)
{
    const struct vault_caller caller = vault_session_caller(session);

    out->list = calloc(VERSIONS_MOST, sizeof *out->list);
    if (!out->list)
        return error_memory(err);
    TRY(vault_list_versions(&caller, session->collection, session->name, keep_version, out, err));
    qsort(out->list, out->count, sizeof *out->list, compare_age);
    return SE_OK;
}

/* The newest first. */
static se_status show_versions(bool *found, const struct lister *l,
                               const struct vault_session *session, se_error *err)
{
    AUTO(versions) versions = { .lister = l };

    *found = false;
    TRY(load_versions(&versions, session, err));
    for (size_t i = 0; i < versions.count; i++) {
        bool shown;

        TRY(show_version(&shown, l, session, versions.list[i].version, err));
        *found |= shown;
    }
    return SE_OK;
}

/* ---- all of one name ---- */

/* The one in use, which need not be the newest. */
static se_status show_used(bool *found, const struct lister *l, const struct vault_session *session,
                           se_error *err)
{
    struct lister used = *l;

    used.only_used = l->certificate && !l->session->is_certificate;
    TRY(show_version(found, &used, session, "", err));
    if (*found || !used.only_used)
        return SE_OK;
    TRY(show_versions(found, &used, session, err));
    return *found ? SE_OK : show_version(found, l, session, "", err);
}

static void show_certificate_alone(const struct lister *l)
{
    unsigned char id[PUBLIC_ID];
    EVP_PKEY *public_key = X509_get0_pubkey(l->certificate);
    bool known = public_key && !key_public_id(id, public_key, NULL);

    listing_key(l->report, &(struct listing_row){ .label = l->session->name,
                                                  .id = { id, known ? sizeof id : 0 },
                                                  .public_key = public_key,
                                                  .type = "unknown",
                                                  .certificate = l->certificate });
}

static se_status list_own(const struct lister *l, se_error *err)
{
    AUTO(json) there = NULL;
    bool found;

    TRY(vault_session_find(&there, l->session, NULL, err));
    if (there)
        return l->scope & LIST_VERSIONS ? show_versions(&found, l, l->session, err)
                                        : show_used(&found, l, l->session, err);
    if (l->certificate)
        show_certificate_alone(l);
    return SE_OK;
}

/* ---- all names ---- */

/* Of a whole vault: read first, since each key is a request of its own. */
struct name_list {
    const struct lister *lister;
    struct writer names; /* each with its NUL */
};
static void name_list_free(struct name_list *list)
{
    writer_free(&list->names);
}
AUTO_KIND(name_list, struct name_list, name_list_free(p))

static se_status keep_name(void *arg, const json_t *item, bool *stop, se_error *err)
{
    struct name_list *list = arg;
    const struct lister *l = list->lister;
    struct object_id id;

    (void)stop;
    TRY(object_id_parse(&id, vault_place(l->session->vault), l->session->collection,
                        item_id(l, item), err));
    writer_put(&list->names, id.name, strlen(id.name) + 1);
    return list->names.failed ? error_memory(err) : SE_OK;
}

static se_status show_name(const struct lister *l, const char *name, se_error *err)
{
    struct vault_session session = *l->session;
    bool found;

    session.name = name;
    if (l->scope & LIST_VERSIONS)
        return show_versions(&found, l, &session, err);
    return is_alias(l, name) ? show_used(&found, l, &session, err)
                             : show_version(&found, l, &session, "", err);
}

static se_status list_names(const struct lister *l, se_error *err)
{
    const struct vault_caller caller = vault_session_caller(l->session);
    AUTO(name_list) list = { .lister = l };
    AUTO(writer) path = { 0 };

    writer_format(&path, "/%s", l->session->collection);
    if (path.failed)
        return error_memory(err);
    TRY(vault_list(&caller, writer_string(&path), "list", keep_name, &list, err));
    for (size_t at = 0; at < list.names.buf.size;) {
        const char *name = (const char *)list.names.buf.data + at;

        TRY(show_name(l, name, err));
        at += strlen(name) + 1;
    }
    return SE_OK;
}

static se_status show_deleted(void *arg, const json_t *item, bool *stop, se_error *err)
{
    const struct lister *l = arg;
    const bool is_certificate = l->session->is_certificate;
    struct vault_key_answer key = { .type = "" };
    AUTO(vault_certificate_answer) answer = { .id = "" };
    struct key_state state;
    struct object_id id;

    (void)stop;
    if (is_certificate)
        TRY(answer_certificate(&answer, item, err));
    else
        TRY(answer_key(&key, item, err));
    TRY(object_id_parse(&id, vault_place(l->session->vault), l->session->collection,
                        is_certificate ? answer.id : key.id, err));
    state = describe_state(&key, is_certificate ? &answer.attributes : &key.attributes);
    state.version = id.version;
    state.deleted = member_number(item, "deletedDate");
    state.recoverable_until = member_number(item, "scheduledPurgeDate");
    show_row(l, id.name, &key, NULL, &state);
    return SE_OK;
}

static se_status list_own_deleted(struct lister *l, se_error *err)
{
    AUTO(json) deleted = NULL;
    bool stop;

    TRY(vault_session_find_deleted(&deleted, l->session, err));
    return deleted ? show_deleted(l, deleted, &stop, err) : SE_OK;
}

static se_status list_deleted(struct lister *l, se_error *err)
{
    const struct vault_caller caller = vault_session_caller(l->session);
    AUTO(writer) path = { 0 };

    writer_format(&path, "/deleted%s", l->session->collection);
    if (path.failed)
        return error_memory(err);
    return vault_list(&caller, writer_string(&path), "list deleted", show_deleted, l, err);
}

/* ---- both modes ---- */

/* One that can't be read is told of where it is used. */
static void load_certificate(struct lister *l)
{
    AUTO(certificates) configured = { .own = NULL };
    se_error unheard = SE_ERROR_INIT;

    if (!store_configured_certificate(&configured, &l->session->target->ref, &unheard))
        l->certificate = MOVE(configured.own);
    ERR_clear_error();
}

se_status vault_keystore_list(struct keystore *keystore, unsigned scope,
                              const struct provision_report *report, se_error *err)
{
    AUTO(lister) l = {
        .session = &((const struct vault_keystore *)keystore)->session,
        .report = report,
        .scope = scope,
    };

    load_certificate(&l);
    if (scope & LIST_DELETED)
        return scope & LIST_OWN ? list_own_deleted(&l, err) : list_deleted(&l, err);
    return scope & LIST_OWN ? list_own(&l, err) : list_names(&l, err);
}
