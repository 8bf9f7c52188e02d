/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the two modes a vault's key is in. */
#include <stdlib.h>

#include "provision/azure/vault_keystore.h"

/* As the store does (keystore/azure/store.c): what nobody says is told from what is there. */
static bool is_certificate_mode(const struct keyref *ref)
{
    const bool has_certificate = *ref->certificate || ref->certificate_der.size;

    return ref->mode == VAULT_MODE_CERTIFICATE ||
           (!ref->mode && !has_certificate && strcmp(ref->store, "AzureManagedHSM") != 0);
}

static se_status vault_keystore_open(struct keystore **out, const struct target *target,
                                     enum access access, se_error *err)
{
    AUTO(keystore) keystore = calloc(1, sizeof(struct vault_keystore));
    struct vault_keystore *s = (struct vault_keystore *)keystore;

    (void)access;
    if (!keystore)
        return error_memory(err);
    s->file = (struct output)OUTPUT_INIT;
    *keystore = (struct keystore){ is_certificate_mode(&target->ref) ? &vault_certificate_ops
                                                                     : &vault_key_ops,
                                   target };
    TRY(vault_session_open(&s->session, target, err));
    *out = MOVE(keystore);
    return SE_OK;
}

/* The mode decides what else it does. */
const struct keystore_ops vault_keystore_ops = {
    .usual_type = "rsa:2048", /* of larger ones a vault signs far less a second */
    .open = vault_keystore_open,
};
