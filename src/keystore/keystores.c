/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/keystore.h"

#include <string.h>

#include "crypto/certificate.h"
#include "keystore/azure/assertion.h"
#include "keystore/azure/login.h"
#include "keystore/pkcs11/pin_blocklist.h"

/* The only place that knows all stores. */
static const struct store_type *const stores[] = {
    &pkcs12_store, &pem_store, &pkcs11_store, &key_vault_store, &managed_hsm_store,
};

static se_status store_find(const struct store_type **out, const char *name, se_error *err)
{
    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
        *out = stores[i];
        if (strcmp(stores[i]->name, name) == 0)
            return SE_OK;
    }
    return error_set(err, SE_ERR_STORE, "this build has no key store '%s'", name);
}

/* A certificate in the configuration makes public-key work independent of the store. */
static se_status open_configured(struct key **out, const struct keyref *ref, se_error *err)
{
    AUTO(certificates) configured = { .own = NULL };

    *out = NULL;
    TRY(store_configured_certificate(&configured, ref, err));
    return configured.own ? key_new(out, NULL, &configured, err) : SE_OK;
}

se_status store_open(struct key **out, const struct keyref *ref, enum key_part part,
                     const struct key_watch *watch, se_error *err)
{
    const struct store_type *store;

    *out = NULL;
    if (part <= PART_ENCRYPT)
        TRY(open_configured(out, ref, err));
    if (*out)
        return SE_OK;
    TRY(store_find(&store, ref->store, err));
    assertion_open_with(store_open); /* a key that signs to log in may be in any store */
    return store->open(
        out, ref, part == PART_ENCRYPT && !store->has_rights ? PART_CERTIFICATE : part, watch, err);
}

void store_forget_refused_pins(void)
{
    pin_blocklist_forget();
    login_forget_refused();
}
