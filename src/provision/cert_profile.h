/* SPDX-License-Identifier: Apache-2.0 */
/* What a certificate is to say, read from what people write: key types, usages and names. */
#ifndef PROVISION_CERT_PROFILE_H
#define PROVISION_CERT_PROFILE_H

#include "config/cert_names.h"
#include "provision/keystore.h"

struct cert_profile {
    X509_NAME *subject;
    GENERAL_NAMES *alternatives; /* may be NULL */
    unsigned uses;               /* USE_ bits */
    unsigned days;               /* certificates */
};
SE_MUST_CHECK se_status cert_profile_parse(struct cert_profile *out,
                                           const struct provision_profile *profile,
                                           const struct target *target, enum key_family family,
                                           se_error *err);
void cert_profile_free(struct cert_profile *profile);
AUTO_KIND(cert_profile, struct cert_profile, cert_profile_free(p))

/* What `certificate` says, where `wanted` says nothing. */
SE_MUST_CHECK se_status cert_profile_inherit(struct cert_profile *out, X509 *certificate,
                                             const struct provision_profile *wanted, se_error *err);

/* "rsa:3072", "ec:P-256" */
SE_MUST_CHECK se_status key_type_parse(struct key_type *out, const char *text, se_error *err);
struct key_type key_type_of(const EVP_PKEY *key);

/* "hsm", "software"; NULL and "": as is usual. */
SE_MUST_CHECK se_status protection_parse(enum protection *out, const char *text, se_error *err);

/* What the descriptors do with the target's key: USE_ bits, none without a descriptor. */
unsigned target_uses(const struct target *target);

/* "sign", "encrypt", "both": USE_ bits.  EC keys only sign here. */
SE_MUST_CHECK se_status key_uses_parse(unsigned *out, const char *text, enum key_family family,
                                       se_error *err);

/* "DNS:host", "email:a@example.org", "IP:192.0.2.1", "URI:https://..."; *out is NULL when `count`
 * is 0. */
SE_MUST_CHECK se_status alternative_names(GENERAL_NAMES **out, const char *const *texts,
                                          size_t count, se_error *err);

#endif
