/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Azure vaults as key stores, in two modes: keys whose certificate is a file of ours (vault_keys.c;
 * a Managed HSM has no other), and certificates that the vault keeps with their keys
 * (vault_certificates.c).
 *
 * What a vault has made can't be made undone: a deleted name stays taken for weeks.  So what may
 * fail is tried before, and what fails later says what is there then.
 */
#ifndef PROVISION_AZURE_VAULT_KEYSTORE_H
#define PROVISION_AZURE_VAULT_KEYSTORE_H

#include "base/file.h"
#include "provision/azure/vault_session.h"
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
    char *made;        /* path of a key of key mode, which has signed its certificate, */
    unsigned made_ops; /* enum key_use: and is to sign nothing more; 0: it may */
};

extern const struct keystore_ops vault_key_ops, vault_certificate_ops; /* without open() */

/* vault_listing.c */
se_status vault_keys_list(struct keystore *keystore, unsigned scope,
                          const struct provision_report *report, se_error *err);
se_status vault_certificates_list(struct keystore *keystore, unsigned scope,
                                  const struct provision_report *report, se_error *err);

/* Both modes do it so. */
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
struct key_type key_type_of(const EVP_PKEY *key);

/* Tells how fast a new key of that type is, where that is slow. */
void vault_note_speed(const struct vault_session *session, const struct key_profile *profile);

/* Tells that there is a new version, and the old one still. */
void vault_note_version(const struct vault_keystore *s, const char *id, const char *collection);

#endif
