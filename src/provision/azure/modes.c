/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the two modes a vault's key is in. */
#include <stdlib.h>

#include "provision/azure/keystore.h"

static se_status vault_keystore_open(struct keystore **out, const struct target *target,
                                     enum access access, se_error *err)
{
    AUTO(keystore) keystore = calloc(1, sizeof(struct vault_keystore));
    struct vault_keystore *s = (struct vault_keystore *)keystore;

    (void)access;
    if (!keystore)
        return error_memory(err);
    s->file = (struct output)OUTPUT_INIT;
    /* until the session is open: both close it alike */
    *keystore = (struct keystore){ &vault_key_ops, target };
    TRY(vault_session_open(&s->session, target, VAULT_STORES_ALL, "key", err));
    if (s->session.is_certificate)
        keystore->ops = &vault_certificate_ops;
    *out = MOVE(keystore);
    return SE_OK;
}

/* The mode decides what else it does. */
const struct keystore_ops vault_keystore_ops = {
    .usual_type = "rsa:2048", /* of larger ones a vault signs far less a second */
    .open = vault_keystore_open,
};
