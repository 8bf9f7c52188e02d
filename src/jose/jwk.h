/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys as JOSE has them (RFC 7517; RFC 7518, 6), and their thumbprints (RFC 7638). */
#ifndef JOSE_JWK_H
#define JOSE_JWK_H

#include <jansson.h>

#include "crypto/key.h"

/* SHA-256 in base64url, and a NUL. */
enum { JWK_THUMBPRINT = 44 };
SE_MUST_CHECK se_status jwk_thumbprint(char out[JWK_THUMBPRINT], const EVP_PKEY *key,
                                       se_error *err);

/* A key of a JWK set: that of the certificate, which is part of it, with its issuers, which may be
 * NULL.  `algorithm` is that of JWS. */
SE_MUST_CHECK se_status jwk_write(struct writer *w, const struct algorithm *algorithm,
                                  X509 *certificate, const STACK_OF(X509) * issuers, se_error *err);

/* x5c (RFC 7515, 4.1.6; RFC 7517, 4.7): the certificate, then its issuers. */
SE_MUST_CHECK se_status jwk_write_chain(struct writer *w, X509 *certificate,
                                        const STACK_OF(X509) * issuers, se_error *err);

/* Whether `jwk` is that public key, in the one spelling that JOSE has for it. */
bool jwk_is_of(const json_t *jwk, const EVP_PKEY *key);

/* The digest of the certificate: its thumbprint, x5t or x5t#S256 (RFC 7515, 4.1.7 and 4.1.8). */
SE_MUST_CHECK se_status certificate_thumbprint(se_buf *out, const X509 *certificate,
                                               enum digest digest, se_error *err);

#endif
