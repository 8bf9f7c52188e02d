/* SPDX-License-Identifier: Apache-2.0 */
/* How a verification looks at revocation, as se_revocation_params says. */
#ifndef ENGINE_REVOCATION_POLICY_H
#define ENGINE_REVOCATION_POLICY_H

#include "crypto/revocation.h"
#include "crypto/signature.h"

struct revocation_policy {
    struct revocation_rules rules;
    struct revocation_sources sources;
};
void revocation_policy_free(struct revocation_policy *policy);
AUTO_KIND(revocation_policy, struct revocation_policy, revocation_policy_free(p))

/* `params` NULL: only at what a signature brings.  `time`: when certificates must be valid. It is
 * not moved afterwards. SE_ERR_USAGE, SE_ERR_FORMAT: the CRLs. */
SE_MUST_CHECK se_status revocation_policy_read(struct revocation_policy *out,
                                               const se_revocation_params *params, int64_t time,
                                               se_error *err);

/*
 * About who signed, as the verdict has it, by job->revocation.  Issuers are looked for among
 * job->roots, what came with the signature, and `issuers`, which may be NULL.
 */
SE_MUST_CHECK se_status revocation_look(struct revocation *out, const struct verdict *verdict,
                                        const STACK_OF(X509) * issuers,
                                        const struct verify_job *job, se_error *err);

/* What was found about one signer, for signatures that are verified one after the other, at one
 * time and without stamps: about the same signer nobody is asked again. Start it with zeroes. */
struct revocation_finding {
    const struct expected_signer *signer; /* NULL: nobody was looked at */
    struct revocation revocation;
    se_error why; /* its status: whether that one is refused */
};
SE_MUST_CHECK se_status revocation_look_once(struct revocation_finding *finding,
                                             const struct verdict *verdict,
                                             const STACK_OF(X509) * issuers,
                                             const struct verify_job *job, se_error *err);

void signer_tell_revocation(se_signer *out, const struct revocation *revocation);

#endif
