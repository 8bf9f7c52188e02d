/* SPDX-License-Identifier: Apache-2.0 */
#include "cms/tsp.h"

#include <openssl/err.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/text.h"
#include "cms/revocation_info.h"
#include "cms/signer_info.h"
#include "crypto/cert_path.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/revocation.h"

/*
 * TS_RESP_verify_token() is not used: it accepts SHA-1, knows no RSA-PSS, works in the
 * application's library context, and does not tell a stamp that is broken from one by somebody
 * unknown.
 */
enum { CLOCKS_DIFFER_S = 300, ACCURACY_MOST_S = 1000000000 };

struct token {
    const struct verify_job *job;
    se_bytes signature;                  /* that it has to be of */
    se_bytes der;                        /* it was read from */
    const struct content_digest *digest; /* of what it has to be of, and there is no signature;
                                            NULL: of the signature */
    CMS_ContentInfo *cms;
    CMS_SignerInfo *signer;
    STACK_OF(X509) * certificates;
    X509 *authority; /* one of them */
    TS_TST_INFO *info;
    int64_t time;
    int64_t accuracy_us; /* 0: not said */
    se_error doubt;      /* why it proves nothing */
};

static void token_free(struct token *token)
{
    CMS_ContentInfo_free(token->cms);
    sk_X509_pop_free(token->certificates, X509_free);
    TS_TST_INFO_free(token->info);
    ERR_clear_error();
}
AUTO_KIND(token, struct token, token_free(p))

/* ---- what it says ---- */

static se_status read_cms(struct token *t, se_bytes der, se_error *err)
{
    const unsigned char *p = der.data;

    t->der = der;
    if (!(t->cms = CMS_ContentInfo_new_ex(crypto_context(), NULL)))
        return error_memory(err);
    if (der.size > LONG_MAX || !d2i_CMS_ContentInfo(&t->cms, &p, (long)der.size) ||
        OBJ_obj2nid(CMS_get0_type(t->cms)) != NID_pkcs7_signed)
        return error_set(err, SE_ERR_REJECTED, "not a CMS signature");
    t->certificates = CMS_get1_certs(t->cms);
    TRY(signer_info_get(&t->signer, t->cms, err));
    return signing_certificate_limit(t->certificates, t->signer, err);
}

static se_bytes string_bytes(const ASN1_STRING *string)
{
    return (se_bytes){ ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string) };
}

/* The TSTInfo; empty: there is none. */
static se_bytes token_content(const struct token *t)
{
    ASN1_OCTET_STRING **string = CMS_get0_content(t->cms);

    if (OBJ_obj2nid(CMS_get0_eContentType(t->cms)) != NID_id_smime_ct_TSTInfo || !string ||
        !*string)
        return (se_bytes){ NULL, 0 };
    return string_bytes(*string);
}

static se_status read_token(struct token *t, se_bytes der, se_error *err)
{
    se_status st = read_cms(t, der, err);
    const unsigned char *p;
    se_bytes info;

    if (st)
        return st;
    info = token_content(t);
    p = info.data;
    if (!info.size || !(t->info = d2i_TS_TST_INFO(NULL, &p, (long)info.size)) ||
        p != (const unsigned char *)info.data + info.size ||
        TS_TST_INFO_get_version(t->info) != 1 ||
        !(t->time = asn1_seconds(TS_TST_INFO_get_time(t->info))))
        return error_set(err, SE_ERR_REJECTED, "it holds no TSTInfo of version 1");
    return SE_OK;
}

/* ---- whether that is true ---- */

static se_status stamp_doubt(struct token *t, const char *why)
{
    (void)error_set(&t->doubt, SE_ERR_REJECTED, "%s", why);
    return SE_OK;
}

#define WEAK_IMPRINT "the digest that it is made over is not accepted: SHA-256 or better is needed"

static enum digest imprint_digest(const struct token *t)
{
    return signer_info_digest(TS_MSG_IMPRINT_get_algo(TS_TST_INFO_get_msg_imprint(t->info)));
}

static se_bytes imprint_value(const struct token *t)
{
    return string_bytes(TS_MSG_IMPRINT_get_msg(TS_TST_INFO_get_msg_imprint(t->info)));
}

static se_status check_imprint(struct token *t, se_error *err)
{
    const enum digest digest = imprint_digest(t);
    struct content_digest made;

    if (!digest)
        return stamp_doubt(t, WEAK_IMPRINT);
    if (t->digest)
        made = *t->digest;
    else
        TRY(content_digest_join(&made, digest, &t->signature, 1, err));
    if (made.algorithm == digest && content_digest_is(&made, imprint_value(t)))
        return SE_OK;
    return error_set(err, SE_ERR_REJECTED, "it is that of %s",
                     t->digest ? "something else" : "another signature");
}

#define NO_AUTHORITY "it does not hold its authority's certificate"

/* NULL: nothing. */
static const char *what_is_amiss(const struct token *t)
{
    if (!t->authority)
        return NO_AUTHORITY;
    if (certificate_purpose(PURPOSE_TIME_STAMP, t->authority, false, SE_ERR_REJECTED, NULL))
        return "it was made with a certificate that is not for time stamps";
    return TS_TST_INFO_get_ext_by_critical(t->info, 1, -1) < 0
               ? NULL
               : "it has an extension that is critical and not known";
}

/* RFC 3161, 2.4.2 demands one, RFC 5816 allows the other. */
static bool names_certificate(const struct token *t)
{
    return CMS_signed_get_attr_by_NID(t->signer, NID_id_smime_aa_signingCertificate, -1) >= 0 ||
           CMS_signed_get_attr_by_NID(t->signer, NID_id_smime_aa_signingCertificateV2, -1) >= 0;
}

static se_status check_signature(struct token *t, se_error *err)
{
    const se_bytes content = token_content(t);
    const struct algorithm *algorithm;
    struct content_digest made;
    const char *amiss;
    int64_t signing_time;

    t->authority = signer_info_certificate(t->signer, t->certificates);
    if ((amiss = what_is_amiss(t)))
        return stamp_doubt(t, amiss);
    if (signer_info_algorithm(&algorithm, t->signer, &t->doubt))
        return SE_OK;
    if (!names_certificate(t))
        return error_set(err, SE_ERR_REJECTED,
                         "it does not say with which certificate it was made");
    TRY(content_digest_join(&made, algorithm->digest, &content, 1, err));
    return signer_info_verify(&signing_time, t->cms, t->signer, t->authority,
                              content_digest_bytes(&made), err);
}

/* Up to `most`; what is left out is 0. */
static bool read_part(int64_t *out, const ASN1_INTEGER *part, int64_t most)
{
    *out = 0;
    return !part || (ASN1_INTEGER_get_int64(out, part) && *out >= 0 && *out <= most);
}

/* RFC 3161, 2.4.2 */
static se_status check_accuracy(struct token *t, se_error *err)
{
    const TS_ACCURACY *stated = TS_TST_INFO_get_accuracy(t->info);
    int64_t seconds, millis, micros;

    (void)err;
    if (!stated)
        return SE_OK;
    if (!read_part(&seconds, TS_ACCURACY_get_seconds(stated), ACCURACY_MOST_S) ||
        !read_part(&millis, TS_ACCURACY_get_millis(stated), 999) ||
        !read_part(&micros, TS_ACCURACY_get_micros(stated), 999)) {
        ERR_clear_error();
        return stamp_doubt(t, "its accuracy is none");
    }
    t->accuracy_us = (seconds * 1000 + millis) * 1000 + micros;
    return SE_OK;
}

static se_status check_time(struct token *t, se_error *err)
{
    if (t->time < certificate_not_before(t->authority) ||
        t->time > certificate_not_after(t->authority))
        return error_set(err, SE_ERR_REJECTED,
                         "its authority's certificate was not valid at its time");
    if (t->time > t->job->time + CLOCKS_DIFFER_S)
        return stamp_doubt(t,
                           "it is from later than the time at which certificates have to be valid");
    return SE_OK;
}

/* Nobody vouches for a stamp's time but its authority. */
static se_status check_revocation(struct token *t, se_error *err)
{
    const struct revocation_question question = { .certificate = t->authority,
                                                  .others = t->certificates,
                                                  .roots = t->job->tsa_roots,
                                                  .at = t->time };
    struct revocation revocation;
    se_status st;

    if (t->job->revocation)
        TRY(revocation_info_add(t->job->revocation->sources, t->cms, t->der, err));
    st = revocation_check(&revocation, &question, t->job->revocation, &t->doubt);
    return st && st != SE_ERR_REJECTED ? error_set(err, st, "%s", t->doubt.text) : SE_OK;
}

static se_status check_authority(struct token *t, se_error *err)
{
    se_status st;

    if (t->doubt.status)
        return SE_OK;
    if (!t->job->tsa_roots)
        return stamp_doubt(t, "no CA is trusted to name time stamping authorities");
    st = trust_check_tsa(t->authority, t->certificates, t->job, &t->doubt);
    if (st)
        return st == SE_ERR_REJECTED ? SE_OK : error_set(err, st, "%s", t->doubt.text);
    return check_revocation(t, err);
}

static se_status check_token(struct token *t, se_error *err)
{
    static se_status (*const checks[])(struct token *, se_error *) = {
        check_imprint,
        check_signature,
        check_accuracy,
        check_time,
    };
    se_status st = SE_OK;

    for (size_t i = 0; !st && !t->doubt.status && i < sizeof checks / sizeof *checks; i++)
        st = checks[i](t, err);
    return st;
}

static void tell_stamp(struct stamp *out, const struct token *t)
{
    out->time = t->time;
    out->accuracy_us = t->accuracy_us;
    out->not_after = certificate_not_after(t->authority);
    certificate_subject(out->authority, sizeof out->authority, t->authority);
}

se_status stamp_check_digest(struct stamp *out, se_bytes der, const struct content_digest *digest,
                             const struct verify_job *job, se_error *err)
{
    AUTO(token) t = { .job = job, .digest = digest };

    *out = (struct stamp){ .time = 0 };
    TRY(read_token(&t, der, err));
    TRY(check_token(&t, err));
    TRY(check_authority(&t, err));
    if (t.doubt.status)
        return error_copy(err, t.doubt.status, &t.doubt);
    tell_stamp(out, &t);
    return SE_OK;
}

se_status stamp_read(struct stamp *out, se_bytes der, se_error *err)
{
    AUTO(token) t = { .job = NULL };

    *out = (struct stamp){ .time = 0 };
    TRY(read_token(&t, der, err));
    if (!(t.authority = signer_info_certificate(t.signer, t.certificates)))
        return error_set(err, SE_ERR_REJECTED, NO_AUTHORITY);
    tell_stamp(out, &t);
    return SE_OK;
}

se_status stamp_read_imprint(struct content_digest *out, se_bytes der, se_error *err)
{
    AUTO(token) t = { .job = NULL };
    se_bytes value;

    *out = (struct content_digest){ .algorithm = DIGEST_NONE };
    TRY(read_token(&t, der, err));
    value = imprint_value(&t);
    if (!imprint_digest(&t))
        return error_set(err, SE_ERR_REJECTED, WEAK_IMPRINT);
    if (value.size != (size_t)EVP_MD_get_size(crypto_md(imprint_digest(&t))))
        return error_set(err, SE_ERR_REJECTED, "it is not of a digest");
    out->algorithm = imprint_digest(&t);
    out->size = (unsigned)value.size;
    memcpy(out->value, value.data, value.size);
    return SE_OK;
}

/* ---- of a signature ---- */

se_status stamp_check(struct stamp *out, se_bytes der, se_bytes signature,
                      const struct verify_job *job, se_error *err)
{
    AUTO(token) t = { .job = job, .signature = signature };
    se_status st;

    if ((st = read_token(&t, der, err)) || (st = check_token(&t, err)) ||
        (st = check_authority(&t, err))) {
        (void)error_prefix(err, st, "the time stamp is not good: ");
        return st;
    }
    if (t.doubt.status)
        text_copy(out->ignored, sizeof out->ignored, t.doubt.text, strlen(t.doubt.text));
    else
        tell_stamp(out, &t);
    return SE_OK;
}

se_status stamp_check_answer(se_bytes der, const struct content_digest *digest, int64_t now,
                             se_error *err)
{
    const struct verify_job job = { .time = now };
    AUTO(token) t = { .job = &job, .digest = digest };

    TRY_PREFIX(read_token(&t, der, err), err, "its time stamp is not good: ");
    TRY_PREFIX(check_token(&t, err), err, "its time stamp is not good: ");
    return error_prefix(err, error_copy(err, t.doubt.status, &t.doubt),
                        "its time stamp would not count: ");
}

/* NULL: there is none.  Java refuses several, and of several any reader might choose another one.
 */
static se_status stamp_attribute_find(const ASN1_TYPE **out, CMS_SignerInfo *signer, se_error *err)
{
    int count = 0;

    *out = NULL;
    for (int i = 0; i < CMS_unsigned_get_attr_count(signer); i++) {
        X509_ATTRIBUTE *attribute = CMS_unsigned_get_attr(signer, i);

        if (OBJ_obj2nid(X509_ATTRIBUTE_get0_object(attribute)) != NID_id_smime_aa_timeStampToken)
            continue;
        count += X509_ATTRIBUTE_count(attribute);
        *out = X509_ATTRIBUTE_get0_type(attribute, 0);
    }
    if (count > 1)
        return error_set(err, SE_ERR_REJECTED,
                         "the signature has %d time stamps, one is expected at the most", count);
    return SE_OK;
}

se_status stamp_find(struct stamp *out, CMS_SignerInfo *signer, const struct verify_job *job,
                     se_error *err)
{
    const ASN1_TYPE *value;
    se_status st = stamp_attribute_find(&value, signer, err);

    *out = (struct stamp){ .time = 0 };
    if (st || !value)
        return st;
    if (value->type != V_ASN1_SEQUENCE)
        return error_set(err, SE_ERR_REJECTED, "the time stamp is not good: not a CMS signature");
    return stamp_check(out, string_bytes(value->value.sequence),
                       string_bytes(CMS_SignerInfo_get0_signature(signer)), job, err);
}

int64_t stamp_moment(const struct stamp *stamp, int64_t otherwise)
{
    return stamp->time ? stamp->time : otherwise;
}

void stamp_blame(se_error *err, const struct stamp *stamp, const X509 *certificate,
                 int64_t otherwise)
{
    int64_t moment = stamp_moment(stamp, otherwise);
    char day[16];

    if (moment >= certificate_not_before(certificate) &&
        moment <= certificate_not_after(certificate))
        return;
    date_text(day, stamp->time);
    if (stamp->time)
        (void)error_prefix(err, SE_ERR_REJECTED, "at the time of its time stamp (%s): ", day);
    else if (*stamp->ignored)
        (void)error_prefix(err, SE_ERR_REJECTED,
                           "its time stamp does not count (%s): ", stamp->ignored);
}
