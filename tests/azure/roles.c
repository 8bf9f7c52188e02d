/* SPDX-License-Identifier: Apache-2.0 */
/* A Managed HSM's local RBAC: definitions, assignments, and, if it is switched on, what they allow.
 */
#include "tests/azure/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/"
#define BUILTIN_REUSED                                                                             \
    "Cannot re-use the name/GUID matching that of a built-in role. Please use a unique role ID."
#define ACTION "Microsoft.KeyVault/managedHsm/"

/* recorded */
static const struct role {
    const char *id, *name, *actions;
} builtin[] = {
    { "7b127d3c-77bd-4e3e-bbe0-dbb8971fa7f8", "Managed HSM Backup User",
      "backup/start backup/status keys/backup" },
    { "33413926-3206-4cdd-b39a-83574fe37a17", "Managed HSM Crypto Service Encryption User",
      "keys/read keys/wrap keys/unwrap" },
    { "8f150189-d18f-4423-838f-c1097ad79f6a", "Managed HSM Crypto Service Release User",
      "keys/release" },
    { "2c18b078-7c48-4d3a-af88-5a3a1b3f82b3", "Managed HSM Crypto Auditor",
      "roleAssignments/read roleDefinitions/read keys/read keys/deletedKeys/read" },
    { "4bd23610-cdcf-4971-bdee-bdc562cc28e4", "Managed HSM Policy Administrator",
      "roleDefinitions/read roleDefinitions/write roleDefinitions/delete roleAssignments/read "
      "roleAssignments/write "
      "roleAssignments/delete" },
    { "21dbd100-6940-42c2-9190-5d6cb909625b", "Managed HSM Crypto User",
      "roleDefinitions/read roleAssignments/read keys/read keys/write keys/delete keys/create "
      "keys/import keys/release "
      "keys/backup keys/restore keys/encrypt keys/decrypt keys/wrap keys/unwrap keys/sign "
      "keys/verify rng" },
    { "515eb02d-2335-4d2d-92f2-b1cbdf9c3778", "Managed HSM Crypto Officer",
      "roleAssignments/delete roleAssignments/read roleAssignments/write roleDefinitions/read "
      "roleDefinitions/write "
      "roleDefinitions/delete keys/deletedKeys/read keys/deletedKeys/delete "
      "keys/deletedKeys/recover keys/export" },
    { "a290e904-7015-4bba-90c8-60543313cdb4", "Managed HSM Administrator",
      "roleAssignments/delete roleAssignments/read roleAssignments/write roleDefinitions/read "
      "roleDefinitions/write "
      "roleDefinitions/delete securitydomain/download securitydomain/download/read "
      "securitydomain/upload "
      "securitydomain/upload/read securitydomain/transferkey/read backup/start restore/start "
      "backup/status restore/status" },
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static json_t *definitions; /* id: definition */
static json_t *assignments; /* id: assignment; "since" is ours: when it works */

static bool is_builtin(const char *id)
{
    for (size_t i = 0; i < sizeof builtin / sizeof *builtin; i++)
        if (strcasecmp(builtin[i].id, id) == 0)
            return true;
    return false;
}

static json_t *builtin_definition(const struct role *role)
{
    json_t *actions = json_array();
    char *copy = text_copy(role->actions), *rest = copy, *word;
    while ((word = strsep(&rest, " "))) {
        char *action = text_format(ACTION "%s/action", word);
        json_array_append_new(actions, json_string(action));
        free(action);
    }
    free(copy);
    char *id = text_format(PREFIX "%s", role->id);
    json_t *definition = json_pack(
        "{ss ss s{s[s] ss s[{s[] so s[] s[]}] ss ss} ss}", "id", id, "name", role->id, "properties",
        "assignableScopes", "/", "description", "", "permissions", "actions", "dataActions",
        actions, "notActions", "notDataActions", "roleName", role->name, "type", "AKVBuiltInRole",
        "type", "Microsoft.Authorization/roleDefinitions");
    free(id);
    return definition;
}

/* "keys/NAME" -> "/keys/NAME" */
static json_t *make_assignment(const char *id, const char *principal, const char *role,
                               const char *scope)
{
    char *full = text_format("%s/providers/Microsoft.Authorization/roleAssignments/%s",
                             strcmp(scope, "/") == 0 ? "" : scope, id);
    const char *last = strrchr(role, '/');
    char *definition = text_format(PREFIX "%s", last ? last + 1 : role);
    json_t *assignment =
        json_pack("{ss ss s{ss ss ss} ss sI}", "id", full, "name", id, "properties", "principalId",
                  principal, "roleDefinitionId", definition, "scope", scope, "type",
                  "Microsoft.Authorization/roleAssignments", "since",
                  (json_int_t)clock_ms() + settings.role_delay);
    free(full);
    free(definition);
    return assignment;
}

const char *roles_grant(const char *principal, const char *role, const char *scope)
{
    char id[37];
    const char *found = NULL;
    for (size_t i = 0; i < sizeof builtin / sizeof *builtin; i++)
        if (strcasecmp(role, builtin[i].id) == 0 || strcasecmp(role, builtin[i].name) == 0)
            found = builtin[i].id;
    if (!found)
        return "no such role";
    guid_random(id);
    pthread_mutex_lock(&lock);
    json_object_set_new(assignments, id, make_assignment(id, principal, found, scope));
    pthread_mutex_unlock(&lock);
    return NULL;
}

void roles_start(void)
{
    definitions = json_object();
    assignments = json_object();
    for (size_t i = 0; i < sizeof builtin / sizeof *builtin; i++)
        json_object_set_new(definitions, builtin[i].id, builtin_definition(&builtin[i]));
    roles_grant(settings.principal, "Managed HSM Administrator", "/");
    roles_grant(settings.principal, "Managed HSM Crypto Officer", "/");
    roles_grant(settings.principal, "Managed HSM Crypto User", "/");
}

/* ---- what they allow ---- */

static bool lists_action(const json_t *definition, const char *member, const char *action)
{
    size_t i, k;
    json_t *permission, *entry;
    json_array_foreach(json_object_get(json_object_get(definition, "properties"), "permissions"), i,
                       permission)
        json_array_foreach(json_object_get(permission, member), k, entry)
            if (json_string_value(entry) && strcasecmp(json_string_value(entry), action) == 0)
                return true;
    return false;
}

static const char *property(const json_t *object, const char *name)
{
    const char *text =
        json_string_value(json_object_get(json_object_get(object, "properties"), name));
    return text ? text : "";
}

static bool scope_holds(const char *scope, const char *path)
{
    size_t size = strlen(scope);
    return strcmp(scope, "/") == 0 ||
           (strncasecmp(scope, path, size) == 0 && (!path[size] || path[size] == '/'));
}

/* `path`: of what it is done to. */
static bool roles_allow_at(const struct call *c, const char *action, const char *path)
{
    if (!settings.hsm || !settings.roles || !action)
        return true;
    bool allowed = false;
    const char *id;
    json_t *entry;
    char *full = text_format(ACTION "%s/action", action);
    pthread_mutex_lock(&lock);
    json_object_foreach(assignments, id, entry) {
        const char *role = strrchr(property(entry, "roleDefinitionId"), '/');
        const json_t *definition = json_object_get(definitions, role ? role + 1 : "");
        bool works = clock_ms() >= json_integer_value(json_object_get(entry, "since"));
        if (works && strcasecmp(property(entry, "principalId"), c->who.oid) == 0 &&
            scope_holds(property(entry, "scope"), path))
            allowed = allowed || (lists_action(definition, "dataActions", full) &&
                                  !lists_action(definition, "notDataActions", full));
    }
    pthread_mutex_unlock(&lock);
    free(full);
    return allowed;
}

bool roles_allow(const struct call *c, const char *action)
{
    bool keys = action && strncmp(action, "keys/", 5) == 0;
    char *path =
        keys && c->name ? text_format("/keys/%s", c->name) : text_copy(keys ? "/keys" : "/");
    bool allowed = roles_allow_at(c, action, path);
    free(path);
    return allowed;
}

/* ---- requests ---- */

static json_t *shown(const json_t *entry)
{
    json_t *copy = json_deep_copy(entry);
    json_object_del(copy, "since");
    return copy;
}

/* atScope(): there and above; principalId eq 'OID': that one's; else there and below too. */
static bool passes_filter(const json_t *entry, const char *scope, const char *filter)
{
    const char *own = property(entry, "scope"), *quote = filter ? strchr(filter, '\'') : NULL;
    bool above = scope_holds(own, scope), below = scope_holds(scope, own);
    if (filter && strstr(filter, "atScope"))
        return above;
    if (filter && strstr(filter, "principalId") && quote) {
        const char *principal = property(entry, "principalId");
        return strncasecmp(quote + 1, principal, strlen(principal)) == 0;
    }
    return above || below;
}

static void list_entries(struct call *c, const json_t *all, const char *scope, bool filtered)
{
    json_t *list = json_array(), *entry;
    const char *id;
    char *filter = request_parameter(c->request, "$filter");
    json_object_foreach((json_t *)(uintptr_t)all, id, entry)
        if (!filtered || passes_filter(entry, scope, filter))
            json_array_append_new(list, shown(entry));
    answer_json(c->answer, 200, json_pack("{so}", "value", list));
    free(filter);
}

static void put_definition(struct call *c, const char *name)
{
    if (!guid_valid(name)) {
        answer_error(c, 400, "BadParameter", NULL, "Role definition name must be a GUID");
        return;
    }
    json_t *given = json_object_get(c->body, "properties"), *properties = json_object();
    json_t *scopes = json_object_get(given, "assignableScopes"),
           *permissions = json_object_get(given, "permissions");
    const char *description = json_string_value(json_object_get(given, "description"));
    const char *role = json_string_value(json_object_get(given, "roleName"));
    if (is_builtin(name)) { /* recorded, both */
        if (role && strcmp(role, name) == 0)
            answer_error(c, 500, "UnknownError", NULL, "Unknown error");
        else
            answer_error(c, 400, "BadParameter", NULL, BUILTIN_REUSED);
        json_decref(properties);
        return;
    }
    json_object_set_new(properties, "assignableScopes",
                        scopes ? json_deep_copy(scopes) : json_pack("[s]", "/"));
    json_object_set_new(properties, "description", json_string(description ? description : ""));
    json_object_set_new(properties, "permissions",
                        permissions ? json_deep_copy(permissions) : json_array());
    json_object_set_new(properties, "roleName", json_string(role ? role : name));
    json_object_set_new(properties, "type", json_string("CustomRole"));
    char *id = text_format(PREFIX "%s", name);
    json_t *definition = json_pack("{ss ss so ss}", "id", id, "name", name, "properties",
                                   properties, "type", "Microsoft.Authorization/roleDefinitions");
    free(id);
    json_object_set_new(definitions, name, definition);
    answer_json(c->answer, 201, shown(definition));
}

static void put_assignment(struct call *c, const char *scope, const char *name)
{
    const char *principal = property(c->body, "principalId"),
               *role = property(c->body, "roleDefinitionId");
    const char *last = strrchr(role, '/'), *id;
    json_t *entry;
    if (!guid_valid(name) || !*principal) {
        answer_error(c, 400, "BadParameter", NULL,
                     "Role assignment name must be a GUID, and a principalId is needed");
        return;
    }
    if (!json_object_get(definitions, last ? last + 1 : role)) {
        answer_error(c, 404, "RoleDefinitionNotFound", NULL, "Requested role definition not found");
        return;
    }
    json_t *made = make_assignment(name, principal, role, scope);
    bool there = json_object_get(assignments, name) != NULL;
    json_object_foreach(assignments, id, entry)
        there = there || json_equal(json_object_get(entry, "properties"),
                                    json_object_get(made, "properties"));
    if (there) {
        answer_error(c, 409, "RoleAssignmentExists", NULL, "The role assignment already exists");
        json_decref(made);
        return;
    }
    json_object_set_new(assignments, name, made);
    answer_json(c->answer, 201, shown(made));
}

static void handle_entry(struct call *c, json_t *all, const char *name, bool definition)
{
    json_t *entry = json_object_get(all, name);
    bool delete = strcmp(c->request->method, "DELETE") == 0;
    if (!entry)
        answer_error(c, 404, definition ? "RoleDefinitionNotFound" : "RoleAssignmentNotFound", NULL,
                     definition ? "Requested role definition not found"
                                : "Requested role assignment not found");
    else if (delete &&definition && is_builtin(name))
        answer_error(c, 400, "BadParameter", NULL, BUILTIN_REUSED);
    else
        answer_json(c->answer, 200, shown(entry));
    if (delete &&entry && c->answer->status == 200)
        json_object_del(all, name);
}

void roles_handle(struct call *c, const char *scope, const char *kind, const char *name)
{
    bool definition = strcmp(kind, "roleDefinitions") == 0;
    const char *method = c->request->method;
    const char *verb = strcmp(method, "GET") == 0      ? "read"
                       : strcmp(method, "DELETE") == 0 ? "delete"
                                                       : "write";
    char *action = text_format("%s/%s", kind, verb);
    bool allowed = roles_allow_at(c, action, scope); /* a role for one key sees that key's */
    free(action);
    if (!allowed) {
        answer_error(c, 403, "Forbidden", NULL, "Caller is not authorized to perform this action");
        return;
    }
    pthread_mutex_lock(&lock);
    json_t *all = definition ? definitions : assignments;
    if (!name)
        list_entries(c, all, scope, !definition);
    else if (strcmp(method, "PUT") == 0 && definition)
        put_definition(c, name);
    else if (strcmp(method, "PUT") == 0)
        put_assignment(c, scope, name);
    else
        handle_entry(c, all, name, definition);
    pthread_mutex_unlock(&lock);
}
