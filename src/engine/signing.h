/* SPDX-License-Identifier: Apache-2.0 */
/* What signing and verifying share with signed configurations. */
#ifndef ENGINE_SIGNING_H
#define ENGINE_SIGNING_H

#include "crypto/signature.h"
#include "engine/engine.h"
#include "engine/trust_store.h"

/* A private key, and the algorithm that it signs with. */
struct signing_key {
    struct key *key;
    const struct algorithm *algorithm;
};
SE_MUST_CHECK se_status signing_key_open(struct signing_key *out, struct engine *engine,
                                         const struct descriptor *descriptor,
                                         const se_sign_params *params, key_algorithm_fn *choose,
                                         se_error *err);
AUTO_KIND(signing_key, struct signing_key, key_unref(p->key))

/* SE_ERR_USAGE: a signature of that form can't be made, or verified, with the content's digest. */
SE_MUST_CHECK se_status given_digest_check(se_bytes digest, se_form form, se_error *err);

void signer_from_verdict(se_signer *out, const struct verdict *verdict);

/* A refusal can be wrong when a version could not be looked at: then it is "don't know". */
se_status expected_signers_doubt(se_status status, const struct expected_signers *expected,
                                 se_error *err);

/* SE_ERR_REJECTED: the signer, one of `expected`, does not keep the rules of the descriptor's use
 * at that time. */
SE_MUST_CHECK se_status expected_signer_check(const struct verdict *verdict,
                                              const struct expected_signers *expected, int64_t at,
                                              se_error *err);

/* Tells whose version signed; a signer that only CAs vouch for has none. */
void api_call_use_signer(struct api_call *call, const struct verdict *verdict,
                         const struct expected_signers *expected);

#endif
