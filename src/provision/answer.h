/* What a certification authority sends back. */
#ifndef PROVISION_ANSWER_H
#define PROVISION_ANSWER_H

#include "crypto/key.h"

/* PEM or DER: certificates, or a PKCS #7 / CMS with certificates in it (RFC 5652).  SE_ERR_FORMAT:
 * none of these. */
SE_MUST_CHECK se_status answer_read(STACK_OF(X509) * *out, se_bytes file, se_error *err);

/* *own: the one for `public`, borrowed from `answer`; *chain: its issuers.  SE_ERR_FORMAT: the
 * answer is about another key. */
SE_MUST_CHECK se_status answer_choose(X509 **own, STACK_OF(X509) * *chain,
                                      const STACK_OF(X509) * answer, EVP_PKEY *public,
                                      se_error *err);

#endif
