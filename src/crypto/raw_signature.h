/* SPDX-License-Identifier: Apache-2.0 */
/* The bare signature value over the content, nothing around it: RFC 8017 for RSA, ECDSA-Sig-Value
 * (RFC 3279, 2.2.3) for EC. */
#ifndef CRYPTO_RAW_SIGNATURE_H
#define CRYPTO_RAW_SIGNATURE_H

#include "crypto/signature.h"

SE_MUST_CHECK se_status raw_sign(const struct sign_job *job, se_error *err);
SE_MUST_CHECK se_status raw_verify(struct verdict *out, const struct verify_job *job,
                                   se_error *err);

#endif
