/* SPDX-License-Identifier: Apache-2.0 */
/* CRLs (RFC 5280, 5 and 6.3): which of those that there are tells about a certificate, and what. */
#ifndef CRYPTO_CRL_H
#define CRYPTO_CRL_H

#include "crypto/revocation_report.h"

/* All CRLs of a PEM text, or the one of a DER file; counted, there may be none.  SE_ERR_FORMAT: one
 * is broken.  `name` is what messages call it. */
SE_MUST_CHECK se_status crls_read(STACK_OF(X509_CRL) * out, se_bytes text, const char *name,
                                  se_error *err);

/* What the newest of rules->sources->crls says that tells about the certificate. */
void crl_report(struct revocation_report *out, const struct revocation_rules *rules,
                X509 *certificate, X509 *issuer);

#endif
