/* SPDX-License-Identifier: Apache-2.0 */
/* The bare signature value over the content, nothing around it. */
#include "crypto/raw_signature.h"

#include <openssl/err.h>

#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"

static se_status digest_take(void *context, se_bytes piece, se_error *err)
{
    return EVP_DigestUpdate(context, piece.data, piece.size)
               ? SE_OK
               : crypto_error(err, SE_ERR_CRYPTO, "cannot hash");
}

se_status raw_sign(const struct sign_job *job, se_error *err)
{
    const EVP_MD *md = crypto_md(job->algorithm->digest);
    AUTO(md_context) context = EVP_MD_CTX_new();
    AUTO(se_buf) signature = SE_BUF_INIT;
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct sign_how how;
    unsigned size;

    if (!context || !md || !EVP_DigestInit_ex2(context, md, NULL))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot sign with %s", job->algorithm->name);
    TRY(stream_drain(job->in, digest_take, context, err));
    if (!EVP_DigestFinal_ex(context, digest, &size))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot hash");
    how = padding_how(job->algorithm, size);
    TRY(key_sign_hash(&signature, job->key->private, &how, (se_bytes){ digest, size }, err));
    return sink_write(job->out, buf_bytes(&signature), err);
}

/* The value does not say who made it: all candidates hash along, newest first. */
enum { CANDIDATES = 32 };
struct trial {
    EVP_MD_CTX *contexts[CANDIDATES];
    size_t count;
};

static void trial_free(struct trial *trial)
{
    for (size_t i = 0; i < trial->count; i++)
        EVP_MD_CTX_free(trial->contexts[i]);
}
AUTO_KIND(trial, struct trial, trial_free(p))

static se_status trial_add(struct trial *trial, const struct expected_signer *candidate,
                           se_error *err)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters;

    trial->contexts[trial->count++] = context;
    if (context &&
        EVP_DigestVerifyInit_ex(context, &parameters, crypto_digest(candidate->algorithm->digest),
                                crypto_context(), NULL, X509_get0_pubkey(candidate->certificate),
                                NULL) > 0 &&
        padding_set(parameters, candidate->algorithm, false))
        return SE_OK;
    return crypto_error(err, SE_ERR_CRYPTO, "cannot verify %s", candidate->algorithm->name);
}

static se_status digest_verify(void *arg, se_bytes piece, se_error *err)
{
    const struct trial *trial = arg;

    for (size_t i = 0; i < trial->count; i++)
        if (EVP_DigestVerifyUpdate(trial->contexts[i], piece.data, piece.size) <= 0)
            return crypto_error(err, SE_ERR_CRYPTO, "cannot hash");
    return SE_OK;
}

static void verdict_fill(struct verdict *out, const struct expected_signer *candidate)
{
    X509_up_ref(candidate->certificate);
    *out = (struct verdict){ .certificate = candidate->certificate,
                             .algorithm = candidate->algorithm,
                             .candidate = candidate };
}

se_status raw_verify(struct verdict *out, const struct verify_job *job, se_error *err)
{
    AUTO(trial) trial = { .count = 0 };
    se_status st = SE_OK;

    if (!job->signature.size)
        return error_set(err, SE_ERR_USAGE,
                         "a raw signature is detached: give the signature as well");
    if (job->roots)
        return error_set(err, SE_ERR_USAGE,
                         "a raw signature names no signer: CA certificates can't decide about it");
    for (size_t i = 0; !st && i < job->count && i < CANDIDATES; i++)
        st = trial_add(&trial, &job->candidates[i], err);
    if (st || (st = stream_drain(job->in, digest_verify, &trial, err)))
        return st;
    for (size_t i = 0; i < trial.count; i++)
        if (EVP_DigestVerifyFinal(trial.contexts[i], job->signature.data, job->signature.size) ==
            1) {
            verdict_fill(out, &job->candidates[i]);
            return SE_OK;
        }
    ERR_clear_error();
    return error_set(err, SE_ERR_REJECTED,
                     "the signature verifies with none of the certificates (tried: %zu)",
                     trial.count);
}

void verdict_free(struct verdict *verdict)
{
    X509_free(verdict->certificate);
    *verdict = (struct verdict){ .certificate = NULL };
}
