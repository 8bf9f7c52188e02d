/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/cert_path.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/auto.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"

AUTO_KIND(path, X509_STORE_CTX *, X509_STORE_CTX_free(*p))

/* 112 bits at the least: no SHA-1, no RSA below 2048 */
enum { SECURITY_LEVEL = 2 };

static se_status refuse_expired(const X509 *certificate, se_error *err)
{
    char day[16];

    date_text(day, certificate_not_after(certificate));
    return error_set(err, SE_ERR_REJECTED, CERTIFICATE_EXPIRED " (%s)", day);
}

static se_status path_refusal(X509_STORE_CTX *path, bool tsa, se_error *err)
{
    X509 *culprit = X509_STORE_CTX_get_current_cert(path);
    const char *reason = X509_verify_cert_error_string(X509_STORE_CTX_get_error(path));
    char subject[256] = "";

    ERR_clear_error();
    if (!tsa && X509_STORE_CTX_get_error(path) == X509_V_ERR_CERT_HAS_EXPIRED &&
        X509_STORE_CTX_get_error_depth(path) == 0)
        return refuse_expired(X509_STORE_CTX_get0_cert(path), err);
    if (culprit)
        certificate_subject(subject, sizeof subject, culprit);
    return error_set(err, SE_ERR_REJECTED, "%s is not trusted: %s: %s",
                     tsa ? "its authority" : "the signer", subject, reason);
}

struct wish {
    STACK_OF(X509) * others;
    X509_STORE *roots;
    enum purpose purpose;
    int64_t time;
};

/* CAs may be trusted for some purposes only (x509(1), "Trust Settings"). */
static int trust_of(enum purpose purpose)
{
    switch (purpose) {
    case PURPOSE_MAIL:
        return X509_TRUST_EMAIL;
    case PURPOSE_ZIP:
    case PURPOSE_CONFIG:
        return X509_TRUST_OBJECT_SIGN;
    case PURPOSE_TIME_STAMP:
        return X509_TRUST_TSA;
    default:
        return X509_TRUST_DEFAULT; /* none in particular */
    }
}

static se_status check_path(X509 *certificate, const struct wish *wish, se_error *err)
{
    AUTO(path) path = X509_STORE_CTX_new_ex(crypto_context(), NULL);

    if (!path || !X509_STORE_CTX_init(path, wish->roots, certificate, wish->others) ||
        (trust_of(wish->purpose) && !X509_STORE_CTX_set_trust(path, trust_of(wish->purpose))))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot check the signer's certificate");
    X509_STORE_CTX_set_time(path, 0, wish->time);
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(path), SECURITY_LEVEL);
    if (X509_verify_cert(path) <= 0)
        return path_refusal(path, wish->purpose == PURPOSE_TIME_STAMP, err);
    return certificate_purpose_path(wish->purpose, X509_STORE_CTX_get0_chain(path), err);
}

bool trust_is_own(const struct verdict *signer, X509_STORE *roots)
{
    AUTO(x509_stack) named = roots ? X509_STORE_get1_all_certs(roots) : NULL;

    if (signer->candidate)
        return true;
    for (int i = 0; i < sk_X509_num(named); i++)
        if (X509_cmp(sk_X509_value(named, i), signer->certificate) == 0)
            return true;
    return false;
}

/* Whose own certificates stand for themselves: others of their keys do, too. */
static se_status admit_renewal(const struct verify_job *job, X509 *certificate, se_error *err)
{
    for (size_t i = 0; job->renewals && i < job->count; i++)
        if (trust_is_renewal(&job->candidates[i], certificate) &&
            !X509_STORE_add_cert(job->roots, certificate))
            return crypto_error(err, SE_ERR_CRYPTO, "cannot use the signer's certificate");
    return SE_OK;
}

se_status trust_check(const struct verdict *signer, STACK_OF(X509) * others,
                      const struct verify_job *job, int64_t time, se_error *err)
{
    bool exempt;

    TRY(admit_renewal(job, signer->certificate, err));
    exempt = purpose_rule(job->purpose)->own_exempt && trust_is_own(signer, job->roots);
    return check_path(
        signer->certificate,
        &(struct wish){ others, job->roots, exempt ? PURPOSE_ANY : job->purpose, time }, err);
}

se_status trust_check_tsa(X509 *certificate, STACK_OF(X509) * others, const struct verify_job *job,
                          se_error *err)
{
    return check_path(certificate,
                      &(struct wish){ others, job->tsa_roots, PURPOSE_TIME_STAMP, job->time }, err);
}

/* ---- signers who are not expected ---- */

static bool is_namesake(const X509 *one, const X509 *other)
{
    return X509_NAME_cmp(X509_get_subject_name(one), X509_get_subject_name(other)) == 0 &&
           X509_NAME_cmp(X509_get_issuer_name(one), X509_get_issuer_name(other)) == 0 &&
           EVP_PKEY_eq(X509_get0_pubkey(one), X509_get0_pubkey(other)) != 1;
}

bool trust_is_renewal(const struct expected_signer *expected, X509 *certificate)
{
    bool issued;

    if (!certificate_has_key(certificate, X509_get0_pubkey(expected->certificate)))
        return false;
    issued = certificate_has_issued(expected->certificate, certificate);
    for (int i = 0; !issued && i < sk_X509_num(expected->issuers); i++)
        issued = certificate_has_issued(sk_X509_value(expected->issuers, i), certificate);
    ERR_clear_error();
    return issued;
}

/* Of the same key, then: what is missing is who has issued it. */
static bool has_expected_key(const struct verify_job *job, const X509 *certificate)
{
    for (size_t i = 0; i < job->count; i++)
        if (certificate_has_key(certificate, X509_get0_pubkey(job->candidates[i].certificate)))
            return true;
    return false;
}

se_status trust_refuse_signer(const struct verify_job *job, X509 *certificate, const char *note,
                              se_error *err)
{
    char subject[256], serial[64];

    certificate_subject(subject, sizeof subject, certificate);
    certificate_serial(serial, sizeof serial, certificate);
    for (size_t i = 0; i < job->count; i++)
        if (is_namesake(job->candidates[i].certificate, certificate))
            return error_set(err, SE_ERR_NO_DESCRIPTOR,
                             "signed with a certificate of the same name as that of version %u and "
                             "with another key%s: %s (serial %s); is it of a version that is not "
                             "configured here?",
                             job->candidates[i].version, note, subject, serial);
    return error_set(
        err, SE_ERR_REJECTED,
        "signed with a certificate that the descriptor does not have%s: %s (serial %s)%s", note,
        subject, serial,
        has_expected_key(job, certificate)
            ? "; its key is the descriptor's: put it, or its issuer, beside the key's certificate"
            : "");
}
