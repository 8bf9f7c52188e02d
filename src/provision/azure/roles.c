/* SPDX-License-Identifier: Apache-2.0 */
/* A Managed HSM's own roles: who may do what with one key, with all keys, with the HSM. */
#include <stdio.h>
#include <strings.h>

#include "base/text.h"
#include "crypto/crypto.h"
#include "keystore/azure/answer.h"
#include "provision/azure/session.h"

#define AUTHORIZATION   "providers/Microsoft.Authorization"
#define DEFINITION_HEAD "Microsoft.KeyVault/" AUTHORIZATION "/roleDefinitions/"

enum { GUID_TEXT = 37, SCOPE_ROOM = 160 };

/* ---- what may be said ---- */

static bool is_guid(const char *text)
{
    for (size_t i = 0; i < GUID_TEXT - 1; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23
                ? text[i] != '-'
                : !text[i] || !strchr("0123456789abcdefABCDEF", text[i]))
            return false;
    return !text[GUID_TEXT - 1];
}

static bool is_key_scope(const char *scope)
{
    const char *name = text_starts(scope, "/keys/") ? scope + strlen("/keys/") : "";

    return *name && strlen(name) < 128 &&
           name[strspn(name, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-")] ==
               '\0';
}

/* A request at one scope. */
struct role_session {
    struct admin_session vault;
    char scope[SCOPE_ROOM]; /* "/", "/keys", "/keys/NAME" */
    const char *prefix;     /* the same in front of a path: "" for "/" */
    json_t *definitions;    /* array; what could be read of them */
};

static void role_session_close(struct role_session *s)
{
    json_decref(s->definitions);
    admin_session_close(&s->vault);
}
AUTO_KIND(role_session, struct role_session, role_session_close(p))

static se_status choose_scope(struct role_session *s, const char *scope, se_error *err)
{
    if (*scope && strcmp(scope, "/") != 0 && strcmp(scope, "/keys") != 0 && !is_key_scope(scope))
        return error_set(err, SE_ERR_USAGE, "scope '%.100s' is not /, /keys or /keys/NAME", scope);
    if (*scope)
        (void)snprintf(s->scope, sizeof s->scope, "%s", scope);
    else
        (void)snprintf(s->scope, sizeof s->scope, "/keys/%s", s->vault.name);
    s->prefix = strcmp(s->scope, "/") == 0 ? "" : s->scope;
    return SE_OK;
}

static se_status check_principal(const char *principal, se_error *err)
{
    if (!*principal || is_guid(principal))
        return SE_OK;
    return error_set(err, SE_ERR_USAGE,
                     "principal '%.100s' is no object id, 8-4-4-4-12 hexadecimal digits: it is the "
                     "one of the enterprise application, not the client id",
                     principal);
}

/* ---- lists ---- */

static se_status keep_item(void *arg, const json_t *item, bool *stop, se_error *err)
{
    (void)stop;
    return json_array_append((json_t *)arg, (json_t *)item) ? error_memory(err) : SE_OK;
}

static se_status list_items(json_t **out, const struct role_session *s, const char *collection,
                            const char *what, se_error *err)
{
    const struct keyref *ref = &s->vault.target->ref;
    const struct vault_caller caller = { s->vault.vault, ref, vault_deadline(ref) };
    AUTO(json) items = json_array();
    AUTO(writer) path = { 0 };

    *out = NULL;
    writer_format(&path, "%s/" AUTHORIZATION "/%s", s->prefix, collection);
    if (!items || path.failed)
        return error_memory(err);
    TRY(vault_list(&caller, writer_string(&path), what, keep_item, items, err));
    *out = MOVE(items);
    return SE_OK;
}

/* They are at the root alone; who may read roles at a key need not see them. */
static se_status read_definitions(struct role_session *s, se_error *err)
{
    se_error failure = SE_ERROR_INIT;
    se_status st =
        list_items(&s->definitions, s, "roleDefinitions", "read the role definitions", &failure);

    return st && st != SE_ERR_ACCESS && st != SE_ERR_KEY ? error_copy(err, st, &failure) : SE_OK;
}

static se_status open_roles(struct role_session *out, const struct target *target,
                            const struct vault_role_choice *which, const char *what, se_error *err)
{
    TRY(admin_session_open(&out->vault, target, VAULT_KIND_HSM, what, err));
    TRY(choose_scope(out, which->scope, err));
    TRY(check_principal(which->principal, err));
    return read_definitions(out, err);
}

/* ---- names of roles ---- */

static const struct {
    const char *id, *name;
} built_in[] = {
    { "a290e904-7015-4bba-90c8-60543313cdb4", "Managed HSM Administrator" },
    { "515eb02d-2335-4d2d-92f2-b1cbdf9c3778", "Managed HSM Crypto Officer" },
    { "21dbd100-6940-42c2-9190-5d6cb909625b", "Managed HSM Crypto User" },
    { "4bd23610-cdcf-4971-bdee-bdc562cc28e4", "Managed HSM Policy Administrator" },
    { "2c18b078-7c48-4d3a-af88-5a3a1b3f82b3", "Managed HSM Crypto Auditor" },
    { "33413926-3206-4cdd-b39a-83574fe37a17", "Managed HSM Crypto Service Encryption User" },
    { "7b127d3c-77bd-4e3e-bbe0-dbb8971fa7f8", "Managed HSM Backup User" },
};
enum { BUILT_IN = sizeof built_in / sizeof *built_in };

static const char *id_of_path(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static const char *definition_name(const json_t *definition)
{
    return json_member_text(json_object_get(definition, "properties"), "roleName");
}

/* "" when it is not known. */
static const char *name_of_role(const struct role_session *s, const char *id)
{
    size_t i;
    const json_t *definition;

    json_array_foreach(s->definitions, i, definition)
    {
        if (strcasecmp(id_of_path(json_member_text(definition, "id")), id) == 0)
            return definition_name(definition);
    }
    for (i = 0; i < BUILT_IN; i++)
        if (strcasecmp(built_in[i].id, id) == 0)
            return built_in[i].name;
    return "";
}

/* "Crypto User" is enough. */
static bool is_role_name(const char *name, const char *asked)
{
    static const char head[] = "Managed HSM ";

    return strcasecmp(name, asked) == 0 ||
           (text_starts(name, head) && strcasecmp(name + strlen(head), asked) == 0);
}

static se_status refuse_role(const struct role_session *s, const char *role, se_error *err)
{
    AUTO(writer) names = { 0 };
    size_t i;
    const json_t *definition;

    json_array_foreach(s->definitions, i, definition)
    {
        writer_format(&names, "%s%s", i ? ", " : "", definition_name(definition));
    }
    for (i = 0; i < BUILT_IN && !json_array_size(s->definitions); i++)
        writer_format(&names, "%s%s", i ? ", " : "", built_in[i].name);
    return error_set(err, SE_ERR_USAGE, "there is no role '%.100s'; there are: %s", role,
                     writer_string(&names));
}

static se_status find_role(char out[GUID_TEXT], const struct role_session *s, const char *role,
                           se_error *err)
{
    const char *id = is_guid(role) ? role : NULL;
    size_t i;
    const json_t *definition;

    json_array_foreach(s->definitions, i, definition)
    {
        if (!id && is_role_name(definition_name(definition), role))
            id = id_of_path(json_member_text(definition, "id"));
    }
    for (i = 0; i < BUILT_IN && !id; i++)
        if (is_role_name(built_in[i].name, role))
            id = built_in[i].id;
    if (!id || !is_guid(id))
        return refuse_role(s, role, err);
    (void)snprintf(out, GUID_TEXT, "%s", id);
    return SE_OK;
}

/* ---- assignments ---- */

/* What it says lasts as long as the assignment. */
static struct vault_role_row row_of(const struct role_session *s, const json_t *assignment)
{
    const json_t *properties = json_object_get(assignment, "properties");
    const char *id = id_of_path(json_member_text(properties, "roleDefinitionId"));

    return (struct vault_role_row){
        .role = name_of_role(s, id),
        .role_id = id,
        .principal = json_member_text(properties, "principalId"),
        .scope = json_member_text(properties, "scope"),
        .assignment = json_member_text(assignment, "name"),
    };
}

static bool is_chosen(const struct vault_role_row *row, const char *role_id, const char *principal)
{
    return (!*role_id || strcasecmp(row->role_id, role_id) == 0) &&
           (!*principal || strcasecmp(row->principal, principal) == 0);
}

/* Those of the HSM say "/" or "", those of a key come in any case. */
static bool is_scope(const char *scope, const char *asked)
{
    return strcasecmp(*scope ? scope : "/", asked) == 0;
}

/* Whether it holds there: where it was given, and below. */
static bool holds_at(const char *scope, const char *asked)
{
    const size_t size = strlen(scope);

    return !*scope || strcmp(scope, "/") == 0 || is_scope(scope, asked) ||
           (strncasecmp(asked, scope, size) == 0 && asked[size] == '/');
}

static se_status read_choice(char role_id[GUID_TEXT], const struct role_session *s,
                             const struct vault_role_choice *which, se_error *err)
{
    *role_id = '\0';
    return *which->role ? find_role(role_id, s, which->role, err) : SE_OK;
}

static se_status list_assignments(json_t **out, const struct role_session *s, se_error *err)
{
    return list_items(out, s, "roleAssignments", "read the role assignments", err);
}

se_status vault_roles_list(const struct target *target, const struct vault_role_choice *which,
                           vault_role_fn fn, void *arg, se_error *err)
{
    AUTO(role_session) s = { .definitions = NULL };
    AUTO(json) assignments = NULL;
    char role_id[GUID_TEXT];
    size_t i;
    const json_t *assignment;

    TRY(open_roles(&s, target, which, "key roles list", err));
    TRY(read_choice(role_id, &s, which, err));
    TRY(list_assignments(&assignments, &s, err));
    json_array_foreach(assignments, i, assignment)
    {
        const struct vault_role_row row = row_of(&s, assignment);

        if (is_chosen(&row, role_id, which->principal) && holds_at(row.scope, s.scope))
            fn(arg, &row);
    }
    return SE_OK;
}

/* ---- grant ---- */

/* A name that nobody else has (RFC 9562, 5.4). */
static se_status draw_guid(char out[GUID_TEXT], se_error *err)
{
    unsigned char r[16];
    size_t used = 0;

    TRY(crypto_draw_public(r, sizeof r, err));
    r[6] = (unsigned char)((r[6] & 0x0f) | 0x40);
    r[8] = (unsigned char)((r[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof r; i++)
        used += (size_t)snprintf(out + used, GUID_TEXT - used, "%s%02x",
                                 i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", r[i]);
    return SE_OK;
}

static se_status put_assignment(json_t **out, const struct role_session *s, const char *role_id,
                                const char *principal, se_error *err)
{
    AUTO(http_answer) answer = { .status = 0 };
    AUTO(writer) body = { 0 };
    char guid[GUID_TEXT];
    const struct vault_ask ask = {
        .method = "PUT",
        .what = "grant the role",
        .body = &body,
        .is_repeatable = true,
    };

    *out = NULL;
    TRY(draw_guid(guid, err));
    writer_format(&body,
                  "{\"properties\":{\"roleDefinitionId\":\"" DEFINITION_HEAD
                  "%s\",\"principalId\":\"%s\"}}",
                  role_id, principal);
    TRY(admin_session_ask(&answer, &s->vault, &ask, err, "%s/" AUTHORIZATION "/roleAssignments/%s",
                          s->prefix, guid));
    return admin_session_json(out, &s->vault, &answer, err);
}

/* Borrowed from `assignments`. */
static const json_t *find_assignment(const struct role_session *s, const json_t *assignments,
                                     const char *role_id, const char *principal)
{
    size_t i;
    const json_t *assignment;

    json_array_foreach(assignments, i, assignment)
    {
        const struct vault_role_row row = row_of(s, assignment);

        if (is_chosen(&row, role_id, principal) && is_scope(row.scope, s->scope))
            return assignment;
    }
    return NULL;
}

static void tell_wish(const struct role_session *s, const char *role_id, const char *principal,
                      vault_role_fn fn, void *arg)
{
    fn(arg, &(struct vault_role_row){
                .role = name_of_role(s, role_id),
                .role_id = role_id,
                .principal = principal,
                .scope = s->scope,
                .assignment = "",
            });
}

se_status vault_roles_grant(bool *is_new, const struct target *target,
                            const struct vault_role_choice *which, bool dry_run, vault_role_fn fn,
                            void *arg, se_error *err)
{
    AUTO(role_session) s = { .definitions = NULL };
    AUTO(json) assignments = NULL;
    AUTO(json) made = NULL;
    char role_id[GUID_TEXT];
    const json_t *there;
    struct vault_role_row row;

    *is_new = false;
    if (!*which->role || !*which->principal)
        return error_set(err, SE_ERR_USAGE, "which role, and to whom?");
    TRY(open_roles(&s, target, which, "key roles grant", err));
    TRY(find_role(role_id, &s, which->role, err));
    TRY(list_assignments(&assignments, &s, err));
    there = find_assignment(&s, assignments, role_id, which->principal);
    *is_new = !there;
    if (*is_new && dry_run) {
        tell_wish(&s, role_id, which->principal, fn, arg);
        return SE_OK;
    }
    if (*is_new)
        TRY(put_assignment(&made, &s, role_id, which->principal, err));
    row = row_of(&s, made ? made : there);
    fn(arg, &row);
    return SE_OK;
}

/* ---- revoke ---- */

static void tell_role_loss(const struct role_session *s, const struct vault_role_row *row,
                           const struct vault_consent *consent)
{
    char detail[512];

    (void)s;
    (void)snprintf(detail, sizeof detail, "'%s' of principal %s at '%s'",
                   *row->role ? row->role : row->role_id, row->principal, row->scope);
    consent->loss(
        consent->arg,
        &(struct vault_loss){ .kind = "role assignment", .id = row->assignment, .detail = detail });
}

static se_status delete_assignment(const struct role_session *s, const char *name, se_error *err)
{
    AUTO(http_answer) answer = { .status = 0 };
    const struct vault_ask ask = {
        .method = "DELETE",
        .what = "revoke the role",
        .is_repeatable = true,
    };

    if (!is_guid(name))
        return error_set(err, SE_ERR_STORE,
                         "the Managed HSM gives a role assignment a name that "
                         "is no GUID");
    return admin_session_ask(&answer, &s->vault, &ask, err,
                             "%s/" AUTHORIZATION "/roleAssignments/%s", s->prefix, name);
}

static se_status ask_revoke(const struct role_session *s, size_t count,
                            const struct vault_consent *consent, se_error *err)
{
    char question[320];

    (void)snprintf(question, sizeof question, "Revoke %s at '%s'?",
                   count == 1 ? "this role" : "these roles", s->scope);
    return consent->dry_run ? SE_OK : consent->ask(consent->arg, question, err);
}

/* *out: those that were given at this very scope. */
static se_status choose_assignments(json_t **out, const struct role_session *s,
                                    const struct vault_role_choice *which,
                                    const struct vault_consent *consent, se_error *err)
{
    AUTO(json) assignments = NULL;
    AUTO(json) chosen = json_array();
    char role_id[GUID_TEXT];
    size_t i;
    json_t *assignment;

    *out = NULL;
    TRY(read_choice(role_id, s, which, err));
    TRY(list_assignments(&assignments, s, err));
    json_array_foreach(assignments, i, assignment)
    {
        const struct vault_role_row row = row_of(s, assignment);

        if (!is_chosen(&row, role_id, which->principal) || !is_scope(row.scope, s->scope))
            continue;
        tell_role_loss(s, &row, consent);
        if (json_array_append(chosen, assignment))
            return error_memory(err);
    }
    if (!json_array_size(chosen))
        return error_set(err, SE_ERR_KEY,
                         "no such role is given at '%s': `key roles list` shows what holds there, "
                         "also from above",
                         s->scope);
    *out = MOVE(chosen);
    return SE_OK;
}

se_status vault_roles_revoke(const struct target *target, const struct vault_role_choice *which,
                             const struct vault_consent *consent, vault_role_fn fn, void *arg,
                             se_error *err)
{
    AUTO(role_session) s = { .definitions = NULL };
    AUTO(json) chosen = NULL;
    size_t i;
    const json_t *assignment;

    if (!*which->principal)
        return error_set(err, SE_ERR_USAGE, "whose role?");
    TRY(open_roles(&s, target, which, "key roles revoke", err));
    TRY(choose_assignments(&chosen, &s, which, consent, err));
    TRY(ask_revoke(&s, json_array_size(chosen), consent, err));
    json_array_foreach(chosen, i, assignment)
    {
        const struct vault_role_row row = row_of(&s, assignment);

        if (consent->dry_run)
            continue;
        TRY(delete_assignment(&s, row.assignment, err));
        fn(arg, &row);
    }
    return SE_OK;
}
