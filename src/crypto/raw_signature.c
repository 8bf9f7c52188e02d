/* SPDX-License-Identifier: Apache-2.0 */
/* The bare signature value over the content, nothing around it. */
#include "crypto/raw_signature.h"

#include "crypto/pkey_ops.h"

se_status raw_sign(const struct sign_job *job, se_error *err)
{
    AUTO(se_buf) signature = SE_BUF_INIT;
    struct sign_how how;

    TRY(content_digest_make(job->digest, job->algorithm->digest, job->given, job->in, err));
    how = padding_how(job->algorithm, job->digest->size);
    TRY(key_sign_hash(&signature, job->key->private, &how, content_digest_bytes(job->digest), err));
    return sink_write(job->out, buf_bytes(&signature), err);
}

/* The value does not say who made it: all candidates are tried, newest first. */
struct trial {
    const struct verify_job *job;
    struct content_hasher hasher;
    struct content_digest digests[DIGEST_SHA512 + 1]; /* by enum digest, once they were needed */
    size_t rejected;
    se_error unfit; /* why the digest that was given is not for a candidate */
};
AUTO_KIND(trial, struct trial, content_hasher_free(&p->hasher))

static se_status trial_hash(struct trial *trial, se_error *err)
{
    const struct verify_job *job = trial->job;

    trial->hasher.given = job->given;
    for (size_t i = 0; i < job->count; i++)
        TRY(content_hasher_want(&trial->hasher, job->candidates[i].algorithm->digest, err));
    return stream_drain(job->in, content_hasher_take, &trial->hasher, err);
}

static se_status trial_verify(struct trial *trial, const struct expected_signer *candidate,
                              se_error *err)
{
    const struct algorithm *algorithm = candidate->algorithm;
    struct content_digest *digest = &trial->digests[algorithm->digest];
    struct sign_how how;

    if (!digest->algorithm)
        TRY(content_hasher_finish(digest, &trial->hasher, algorithm->digest, err));
    how = padding_how(algorithm, digest->size);
    return key_verify_hash(X509_get0_pubkey(candidate->certificate), &how,
                           content_digest_bytes(digest), trial->job->signature, err);
}

/* SE_ERR_REJECTED: by this one.  A given digest may fit others. */
static se_status trial_step(struct verdict *out, struct trial *trial,
                            const struct expected_signer *candidate, se_error *err)
{
    se_error why = SE_ERROR_INIT;
    se_status st = trial_verify(trial, candidate, &why);

    if (st == SE_ERR_USAGE) {
        trial->unfit = why;
        return SE_ERR_REJECTED;
    }
    if (!out->digest.algorithm)
        out->digest = trial->digests[candidate->algorithm->digest];
    trial->rejected += st == SE_ERR_REJECTED;
    if (st)
        return st == SE_ERR_REJECTED ? st : error_copy(err, st, &why);
    X509_up_ref(candidate->certificate);
    *out = (struct verdict){ .certificate = candidate->certificate,
                             .algorithm = candidate->algorithm,
                             .candidate = candidate,
                             .digest = trial->digests[candidate->algorithm->digest] };
    return SE_OK;
}

se_status raw_verify(struct verdict *out, const struct verify_job *job, se_error *err)
{
    AUTO(trial) trial = { .job = job, .unfit = SE_ERROR_INIT };
    se_status st = SE_ERR_REJECTED;

    if (!job->signature.size)
        return error_set(err, SE_ERR_USAGE,
                         "a raw signature is detached: give the signature as well");
    if (job->roots)
        return error_set(err, SE_ERR_USAGE,
                         "a raw signature names no signer: CA certificates can't decide about it");
    TRY(trial_hash(&trial, err));
    for (size_t i = 0; st == SE_ERR_REJECTED && i < job->count; i++)
        st = trial_step(out, &trial, &job->candidates[i], err);
    if (st != SE_ERR_REJECTED)
        return st;
    if (!trial.rejected && trial.unfit.status)
        return error_copy(err, trial.unfit.status, &trial.unfit);
    return error_set(err, SE_ERR_REJECTED,
                     "the signature verifies with none of the certificates (tried: %zu)",
                     trial.rejected);
}

void verdict_free(struct verdict *verdict)
{
    X509_free(verdict->certificate);
    sk_X509_pop_free(verdict->brought, X509_free);
    *verdict = (struct verdict){ .certificate = NULL };
}
