/* SPDX-License-Identifier: Apache-2.0 */
/* CMS SignedData (RFC 5652) as the table of formats calls it. */
#ifndef CMS_CMS_H
#define CMS_CMS_H

#include "crypto/signature.h"

SE_MUST_CHECK se_status cms_sign_detached(const struct sign_job *job, se_error *err);
SE_MUST_CHECK se_status cms_sign_attached(const struct sign_job *job, se_error *err);
SE_MUST_CHECK se_status cms_verify_detached(struct verdict *out, const struct verify_job *job,
                                            se_error *err);
SE_MUST_CHECK se_status cms_verify_attached(struct verdict *out, const struct verify_job *job,
                                            se_error *err);

/* Sets made[i]: the signature in job->in, attached or detached, says that job->candidates[i] has
 * made it.  Nothing is verified.  SE_ERR_FORMAT: it is no signature, or can't be read. */
SE_MUST_CHECK se_status cms_find_signers(bool *made, const struct verify_job *job, se_error *err);

#endif
