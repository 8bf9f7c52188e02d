/* SPDX-License-Identifier: Apache-2.0 */
/* Certification paths (RFC 5280, 6). */
#ifndef CRYPTO_CERT_PATH_H
#define CRYPTO_CERT_PATH_H

#include "crypto/signature.h"

/* Whether the signer's certificate is trusted as itself: it is the descriptor's, or is named among
 * `roots`, which may be NULL. */
bool trust_is_own(const struct verdict *signer, X509_STORE *roots);

/*
 * Whether the certificate, which is not kept beside the key, is another one of the same key all the
 * same: it has the key, and who vouches for the one that is expected has issued it.
 */
bool trust_is_renewal(const struct expected_signer *expected, X509 *certificate);

/*
 * Why the owner of `certificate` is none of job->candidates; `note` follows.  SE_ERR_REJECTED: they
 * do not have the certificate.  SE_ERR_NO_DESCRIPTOR: one has its subject and issuer and another
 * key, as versions of one descriptor have.
 */
se_status trust_refuse_signer(const struct verify_job *job, X509 *certificate, const char *note,
                              se_error *err);

/* SE_ERR_REJECTED: no path from the signer by way of `others` (may be NULL) to job->roots, valid at
 * `time`, for job->purpose. */
SE_MUST_CHECK se_status trust_check(const struct verdict *signer, STACK_OF(X509) * others,
                                    const struct verify_job *job, int64_t time, se_error *err);

/* The same of a time stamping authority (RFC 3161, 2.3), to job->tsa_roots, at job->time. */
SE_MUST_CHECK se_status trust_check_tsa(X509 *certificate, STACK_OF(X509) * others,
                                        const struct verify_job *job, se_error *err);

#endif
