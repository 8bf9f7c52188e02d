/* SPDX-License-Identifier: Apache-2.0 */
/* What keys a vault makes, and what it calls them. */
#ifndef PROVISION_AZURE_VAULT_KEY_TYPES_H
#define PROVISION_AZURE_VAULT_KEY_TYPES_H

#include "provision/azure/vault_session.h"
#include "provision/keystore.h"

/* "RSA-HSM": SE_ERR_USAGE where there is no software. */
SE_MUST_CHECK se_status vault_key_kind(const char **out, const struct vault_session *session,
                                       enum key_family family, enum protection protection,
                                       se_error *err);

/* {"kty":…,"key_size":…} or {"kty":…,"crv":…}; NULL: out of memory.  SE_ERR_USAGE: the vault has no
 * such keys. */
SE_MUST_CHECK se_status vault_key_properties(json_t **out, const struct vault_session *session,
                                             const struct key_profile *profile, se_error *err);

/* The type of a key that is there. */
struct key_type key_type_of(const EVP_PKEY *key);

/* Tells how fast a new key of that type is, where that is slow. */
void vault_note_speed(const struct vault_session *session, const struct key_profile *profile);

#endif
