/* SPDX-License-Identifier: Apache-2.0 */
/* The time stamp of a signature (RFC 3161, appendix A), which is an unsigned attribute of its
 * SignerInfo. */
#ifndef CMS_TSP_H
#define CMS_TSP_H

#include <openssl/cms.h>

#include "crypto/signature.h"

/*
 * What the time stamp of `signer`, if there is one, is worth.
 * SE_ERR_REJECTED: it lies or is broken, or there are several.  One by somebody who is not trusted
 * with it, or that proves nothing, is only ignored.
 */
SE_MUST_CHECK se_status stamp_find(struct stamp *out, CMS_SignerInfo *signer,
                                   const struct verify_job *job, se_error *err);

/* The same of a token over the bytes of a signature: one element, and what may be behind it in
 * `der` is not looked at. */
SE_MUST_CHECK se_status stamp_check(struct stamp *out, se_bytes der, se_bytes signature,
                                    const struct verify_job *job, se_error *err);

/*
 * The same of a token of what has that digest, by its algorithm.
 * SE_ERR_REJECTED: it is not good, is by somebody who is not trusted with it, or proves nothing.
 */
SE_MUST_CHECK se_status stamp_check_digest(struct stamp *out, se_bytes der,
                                           const struct content_digest *digest,
                                           const struct verify_job *job, se_error *err);

/*
 * The same of a token that has just been asked for (RFC 3161, 2.2), but for who is trusted.
 * SE_ERR_REJECTED: it is not good, or proves nothing.
 */
SE_MUST_CHECK se_status stamp_check_answer(se_bytes der, const struct content_digest *digest,
                                           int64_t now, se_error *err);

/* What the token says, and by which of its certificates; nothing is verified.  SE_ERR_REJECTED: it
 * is none, or does not hold its authority's certificate. */
SE_MUST_CHECK se_status stamp_read(struct stamp *out, se_bytes der, se_error *err);

/* What the token says that it is of; nothing is verified.  SE_ERR_REJECTED: it is none, or its
 * digest is not accepted. */
SE_MUST_CHECK se_status stamp_read_imprint(struct content_digest *out, se_bytes der, se_error *err);

/* When the signer's certificate has to be valid: at the time of the stamp, or else `otherwise`. */
int64_t stamp_moment(const struct stamp *stamp, int64_t otherwise);

/* In front of why the signer's `certificate` was refused, if that may be for its age: what the
 * stamp has to do with it. */
void stamp_blame(se_error *err, const struct stamp *stamp, const X509 *certificate,
                 int64_t otherwise);

#endif
