/* SPDX-License-Identifier: Apache-2.0 */
/* One SignerInfo (RFC 5652, 5.3): what it says, and whether that is true. */
#ifndef CMS_SIGNER_INFO_H
#define CMS_SIGNER_INFO_H

#include <openssl/cms.h>

#include "base/auto.h"
#include "crypto/signature.h"

AUTO_KIND(cms, CMS_ContentInfo *, CMS_ContentInfo_free(*p))

/* The only signer.  SE_ERR_REJECTED: none or several, or one without signed attributes. */
SE_MUST_CHECK se_status signer_info_get(CMS_SignerInfo **out, CMS_ContentInfo *cms, se_error *err);

/* SE_ERR_REJECTED: an algorithm that the engine does not accept, or parts of it that contradict
 * each other. */
SE_MUST_CHECK se_status signer_info_algorithm(const struct algorithm **out, CMS_SignerInfo *signer,
                                              se_error *err);

/* DIGEST_NONE: one that is not accepted. */
enum digest signer_info_digest(const X509_ALGOR *algorithm);

/* The value of a signed attribute of that ASN.1 type; NULL: it is not there once, with one value.
 */
const void *signer_info_attribute(CMS_SignerInfo *signer, int nid, int type);

/* The one of `certificates`, which may be NULL, that the signer says is his; NULL: none is. */
X509 *signer_info_certificate(CMS_SignerInfo *signer, STACK_OF(X509) * certificates);

/*
 * Everything that can be checked once the content's `hash` is known: signed attributes, the
 * signature over them, signingCertificate(V2) if it is there (RFC 5035).  *time: signingTime, 0
 * without one.
 */
SE_MUST_CHECK se_status signer_info_verify(int64_t *time, CMS_ContentInfo *cms,
                                           CMS_SignerInfo *signer, X509 *certificate, se_bytes hash,
                                           se_error *err);

/*
 * Leaves of `certificates`, which may be NULL, those that paths may lead over: where the attribute
 * names issuers, no others (RFC 5035, 5.4).
 */
SE_MUST_CHECK se_status signing_certificate_limit(STACK_OF(X509) * certificates,
                                                  CMS_SignerInfo *signer, se_error *err);

#endif
