/* SPDX-License-Identifier: Apache-2.0 */
/* How a verification looks at revocation, as se_revocation_params says. */
#ifndef ENGINE_REVOCATION_LOOKING_H
#define ENGINE_REVOCATION_LOOKING_H

#include "crypto/revocation.h"

struct revocation_looking {
    struct revocation_rules rules;
    STACK_OF(X509_CRL) * crls;
};
void revocation_looking_free(struct revocation_looking *looking);
AUTO_KIND(revocation_looking, struct revocation_looking, revocation_looking_free(p))

/* `params` NULL: it is not looked at, and there are no rules.  `time`: when certificates must be
 * valid.  SE_ERR_USAGE, SE_ERR_FORMAT: the CRLs. */
SE_MUST_CHECK se_status revocation_looking_begin(struct revocation_looking *out,
                                                 const se_revocation_params *params, int64_t time,
                                                 se_error *err);

#endif
