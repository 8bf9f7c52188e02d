/* SPDX-License-Identifier: Apache-2.0 */
/* Who a vault's login is, as its token says. */
#ifndef KEYSTORE_AZURE_PRINCIPAL_H
#define KEYSTORE_AZURE_PRINCIPAL_H

#include "keystore/azure/vault.h"

/* The object id that roles are given to: a GUID.  SE_ERR_STORE: the token does not say. */
SE_MUST_CHECK se_status vault_principal(char out[64], struct vault *vault, int64_t until,
                                        se_error *err);

#endif
