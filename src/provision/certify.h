/* Self-signed certificates (RFC 5280) and requests (PKCS #10, RFC 2986), signed by any EVP_PKEY. */
#ifndef PROVISION_CERTIFY_H
#define PROVISION_CERTIFY_H

#include "crypto/key.h"
#include "provision/subject.h"

AUTO_KIND(x509_req, X509_REQ *, X509_REQ_free(*p))

enum key_use { USE_SIGN = 1, USE_ENCRYPT = 2 }; /* bits */

struct wish {
    const X509_NAME *subject;
    const GENERAL_NAMES *alternatives; /* may be NULL */
    unsigned uses;
    unsigned days; /* certificates */
};

/*
 * `public` is what the certificate is about, `private` signs it; one EVP_PKEY may be both.
 * Version 3, a random serial number of 128 bits, valid from now; basicConstraints, keyUsage (both
 * critical), subjectKeyIdentifier.
 */
SE_MUST_CHECK se_status certify_self(X509 **out, EVP_PKEY *private, EVP_PKEY *public,
                                     const struct wish *wish, se_error *err);

/* The same wishes as an extensionRequest (RFC 2985, 5.4.2). */
SE_MUST_CHECK se_status certify_request(X509_REQ **out, EVP_PKEY *private, EVP_PKEY *public,
                                        const struct wish *wish, se_error *err);

/* CKA_ID and localKeyID of what belongs to a key. */
enum { KEY_ID_SIZE = PUBLIC_ID };

/* USE_ bits of a certificate's keyUsage; all of them when it has none. */
unsigned certificate_uses(X509 *certificate);

#endif
