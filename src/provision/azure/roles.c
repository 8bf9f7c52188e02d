/* SPDX-License-Identifier: Apache-2.0 */
/* A Managed HSM's own roles: who may do what with one key, with all keys, with the HSM. */
#include <stdio.h>
#include <strings.h>

#include "base/text.h"
#include "keystore/azure/guid.h"
#include "keystore/azure/hsm_role.h"
#include "provision/azure/session.h"

enum { SCOPE_ROOM = 160 };

/* ---- what may be said ---- */

static bool is_key_scope(const char *scope)
{
    const char *name = text_starts(scope, "/keys/") ? scope + strlen("/keys/") : "";

    return *name && strlen(name) < 128 &&
           name[strspn(name, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-")] ==
               '\0';
}

/* A request at one scope. */
struct role_session {
    struct vault_session vault;
    char scope[SCOPE_ROOM]; /* "/", "/keys", "/keys/NAME" */
    const char *prefix;     /* the same in front of a path: "" for "/" */
    json_t *definitions;    /* array; what could be read of them */
};

static void role_session_close(struct role_session *s)
{
    json_decref(s->definitions);
    vault_session_close(&s->vault);
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
    if (!*principal || guid_is(principal))
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
    const struct vault_caller caller = vault_session_caller(&s->vault);
    AUTO(json) items = json_array();
    AUTO(writer) path = { 0 };

    *out = NULL;
    writer_format(&path, "%s/%s", s->prefix, collection);
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
        list_items(&s->definitions, s, ROLE_DEFINITIONS, "read the role definitions", &failure);

    return st && st != SE_ERR_ACCESS && st != SE_ERR_KEY ? error_copy(err, st, &failure) : SE_OK;
}

static se_status open_roles(struct role_session *out, const struct target *target,
                            const struct vault_role_choice *which, const char *command,
                            se_error *err)
{
    TRY(vault_session_open(&out->vault, target, VAULT_STORES_HSM, command, err));
    TRY(choose_scope(out, which->scope, err));
    TRY(check_principal(which->principal, err));
    return read_definitions(out, err);
}

/* ---- names of roles ---- */

static const char *definition_name(const json_t *definition)
{
    return member_text(json_object_get(definition, "properties"), "roleName");
}

/* "" when it is not known. */
static const char *name_of_role(const struct role_session *s, const char *id)
{
    const struct hsm_role *built_in = hsm_role_find(id);
    size_t i;
    const json_t *definition;

    json_array_foreach(s->definitions, i, definition) {
        if (strcasecmp(hsm_role_id(member_text(definition, "id")), id) == 0)
            return definition_name(definition);
    }
    return built_in ? built_in->name : "";
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

    json_array_foreach(s->definitions, i, definition) {
        writer_format(&names, "%s%s", i ? ", " : "", definition_name(definition));
    }
    for (i = 0; i < HSM_ROLES && !json_array_size(s->definitions); i++)
        writer_format(&names, "%s%s", i ? ", " : "", hsm_roles[i].name);
    return error_set(err, SE_ERR_USAGE, "there is no role '%.100s'; there are: %s", role,
                     writer_string(&names));
}

static se_status find_role(char out[GUID_TEXT], const struct role_session *s, const char *role,
                           se_error *err)
{
    const char *id = guid_is(role) ? role : NULL;
    size_t i;
    const json_t *definition;

    json_array_foreach(s->definitions, i, definition) {
        if (!id && is_role_name(definition_name(definition), role))
            id = hsm_role_id(member_text(definition, "id"));
    }
    for (i = 0; i < HSM_ROLES && !id; i++)
        if (is_role_name(hsm_roles[i].name, role))
            id = hsm_roles[i].id;
    if (!id || !guid_is(id))
        return refuse_role(s, role, err);
    (void)snprintf(out, GUID_TEXT, "%s", id);
    return SE_OK;
}

/* ---- assignments ---- */

/* What it says lasts as long as the assignment. */
static struct vault_role_row row_of(const struct role_session *s, const json_t *json)
{
    const struct role_assignment assignment = role_assignment_read(json);

    return (struct vault_role_row){
        .role = name_of_role(s, assignment.role_id),
        .role_id = assignment.role_id,
        .principal = assignment.principal,
        .scope = assignment.scope,
        .assignment = assignment.name,
    };
}

static bool is_chosen(const struct vault_role_row *row, const char *role_id, const char *principal)
{
    return (!*role_id || strcasecmp(row->role_id, role_id) == 0) &&
           (!*principal || strcasecmp(row->principal, principal) == 0);
}

/* Whether it holds there: where it was given, and below; case does not count in names. */
static bool holds_at(const char *scope, const char *asked)
{
    const size_t size = strlen(scope);

    return strcmp(scope, "/") == 0 || strcasecmp(scope, asked) == 0 ||
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
    return list_items(out, s, ROLE_ASSIGNMENTS, "read the role assignments", err);
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
    json_array_foreach(assignments, i, assignment) {
        const struct vault_role_row row = row_of(&s, assignment);

        if (is_chosen(&row, role_id, which->principal) && holds_at(row.scope, s.scope))
            fn(arg, &row);
    }
    return SE_OK;
}

/* ---- grant ---- */

/* PUT or DELETE of one at this scope. */
static se_status change_assignment(json_t **out, const struct role_session *s, const char *name,
                                   struct vault_call *call, se_error *err)
{
    AUTO(writer) path = { 0 };

    writer_format(&path, "%s/" ROLE_ASSIGNMENTS "/%s", s->prefix, name);
    if (path.failed)
        return error_memory(err);
    call->path = writer_string(&path);
    call->is_repeatable = true;
    return vault_session_fetch(out, &s->vault, call, err);
}

static se_status put_assignment(json_t **out, const struct role_session *s, const char *role_id,
                                const char *principal, se_error *err)
{
    AUTO(writer) body = { 0 };
    char guid[GUID_TEXT];
    struct vault_call call = { .method = "PUT", .verb = "grant the role", .body = &body };

    *out = NULL;
    TRY(guid_draw(guid, err));
    writer_format(&body,
                  "{\"properties\":{\"roleDefinitionId\":\"Microsoft.KeyVault/" ROLE_DEFINITIONS
                  "/%s\",\"principalId\":\"%s\"}}",
                  role_id, principal);
    return change_assignment(out, s, guid, &call, err);
}

/* Borrowed from `assignments`. */
static const json_t *find_assignment(const struct role_session *s, const json_t *assignments,
                                     const char *role_id, const char *principal)
{
    size_t i;
    const json_t *assignment;

    json_array_foreach(assignments, i, assignment) {
        const struct vault_role_row row = row_of(s, assignment);

        if (is_chosen(&row, role_id, principal) && strcasecmp(row.scope, s->scope) == 0)
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

static void tell_role_loss(const struct vault_role_row *row, const struct vault_consent *consent)
{
    char detail[512];

    (void)snprintf(detail, sizeof detail, "'%s' of principal %s at '%s'",
                   *row->role ? row->role : row->role_id, row->principal, row->scope);
    consent->loss(
        consent->arg,
        &(struct vault_loss){ .kind = "role assignment", .id = row->assignment, .detail = detail });
}

static se_status delete_assignment(const struct role_session *s, const char *name, se_error *err)
{
    AUTO(json) deleted = NULL;
    struct vault_call call = { .method = "DELETE", .verb = "revoke the role" };

    if (!guid_is(name))
        return error_set(err, SE_ERR_STORE,
                         "the Managed HSM gives a role assignment a name that is no GUID");
    return change_assignment(&deleted, s, name, &call, err);
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
    json_array_foreach(assignments, i, assignment) {
        const struct vault_role_row row = row_of(s, assignment);

        if (!is_chosen(&row, role_id, which->principal) || strcasecmp(row.scope, s->scope) != 0)
            continue;
        tell_role_loss(&row, consent);
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
    json_array_foreach(chosen, i, assignment) {
        const struct vault_role_row row = row_of(&s, assignment);

        if (consent->dry_run)
            continue;
        TRY(delete_assignment(&s, row.assignment, err));
        fn(arg, &row);
    }
    return SE_OK;
}
