/* SPDX-License-Identifier: Apache-2.0 */
/* CMS SignedData (RFC 5652), verified while the content passes. */
#include <openssl/err.h>

#include "cms/cms.h"
#include "cms/cms_split.h"
#include "cms/revocation_info.h"
#include "cms/signer_info.h"
#include "cms/tsp.h"
#include "crypto/cert_path.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"

enum { SIGNATURE_LIMIT = 16 << 20 };

/* ---- the content's digests ---- */

/* The signer's digest should be among SignedData.digestAlgorithms (RFC 5652, 5.1): only those are
 * computed. */
static se_status digests_begin(void *arg, se_bytes digest_algorithms, se_error *err)
{
    static const struct {
        enum digest digest;
        unsigned char oid[11]; /* 2.16.840.1.101.3.4.2.x, in DER */
    } known[] = {
        { DIGEST_SHA256, { 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1 } },
        { DIGEST_SHA384, { 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2 } },
        { DIGEST_SHA512, { 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3 } },
    };
    se_status st = SE_OK;

    for (size_t i = 0; !st && i < sizeof known / sizeof *known; i++)
        if (memmem(digest_algorithms.data, digest_algorithms.size, known[i].oid,
                   sizeof known[i].oid))
            st = content_hasher_want(arg, known[i].digest, err);
    return st;
}

static se_status announced_digest_finish(struct content_digest *out,
                                         const struct content_hasher *hasher, enum digest digest,
                                         se_error *err)
{
    if (!hasher->contexts[digest])
        return error_set(err, SE_ERR_REJECTED,
                         "the signer's digest %s is not among the digestAlgorithms",
                         digest_name(digest));
    return content_hasher_finish(out, hasher, digest, err);
}

/* ---- the signer ---- */

struct reading {
    se_bytes ber; /* what it was read from */
    CMS_ContentInfo *cms;
    CMS_SignerInfo *signer;
    STACK_OF(X509) * certificates; /* that came along; may be NULL */
    const struct algorithm *algorithm;
};

static void reading_free(struct reading *reading)
{
    CMS_ContentInfo_free(reading->cms);
    sk_X509_pop_free(reading->certificates, X509_free);
}
AUTO_KIND(reading, struct reading, reading_free(p))

static se_status other_type(const CMS_ContentInfo *cms, se_error *err)
{
    char type[80];

    (void)OBJ_obj2txt(type, sizeof type, CMS_get0_type(cms), 0);
    return error_set(err, SE_ERR_FORMAT, "not a CMS signature, but a CMS message of type %s", type);
}

static se_status parse_cms(struct reading *out, se_bytes ber, se_error *err)
{
    const unsigned char *p = ber.data;

    out->ber = ber;
    out->cms = CMS_ContentInfo_new_ex(crypto_context(), NULL);
    if (!out->cms)
        return error_memory(err);
    if (ber.size > LONG_MAX || !d2i_CMS_ContentInfo(&out->cms, &p, (long)ber.size)) {
        ERR_clear_error(); /* "too long" and its like say nothing of a text */
        return error_set(err, SE_ERR_FORMAT, "not a CMS signature");
    }
    if (OBJ_obj2nid(CMS_get0_type(out->cms)) != NID_pkcs7_signed)
        return other_type(out->cms, err);
    if (p != (const unsigned char *)ber.data + ber.size)
        return error_set(
            err, SE_ERR_FORMAT,
            "bytes follow the signature, which has %td of %zu: nothing may be behind it",
            p - (const unsigned char *)ber.data, ber.size);
    out->certificates = CMS_get1_certs(out->cms);
    ERR_clear_error();
    return SE_OK;
}

static se_status read_cms(struct reading *out, se_bytes ber, se_error *err)
{
    TRY(parse_cms(out, ber, err));
    if (CMS_is_detached(out->cms) != 1)
        return error_set(err, SE_ERR_FORMAT, "the signature carries a content of its own");
    TRY(signer_info_get(&out->signer, out->cms, err));
    TRY(signer_info_algorithm(&out->algorithm, out->signer, err));
    return signing_certificate_limit(out->certificates, out->signer, err);
}

static const struct expected_signer *find_candidate(const struct verify_job *job,
                                                    const struct reading *r, bool same_algorithm)
{
    for (size_t i = 0; i < job->count; i++)
        if (CMS_SignerInfo_cert_cmp(r->signer, job->candidates[i].certificate) == 0 &&
            (!same_algorithm || job->candidates[i].algorithm == r->algorithm))
            return &job->candidates[i];
    return NULL;
}

static se_status unknown_signer(const struct verify_job *job, const struct reading *r,
                                se_error *err)
{
    X509 *certificate = signer_info_certificate(r->signer, r->certificates);

    if (certificate)
        return trust_refuse_signer(job, certificate, "", err);
    return error_set(err, SE_ERR_REJECTED,
                     "signed with a certificate that the descriptor does not have, and that is not "
                     "part of the signature");
}

/* One that its own store does not have, and the signature has. */
static const struct expected_signer *find_renewal(X509 **certificate, const struct verify_job *job,
                                                  const struct reading *r)
{
    *certificate = signer_info_certificate(r->signer, r->certificates);
    for (size_t i = 0; *certificate && i < job->count; i++)
        if (job->candidates[i].algorithm == r->algorithm &&
            trust_is_renewal(&job->candidates[i], *certificate))
            return &job->candidates[i];
    return NULL;
}

static se_status choose_candidate(struct verdict *out, const struct verify_job *job,
                                  const struct reading *r, se_error *err)
{
    const struct expected_signer *candidate = find_candidate(job, r, true);
    X509 *certificate = candidate ? candidate->certificate : NULL;

    if (!candidate && (candidate = find_candidate(job, r, false)))
        return error_set(err, SE_ERR_REJECTED, "signed with %s, the descriptor says %s",
                         r->algorithm->name, candidate->algorithm->name);
    if (!candidate && !(candidate = find_renewal(&certificate, job, r)))
        return unknown_signer(job, r, err);
    X509_up_ref(certificate);
    out->certificate = certificate;
    out->candidate = candidate;
    return SE_OK;
}

static se_status choose_trusted(struct verdict *out, const struct verify_job *job,
                                const struct reading *r, se_error *err)
{
    const struct expected_signer *candidate = find_candidate(job, r, true);
    X509 *certificate = candidate ? candidate->certificate : NULL;
    se_status st;

    if (!candidate)
        candidate = find_renewal(&certificate, job, r);
    if (!certificate)
        return error_set(
            err, SE_ERR_REJECTED,
            "the signer's certificate is neither part of the signature nor the descriptor's");
    X509_up_ref(certificate);
    out->certificate = certificate;
    out->candidate = candidate;
    if ((st = trust_check(out, r->certificates, job, stamp_moment(&out->stamp, job->time), err)))
        stamp_blame(err, &out->stamp, certificate, job->time);
    return st;
}

static se_status choose_signer(struct verdict *out, const struct verify_job *job,
                               const struct reading *r, se_error *err)
{
    out->algorithm = r->algorithm;
    if (job->revocation)
        TRY(revocation_info_add(job->revocation->sources, r->cms, r->ber, err));
    TRY(stamp_find(&out->stamp, r->signer, job, err));
    if (r->certificates && !(out->brought = X509_chain_up_ref(r->certificates)))
        return error_memory(err);
    return job->roots ? choose_trusted(out, job, r, err) : choose_candidate(out, job, r, err);
}

/* The content's digest is there. */
static se_status signer_check(struct verdict *out, const struct reading *r, se_error *err)
{
    return signer_info_verify(&out->signing_time, r->cms, r->signer, out->certificate,
                              content_digest_bytes(&out->digest), err);
}

/* ---- both forms ---- */

static se_status read_all(se_buf *out, const struct verify_job *job, se_error *err)
{
    se_bytes in_pem = job->signature;
    const se_source memory = source_memory(&in_pem);
    struct stream stream = { .source = job->later ? job->later : &memory };

    se_status st = pem_decoder_all(out, &stream, SIGNATURE_LIMIT, err);

    return error_prefix(err, st, "the signature: ");
}

/* What it was hashed with is known only after the content. */
static se_status verify_later(struct verdict *out, const struct verify_job *job, se_error *err)
{
    AUTO(reading) r = { .cms = NULL };
    AUTO(content_hasher) hasher = { .content = job->content, .given = job->given };
    AUTO(se_buf) ber = SE_BUF_INIT;

    TRY(content_hasher_want(&hasher, DIGEST_SHA256, err));
    TRY(content_hasher_want(&hasher, DIGEST_SHA384, err));
    TRY(content_hasher_want(&hasher, DIGEST_SHA512, err));
    TRY(stream_drain(job->in, content_hasher_take, &hasher, err));
    TRY(read_all(&ber, job, err));
    TRY(read_cms(&r, buf_bytes(&ber), err));
    TRY(choose_signer(out, job, &r, err));
    TRY(content_hasher_finish(&out->digest, &hasher, r.algorithm->digest, err));
    return signer_check(out, &r, err);
}

se_status cms_verify_detached(struct verdict *out, const struct verify_job *job, se_error *err)
{
    AUTO(reading) r = { .cms = NULL };
    AUTO(se_buf) ber = SE_BUF_INIT;

    if (job->later)
        return verify_later(out, job, err);
    TRY(read_all(&ber, job, err));
    TRY(read_cms(&r, buf_bytes(&ber), err));
    TRY(choose_signer(out, job, &r, err));
    TRY(content_digest_make(&out->digest, r.algorithm->digest, job->given, job->in, err));
    return signer_check(out, &r, err);
}

se_status cms_verify_attached(struct verdict *out, const struct verify_job *job, se_error *err)
{
    AUTO(reading) r = { .cms = NULL };
    AUTO(content_hasher) hasher = { .content = job->content };
    AUTO(pem_decoder) decoder = { .in = NULL };
    AUTO(se_buf) ber = SE_BUF_INIT;
    const struct cms_content_taker taker = { digests_begin, content_hasher_take, &hasher };

    TRY(pem_decoder_begin(&decoder, job->in, err));
    TRY(cms_split(&ber, &decoder, &taker, err));
    TRY(read_cms(&r, buf_bytes(&ber), err));
    TRY(choose_signer(out, job, &r, err));
    TRY(announced_digest_finish(&out->digest, &hasher, r.algorithm->digest, err));
    return signer_check(out, &r, err);
}

/* ---- who, without verifying ---- */

/* By the certificate that it names, or by the key in one that came along. */
static bool says_signed_by(const struct reading *r, CMS_SignerInfo *signer,
                           const struct expected_signer *candidate)
{
    const X509 *brought = signer_info_certificate(signer, r->certificates);
    const struct algorithm *algorithm;

    if (CMS_SignerInfo_cert_cmp(signer, candidate->certificate) != 0 &&
        !(brought && certificate_has_key(brought, X509_get0_pubkey(candidate->certificate))))
        return false;
    return signer_info_algorithm(&algorithm, signer, NULL) || algorithm == candidate->algorithm;
}

static se_status pass_digests(void *arg, se_bytes digest_algorithms, se_error *err)
{
    (void)arg;
    (void)digest_algorithms;
    (void)err;
    return SE_OK;
}

static se_status pass_content(void *arg, se_bytes piece, se_error *err)
{
    (void)arg;
    (void)piece;
    (void)err;
    return SE_OK;
}

/* A detached one is small. */
static se_status read_without_content(se_buf *out, struct stream *in, bool is_small, se_error *err)
{
    AUTO(pem_decoder) decoder = { .in = NULL };
    const struct cms_content_taker taker = { pass_digests, pass_content, NULL };

    if (is_small)
        return pem_decoder_all(out, in, SIGNATURE_LIMIT, err);
    TRY(pem_decoder_begin(&decoder, in, err));
    return cms_split(out, &decoder, &taker, err);
}

se_status cms_find_signers(bool *made, const struct verify_job *job, se_error *err)
{
    AUTO(reading) r = { .cms = NULL };
    AUTO(se_buf) ber = SE_BUF_INIT;
    const uint64_t size = job->in->source->total;
    STACK_OF(CMS_SignerInfo) * signers;

    TRY(read_without_content(&ber, job->in, size && size <= SIGNATURE_LIMIT, err));
    TRY(parse_cms(&r, buf_bytes(&ber), err));
    signers = CMS_get0_SignerInfos(r.cms);
    for (size_t i = 0; i < job->count; i++)
        for (int k = 0; !made[i] && k < sk_CMS_SignerInfo_num(signers); k++)
            made[i] = says_signed_by(&r, sk_CMS_SignerInfo_value(signers, k), &job->candidates[i]);
    ERR_clear_error();
    return SE_OK;
}
