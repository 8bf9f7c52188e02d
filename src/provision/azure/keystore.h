/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Azure vaults as key stores, in two modes: keys whose certificate is a file of ours (keys.c;
 * a Managed HSM has no other), and certificates that the vault keeps with their keys
 * (certificates.c).
 *
 * What a vault has made can't be made undone: a deleted name stays taken for weeks.  So what may
 * fail is tried before, and what fails later says what is there then.
 */
#ifndef PROVISION_AZURE_KEYSTORE_H
#define PROVISION_AZURE_KEYSTORE_H

#include "base/file.h"
#include "provision/azure/session.h"
#include "provision/keystore.h"

struct vault_keystore {
    struct keystore keystore;
    struct vault_session session;
    char version[33];   /* the newest, when holds() looked; "": there was none */
    struct output file; /* of the configured certificate, to be written */

    /* what commit() puts there */
    EVP_PKEY *key;
    struct key_profile profile;
    X509 *certificate;
    STACK_OF(X509) * chain;
    char made[33];     /* version of a key of key mode, which has signed its certificate, */
    unsigned made_ops; /* enum key_use: and is to sign nothing more; 0: it may */
};

#define VAULT_FORCE_DOES "makes a new version of it, before the old one, which stays in the vault"
extern const struct keystore_ops vault_key_ops, vault_certificate_ops; /* without open() */

/* Both modes do it so; the first is in listing.c. */
se_status vault_keystore_list(struct keystore *keystore, unsigned scope,
                              const struct provision_report *report, se_error *err);
se_status vault_put_key(struct keystore *keystore, EVP_PKEY *key, const struct key_profile *profile,
                        se_error *err);
se_status vault_put_certificates(struct keystore *keystore, X509 *certificate,
                                 const STACK_OF(X509) * chain, se_error *err);
void vault_keystore_close(struct keystore *keystore);

/* "RSA-HSM": SE_ERR_USAGE where there is no software. */
SE_MUST_CHECK se_status vault_key_kind(const char **out, const struct vault_session *session,
                                       enum key_family family, enum protection protection,
                                       se_error *err);

/* {"kty":..,"key_size":..} or {"kty":..,"crv":..}; NULL: out of memory.  SE_ERR_USAGE: the vault
 * has no such keys. */
SE_MUST_CHECK se_status vault_key_properties(json_t **out, const struct vault_session *session,
                                             const struct key_profile *profile, se_error *err);

/* The type of a key that is there. */

/* Both halves of a version; the private one is the vault's. */
SE_MUST_CHECK se_status vault_pair_open(struct key_pair *out, const struct vault_session *session,
                                        const struct vault_key_answer *answer, se_error *err);

/* Tells how fast a new key of that type is, where that is slow. */
void vault_note_speed(const struct vault_session *session, const struct key_profile *profile);

/* Tells that there is a new version, and the old one still. */
void vault_note_version(const struct vault_keystore *s, const char *id);

#endif
