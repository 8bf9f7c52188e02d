/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates for tests, made on the spot. */
#ifndef TESTS_UNIT_MAKER_H
#define TESTS_UNIT_MAKER_H

#include "crypto/key.h"

struct certificate_wish {
    const char *subject;    /* CN; "test" without one */
    const char *usage;      /* keyUsage as openssl.cnf has it; NULL: none */
    const char *alt_name;   /* subjectAltName likewise */
    int from_days, to_days; /* from now; both 0: yesterday to in a year */
    int from_seconds;       /* besides */
    X509 *issuer;           /* NULL: self-signed */
    EVP_PKEY *issuer_key;
    bool ca;
    const char *extended_usage; /* extendedKeyUsage likewise */
};

/* "RSA-2048", "P-256", ... */
EVP_PKEY *make_key(const char *type);
X509 *make_certificate(EVP_PKEY *key, const struct certificate_wish *wish);

/* Both in one PEM file in the current folder. */
void make_bundle(const char *path, EVP_PKEY *key, X509 *certificate);

/* A key of that type and its certificate, in such a file. */
void make_signer(const char *path, const char *type, const struct certificate_wish *wish);

#endif
