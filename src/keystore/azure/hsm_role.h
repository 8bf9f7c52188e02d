/* SPDX-License-Identifier: Apache-2.0 */
/* A Managed HSM's own roles ("local RBAC"), and who has them. */
#ifndef KEYSTORE_AZURE_HSM_ROLE_H
#define KEYSTORE_AZURE_HSM_ROLE_H

#include <jansson.h>
#include <stdbool.h>

/* Paths below a scope, "/keys/NAME", "" for all of the HSM. */
#define ROLE_ASSIGNMENTS "providers/Microsoft.Authorization/roleAssignments"
#define ROLE_DEFINITIONS "providers/Microsoft.Authorization/roleDefinitions"

/* Those that every Managed HSM has. */
struct hsm_role {
    const char *id, *name;
    bool has_keys; /* may use or change keys, or give others the right to */
};
enum { HSM_ROLES = 7 };
extern const struct hsm_role hsm_roles[HSM_ROLES];
#define ROLE_ADMINISTRATOR "a290e904-7015-4bba-90c8-60543313cdb4"

/* NULL: it is none of them. */
const struct hsm_role *hsm_role_find(const char *id);

/* The id at the end of a definition's path. */
const char *hsm_role_id(const char *path);

/* Borrowed from the answer; "" where it does not say. */
struct role_assignment {
    const char *name; /* a GUID */
    const char *role_id;
    const char *principal; /* an object id */
    const char *scope;     /* "/", "/keys", "/keys/NAME" */
};
struct role_assignment role_assignment_read(const json_t *json);

#endif
