/* SPDX-License-Identifier: Apache-2.0 */
/* A key in a vault: one version of it, for ever. */
#ifndef KEYSTORE_AZURE_KEY_H
#define KEYSTORE_AZURE_KEY_H

#include "crypto/provider_keymgmt.h"
#include "keystore/azure/vault.h"
#include "keystore/keystore.h"

struct vault_key {
    const struct keyref *ref; /* held */
    struct vault *vault;
    const struct key_watch *watch; /* may be NULL */
    EVP_PKEY *public_key;
    char *id;            /* kid: "https://vault/keys/NAME/VERSION" */
    unsigned operations; /* enum key_ops */
    /* under fork_lock_take() */
    bool is_away;    /* `watch` has heard that it is */
    int64_t changed; /* clock_monotonic_us() */
};

/* Takes over `vault` and `id`; counts the rest.  `id` is of the vault. */
SE_MUST_CHECK se_status vault_key_new(struct vault_key **out, const struct keyref *ref,
                                      struct vault *vault, EVP_PKEY *public_key, char *id,
                                      unsigned operations, const struct key_watch *watch,
                                      se_error *err);

void vault_key_free(void *remote); /* accepts NULL */
AUTO_KIND(vault_key, struct vault_key *, vault_key_free(*p))

/* remote_ops.advise (advice.c) */
void vault_key_advise(void *remote, remote_advice_fn fn, void *arg);

/* An EVP_PKEY whose private operations the vault does.  Takes `key` over. */
SE_MUST_CHECK se_status vault_key_wrap(EVP_PKEY **out, struct vault_key *key, se_error *err);

/* Operations a second with RSA keys of that size that a Key Vault does for all its callers
 * together, as documented in 2026; EC keys are like the smallest. */
unsigned vault_speed(unsigned bits, bool is_hsm);

/* The service's names for what it can do; "" and a failure that says what it can't.  No call. */
SE_MUST_CHECK se_status vault_sign_algorithm(const char **out, const EVP_PKEY *key,
                                             const struct sign_how *how, se_error *err);
SE_MUST_CHECK se_status vault_unwrap_algorithm(const char **out, const struct unwrap_how *how,
                                               se_error *err);

#endif
