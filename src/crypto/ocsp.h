/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of OCSP responders (RFC 6960): which of those that there are tells about a certificate,
 * and what. */
#ifndef CRYPTO_OCSP_H
#define CRYPTO_OCSP_H

#include "crypto/revocation_report.h"

AUTO_KIND(ocsp_request, OCSP_REQUEST *, OCSP_REQUEST_free(*p))
AUTO_KIND(ocsp_response, OCSP_RESPONSE *, OCSP_RESPONSE_free(*p))
AUTO_KIND(ocsp_answer, OCSP_BASICRESP *, OCSP_BASICRESP_free(*p))

/* Asks about one certificate, with a nonce; the caller frees it. */
SE_MUST_CHECK se_status ocsp_request_make(OCSP_REQUEST **out, X509 *certificate, X509 *issuer,
                                          se_error *err);

/* The answer in a response; the caller frees it. `request` is NULL where nobody was asked.
 * SE_ERR_REJECTED: there is none in it, or one to another request. */
SE_MUST_CHECK se_status ocsp_response_read(OCSP_BASICRESP **out, OCSP_RESPONSE *response,
                                           OCSP_REQUEST *request, se_error *err);

/* What the newest of rules->sources->answers says that tells about the certificate. */
void ocsp_report(struct revocation_report *out, const struct revocation_rules *rules,
                 X509 *certificate, X509 *issuer);

#endif
