/* SPDX-License-Identifier: Apache-2.0 */
/* CMS SignedData (RFC 5652), made while the content passes. */
#include <openssl/cms.h>

#include "cms/cms.h"
#include "cms/signer_info.h"
#include "crypto/algorithm_id.h"
#include "crypto/crypto.h"
#include "crypto/pem.h"
#include "crypto/pkey_ops.h"

/* CADES: signingCertificateV2 (RFC 5035).  Capabilities belong into mail only. */
enum { SIGN_FLAGS = CMS_BINARY | CMS_CADES | CMS_NOSMIMECAP | CMS_KEY_PARAM };

AUTO_KIND(md, EVP_MD *, EVP_MD_free(*p))
AUTO_KIND(asn1_time, ASN1_TIME *, ASN1_TIME_free(*p))

/* ---- the signer ---- */

static bool add_time(CMS_SignerInfo *signer, int64_t seconds)
{
    /* RFC 5652, 11.3: UTCTime until 2049, which is how ASN1_TIME_set() chooses */
    AUTO(asn1_time) time = ASN1_TIME_set(NULL, seconds);

    return time && CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_signingTime,
                                               ASN1_STRING_type(time), time, -1);
}

/* OpenSSL fills it in after it has hashed the content, which it does not always do, and when the
 * head of a stream has been encoded already. */
static bool state_algorithm(CMS_SignerInfo *signer, const struct algorithm *algorithm)
{
    const struct sign_how how =
        padding_how(algorithm, (size_t)EVP_MD_get_size(crypto_md(algorithm->digest)));
    X509_ALGOR *stated;

    CMS_SignerInfo_get0_algs(signer, NULL, NULL, NULL, &stated);
    if (how.padding == PADDING_PKCS1) /* RFC 3370, 3.2 */
        return X509_ALGOR_set0(stated, OBJ_nid2obj(NID_rsaEncryption), V_ASN1_NULL, NULL);
    return identifier_set_signature(stated, &how);
}

/* What we would like to be sent (RFC 8551, 2.5.2), best first. */
static bool add_capabilities(CMS_SignerInfo *signer)
{
    static const int ciphers[] = { NID_aes_256_gcm, NID_aes_128_gcm, NID_aes_256_cbc,
                                   NID_aes_192_cbc, NID_aes_128_cbc };
    STACK_OF(X509_ALGOR) *list = NULL;
    bool done = true;

    for (size_t i = 0; done && i < sizeof ciphers / sizeof *ciphers; i++)
        done = CMS_add_simple_smimecap(&list, ciphers[i], -1);
    done = done && CMS_add_smimecap(signer, list);
    sk_X509_ALGOR_pop_free(list, X509_ALGOR_free);
    return done;
}

static bool add_chain(CMS_ContentInfo *cms, const struct key *key)
{
    for (int i = 0; i < sk_X509_num(key->chain); i++)
        if (!CMS_add1_cert(cms, sk_X509_value(key->chain, i)))
            return false;
    return true;
}

static se_status cms_prepare(CMS_ContentInfo **out, const struct sign_job *job, unsigned flags,
                             se_error *err)
{
    AUTO(md) digest = EVP_MD_fetch(crypto_context(), crypto_digest(job->algorithm->digest), NULL);
    AUTO(cms) cms = CMS_sign_ex(NULL, NULL, NULL, NULL, CMS_BINARY | CMS_PARTIAL | flags,
                                crypto_context(), NULL);
    CMS_SignerInfo *signer = cms && digest ? CMS_add1_signer(cms, job->key->certificate,
                                                             job->key->private, digest, SIGN_FLAGS)
                                           : NULL;

    if (!signer || !padding_set(CMS_SignerInfo_get0_pkey_ctx(signer), job->algorithm) ||
        !state_algorithm(signer, job->algorithm) || !add_time(signer, job->time) ||
        (job->capabilities && !add_capabilities(signer)) || !add_chain(cms, job->key))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot prepare a CMS signature with %s",
                            job->algorithm->name);
    *out = MOVE(cms);
    return SE_OK;
}

static se_status add_timestamp(CMS_ContentInfo *cms, const struct stamper *stamper, se_error *err)
{
    CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
    const ASN1_OCTET_STRING *signature = CMS_SignerInfo_get0_signature(signer);
    const se_bytes value = { ASN1_STRING_get0_data(signature),
                             (size_t)ASN1_STRING_length(signature) };
    AUTO(se_buf) token = SE_BUF_INIT;
    struct content_digest imprint;

    if (!stamper->wish.urls)
        return SE_OK;
    TRY(content_digest_join(&imprint, DIGEST_SHA256, &value, 1, err));
    TRY(stamper->stamp(&token, &stamper->wish, &imprint, err));
    if (!CMS_unsigned_add1_attr_by_NID(signer, NID_id_smime_aa_timeStampToken, V_ASN1_SEQUENCE,
                                       token.data, (int)token.size))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot add the time stamp");
    return SE_OK;
}

static se_status write_der(CMS_ContentInfo *cms, const se_sink *out, se_error *err)
{
    AUTO(se_buf) der = SE_BUF_INIT;
    int size = i2d_CMS_ContentInfo(cms, NULL);
    unsigned char *p;

    if (size <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode CMS");
    TRY(buf_new(&der, (size_t)size, err));
    p = der.data;
    if (i2d_CMS_ContentInfo(cms, &p) != size)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode CMS");
    return sink_write(out, buf_bytes(&der), err);
}

/* As CMS_dataFinal() does after it has hashed the content (RFC 5652, 11.1 and 11.2). */
static se_status sign_attributes(CMS_ContentInfo *cms, const struct content_digest *digest,
                                 se_error *err)
{
    CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);

    if (CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING,
                                    digest->value, (int)digest->size) &&
        CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_contentType, V_ASN1_OBJECT,
                                    CMS_get0_eContentType(cms), -1) &&
        CMS_SignerInfo_sign(signer))
        return SE_OK;
    return crypto_error(err, SE_ERR_CRYPTO, "the signature failed");
}

static se_status sign_detached(const struct sign_job *job, const se_sink *out, se_error *err)
{
    AUTO(cms) cms = NULL;

    TRY(cms_prepare(&cms, job, CMS_DETACHED, err));
    TRY(content_digest_make(job->digest, job->algorithm->digest, job->given, job->in, err));
    TRY(sign_attributes(cms, job->digest, err));
    TRY(add_timestamp(cms, &job->stamper, err));
    return write_der(cms, out, err);
}

/* ---- with the content inside ---- */

/* Each piece of the content is a string of the constructed one (X.690, 8.7.3). */
static int write_piece(void *arg, const void *data, size_t size)
{
    const se_sink *out = arg;
    unsigned char head[16], *p = head;

    ASN1_put_object(&p, 0, (int)size, V_ASN1_OCTET_STRING, V_ASN1_UNIVERSAL);
    return out->write(out->arg, head, (size_t)(p - head)) || out->write(out->arg, data, size) ? -1
                                                                                              : 0;
}

/*
 * CMS of indefinite length, but for its content: what is in front of that, or behind it.
 * BIO_new_CMS() does the same, and leaves no moment between signature and encoding for a time
 * stamp.
 */
static se_status write_around(CMS_ContentInfo *cms, bool behind, const se_sink *out, se_error *err)
{
    unsigned char *der = NULL, **content;
    const int size = CMS_stream(&content, cms) ? ASN1_item_ndef_i2d((const ASN1_VALUE *)cms, &der,
                                                                    ASN1_ITEM_rptr(CMS_ContentInfo))
                                               : 0;
    se_status st;

    if (size <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode CMS");
    st = sink_write(out,
                    behind ? (se_bytes){ *content, (size_t)(der + size - *content) }
                           : (se_bytes){ der, (size_t)(*content - der) },
                    err);
    OPENSSL_free(der);
    return st;
}

static se_status sign_attached(const struct sign_job *job, const se_sink *out, se_error *err)
{
    const enum digest digest = job->algorithm->digest;
    const se_sink pieces = { write_piece, (void *)out };
    AUTO(content_hasher) hasher = { .content = &pieces };
    AUTO(cms) cms = NULL;

    TRY(cms_prepare(&cms, job, CMS_STREAM, err));
    TRY(write_around(cms, false, out, err));
    TRY(content_hasher_want(&hasher, digest, err));
    TRY(stream_drain(job->in, content_hasher_take, &hasher, err));
    TRY(content_hasher_finish(job->digest, &hasher, digest, err));
    TRY(sign_attributes(cms, job->digest, err));
    TRY(add_timestamp(cms, &job->stamper, err));
    return write_around(cms, true, out, err);
}

/* ---- either ---- */

static se_status in_pem(const struct sign_job *job,
                        se_status (*sign)(const struct sign_job *, const se_sink *, se_error *),
                        se_error *err)
{
    AUTO(pem_encoder) armor = { .out = NULL };
    se_sink sink;

    if (!job->pem)
        return sign(job, job->out, err);
    TRY(pem_encoder_begin(&armor, job->out, "CMS", err));
    sink = pem_encoder_sink(&armor);
    TRY(sign(job, &sink, err));
    return pem_encoder_end(&armor, err);
}

se_status cms_sign_detached(const struct sign_job *job, se_error *err)
{
    return in_pem(job, sign_detached, err);
}

se_status cms_sign_attached(const struct sign_job *job, se_error *err)
{
    return in_pem(job, sign_attached, err);
}
