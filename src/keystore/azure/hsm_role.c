/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/hsm_role.h"

#include <string.h>
#include <strings.h>

#include "keystore/azure/answer.h"

/* A role that may only read, or that only backs up, is no danger to keys. */
const struct hsm_role hsm_roles[HSM_ROLES] = {
    { ROLE_ADMINISTRATOR, "Managed HSM Administrator", false },
    { "515eb02d-2335-4d2d-92f2-b1cbdf9c3778", "Managed HSM Crypto Officer", true },
    { "21dbd100-6940-42c2-9190-5d6cb909625b", "Managed HSM Crypto User", true },
    { "4bd23610-cdcf-4971-bdee-bdc562cc28e4", "Managed HSM Policy Administrator", true },
    { "2c18b078-7c48-4d3a-af88-5a3a1b3f82b3", "Managed HSM Crypto Auditor", false },
    { "33413926-3206-4cdd-b39a-83574fe37a17", "Managed HSM Crypto Service Encryption User", false },
    { "7b127d3c-77bd-4e3e-bbe0-dbb8971fa7f8", "Managed HSM Backup User", false },
};

const struct hsm_role *hsm_role_find(const char *id)
{
    for (size_t i = 0; i < HSM_ROLES; i++)
        if (strcasecmp(hsm_roles[i].id, id) == 0)
            return &hsm_roles[i];
    return NULL;
}

const char *hsm_role_id(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

struct role_assignment role_assignment_read(const json_t *json)
{
    const json_t *properties = json_object_get(json, "properties");
    const char *scope = member_text(properties, "scope");

    return (struct role_assignment){
        .name = member_text(json, "name"),
        .role_id = hsm_role_id(member_text(properties, "roleDefinitionId")),
        .principal = member_text(properties, "principalId"),
        .scope = *scope ? scope : "/", /* a Managed HSM says both */
    };
}
