/* SPDX-License-Identifier: Apache-2.0 */
/* What a certificate is to say, read from what people write: key types, usages and names. */
#ifndef PROVISION_CERT_PROFILE_H
#define PROVISION_CERT_PROFILE_H

#include <openssl/x509v3.h>

#include "provision/keystore.h"

AUTO_KIND(x509_name, X509_NAME *, X509_NAME_free(*p))
AUTO_KIND(general_names, GENERAL_NAMES *, GENERAL_NAMES_free(*p))

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

/* "rsa:3072", "ec:P-256" */
SE_MUST_CHECK se_status key_type_parse(struct key_type *out, const char *text, se_error *err);

/* "hsm", "software"; NULL and "": as is usual. */
SE_MUST_CHECK se_status protection_parse(enum protection *out, const char *text, se_error *err);

/* What the descriptors do with the target's key: USE_ bits, none without a descriptor. */
unsigned target_uses(const struct target *target);

/* "sign", "encrypt", "both": USE_ bits.  EC keys only sign here. */
SE_MUST_CHECK se_status key_uses_parse(unsigned *out, const char *text, enum key_family family,
                                       se_error *err);

/* "/C=SE/O=Example/CN=signer" (OpenSSL) and "CN=signer,O=Example,C=SE" (RFC 4514).  SE_ERR_USAGE
 * names the part that is wrong. */
SE_MUST_CHECK se_status subject_parse(X509_NAME **out, const char *text, se_error *err);

/* CN=`name` and nothing else. */
SE_MUST_CHECK se_status subject_common_name(X509_NAME **out, const char *name, se_error *err);

/* "DNS:host", "email:a@example.org", "IP:192.0.2.1", "URI:https://..."; *out is NULL when `count`
 * is 0. */
SE_MUST_CHECK se_status alternative_names(GENERAL_NAMES **out, const char *const *texts,
                                          size_t count, se_error *err);

#endif
