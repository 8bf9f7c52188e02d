/* SPDX-License-Identifier: Apache-2.0 */
/* The claims of a JSON Web Token (RFC 7519, 4). */
#ifndef JOSE_JWT_H
#define JOSE_JWT_H

#include "base/buf.h"

/*
 * `claims`, which may be empty, with what `params` asks for behind them; they stay as they are
 * written.  `now` is when it is issued.  SE_ERR_FORMAT: they are no claims; SE_ERR_USAGE: one is
 * given twice, or it would not expire.
 */
SE_MUST_CHECK se_status jwt_claims_make(se_buf *out, se_bytes claims,
                                        const se_jwt_sign_params *params, int64_t now,
                                        se_error *err);

/* SE_ERR_FORMAT: they are no claims; SE_ERR_REJECTED: not what `params` asks for, at `now`.
 * *leeway: how much of it was needed. */
SE_MUST_CHECK se_status jwt_claims_check(unsigned *leeway, se_bytes claims,
                                         const se_jwt_verify_params *params, int64_t now,
                                         se_error *err);

#endif
