/* signingCertificate attributes: with which certificates a signature was made (RFC 2634, 5.4; RFC
 * 5035, 5). */
#ifndef CMS_SIGNING_CERTIFICATE_H
#define CMS_SIGNING_CERTIFICATE_H

#include <openssl/cms.h>

#include "base/error.h"

/* SE_ERR_REJECTED: an attribute that names another certificate first.  One need not be there. */
SE_MUST_CHECK se_status signing_certificate_check(CMS_SignerInfo *signer, X509 *certificate,
                                                  se_error *err);

/*
 * Leaves of `certificates`, which may be NULL, those that paths may lead over: where the attribute
 * names issuers, no others (RFC 5035, 5.4).
 */
SE_MUST_CHECK se_status signing_certificate_limit(STACK_OF(X509) * certificates,
                                                  CMS_SignerInfo *signer, se_error *err);

#endif
