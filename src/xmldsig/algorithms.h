/* SPDX-License-Identifier: Apache-2.0 */
/* The URIs by which XML signatures name things: what is not here is not accepted, and not made. And
 * signature values: RSA as it is, ECDSA as r and s of one length (RFC 9231, 2.3.6). */
#ifndef XMLDSIG_ALGORITHMS_H
#define XMLDSIG_ALGORITHMS_H

#include "crypto/key.h"
#include "xmldsig/tree.h"

#define XMLDSIG_ENVELOPED XMLDSIG_NAMESPACE "enveloped-signature"
#define XMLDSIG_OBJECT    XMLDSIG_NAMESPACE "Object"
#define XMLDSIG_C14N      "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
#define XMLDSIG_EXCLUSIVE "http://www.w3.org/2001/10/xml-exc-c14n#"

/* SE_ERR_REJECTED, with why: there is no such algorithm, or it is not good enough. */
SE_MUST_CHECK se_status xmldsig_signature_method(const struct algorithm **out, const char *uri,
                                                 se_error *err);
SE_MUST_CHECK se_status xmldsig_digest_method(enum digest *out, const char *uri, se_error *err);

/* NULL: XML signatures have no name for it. */
const char *xmldsig_signature_uri(const struct algorithm *algorithm);
const char *xmldsig_digest_uri(enum digest digest);

SE_MUST_CHECK se_status xmldsig_value_make(se_buf *out, EVP_PKEY *key,
                                           const struct algorithm *algorithm, se_bytes signed_info,
                                           se_error *err);

/* SE_ERR_REJECTED: it is not the value of `signed_info` under that key. */
SE_MUST_CHECK se_status xmldsig_value_check(se_bytes value, EVP_PKEY *key,
                                            const struct algorithm *algorithm, se_bytes signed_info,
                                            se_error *err);

#endif
