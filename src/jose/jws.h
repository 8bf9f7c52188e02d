/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Signatures (RFC 7515), made and verified with keys and certificates that are given. */
#ifndef JOSE_JWS_H
#define JOSE_JWS_H

#include "crypto/signature.h"

struct jws_sign_job {
    const struct algorithm *algorithm; /* one of JWS that fits the key */
    struct key *key;
    const se_jws_sign_params *params;
    struct content_digest *digest; /* gets that of what is signed */
};
SE_MUST_CHECK se_status jws_sign(se_buf *out, const struct jws_sign_job *job, se_bytes payload,
                                 se_error *err);

struct jws_verify_job {
    const struct expected_signer *candidates;
    size_t count;
    const se_jws_verify_params *params;
    bool token; /* a JWT: compact, its payload inside and encoded (RFC 7519, 7.2; RFC 7797, 7) */
};

/*
 * *payload is what was signed; *out is whose signature it is, of several the first good one's.
 * SE_ERR_FORMAT: it is no JWS; SE_ERR_REJECTED: not a good one of a candidate.
 */
SE_MUST_CHECK se_status jws_verify(se_buf *payload, struct verdict *out,
                                   const struct jws_verify_job *job, se_bytes text, se_error *err);

/* Sets made[i] where candidate i has made one of the signatures of job->in, as it says itself.
 * SE_ERR_FORMAT: it is no JWS; SE_ERR_REJECTED: one does not say whose it is. */
SE_MUST_CHECK se_status jws_find_signers(bool *made, const struct verify_job *job, se_error *err);

#endif
