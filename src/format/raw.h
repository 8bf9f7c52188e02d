/* The bare signature value over the content, nothing around it: RFC 8017 for RSA, ECDSA-Sig-Value
 * (RFC 3279, 2.2.3) for EC. */
#ifndef FORMAT_RAW_H
#define FORMAT_RAW_H

#include "format/format.h"

SE_MUST_CHECK se_status raw_sign(const struct sign_job *job, se_error *err);
SE_MUST_CHECK se_status raw_verify(struct verdict *out, const struct verify_job *job,
                                   se_error *err);

#endif
