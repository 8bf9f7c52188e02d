/* SPDX-License-Identifier: Apache-2.0 */
/* Self-signed certificates (RFC 5280) and requests (PKCS #10, RFC 2986), signed by any EVP_PKEY. */
#ifndef PROVISION_X509_BUILD_H
#define PROVISION_X509_BUILD_H

#include "provision/cert_profile.h"

AUTO_KIND(x509_req, X509_REQ *, X509_REQ_free(*p))

/*
 * `pair`: the public key is what the certificate is about, the private key signs it; one EVP_PKEY
 * may be both.  Version 3, a random serial number of 128 bits, valid from now; basicConstraints,
 * keyUsage (both critical), subjectKeyIdentifier.
 */
SE_MUST_CHECK se_status x509_build_certificate(X509 **out, const struct key_pair *pair,
                                               const struct cert_profile *profile, se_error *err);

/* The same as an extensionRequest (RFC 2985, 5.4.2). */
SE_MUST_CHECK se_status x509_build_request(X509_REQ **out, const struct key_pair *pair,
                                           const struct cert_profile *profile, se_error *err);

/* USE_ bits of a certificate's keyUsage; all of them when it has none. */
unsigned certificate_uses(X509 *certificate);

/* As PEM. */
SE_MUST_CHECK se_status x509_certificate_pem(se_buf *out, X509 *certificate, se_error *err);
SE_MUST_CHECK se_status x509_request_pem(se_buf *out, X509_REQ *request, se_error *err);

#endif
