/* SPDX-License-Identifier: Apache-2.0 */
/* Which store a key is in. */
#include <string.h>

#include "provision/keystore.h"

/* The only place that knows all stores. */
const struct keystore_ops *keystore_ops_find(const struct target *target)
{
    static const struct {
        const char *name;
        const struct keystore_ops *ops;
    } stores[] = {
        { "HSM", &token_keystore_ops },
        { "pkcs12", &pkcs12_keystore_ops },
        { "pem", &pem_keystore_ops },
        { "AzureKeyVault", &vault_keystore_ops },
        { "AzureManagedHSM", &vault_keystore_ops },
    };

    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++)
        if (strcmp(stores[i].name, target->ref.store) == 0)
            return stores[i].ops;
    return NULL;
}

se_status target_keystore_open(struct keystore **out, const struct target *target,
                               enum access access, se_error *err)
{
    const struct keystore_ops *ops = keystore_ops_find(target);

    *out = NULL;
    return ops ? ops->open(out, target, access, err)
               : error_set(err, SE_ERR_USAGE, "keys in '%s' are made with its own tools",
                           target->ref.store);
}
