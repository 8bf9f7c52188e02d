/* SPDX-License-Identifier: Apache-2.0 */
/* XML signatures (XML Signature 1.1, https://www.w3.org/TR/xmldsig-core1/) as the table of formats
 * calls them. */
#ifndef XMLDSIG_XMLDSIG_H
#define XMLDSIG_XMLDSIG_H

#include "crypto/signature.h"

SE_MUST_CHECK se_status xmldsig_sign_enveloped(const struct sign_job *job, se_error *err);
SE_MUST_CHECK se_status xmldsig_sign_enveloping(const struct sign_job *job, se_error *err);
SE_MUST_CHECK se_status xmldsig_sign_detached(const struct sign_job *job, se_error *err);

/* Enveloped or enveloping: the document says which. */
SE_MUST_CHECK se_status xmldsig_verify(struct verdict *out, const struct verify_job *job,
                                       se_error *err);
SE_MUST_CHECK se_status xmldsig_verify_detached(struct verdict *out, const struct verify_job *job,
                                                se_error *err);

/* Sets made[i]: a signature in the document job->in says that job->candidates[i] has made it.
 * Nothing is verified.  SE_ERR_FORMAT: it is no XML; SE_ERR_REJECTED: a signature of it is of a
 * shape that is not accepted, or names nobody. */
SE_MUST_CHECK se_status xmldsig_find_signers(bool *made, const struct verify_job *job,
                                             se_error *err);

#endif
