#include "format/trust.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/auto.h"
#include "key/certificate.h"
#include "key/crypto.h"

AUTO_KIND(path, X509_STORE_CTX *, X509_STORE_CTX_free(*p))

/* 112 bits at the least: no SHA-1, no RSA below 2048 */
enum { SECURITY_LEVEL = 2 };

static se_status expired(const X509 *certificate, se_error *err)
{
    char day[16];

    date_text(day, certificate_not_after(certificate));
    return error_set(err, SE_ERR_REJECTED, CERTIFICATE_EXPIRED " (%s)", day);
}

static se_status refusal(X509_STORE_CTX *path, bool tsa, se_error *err)
{
    X509 *culprit = X509_STORE_CTX_get_current_cert(path);
    const char *reason = X509_verify_cert_error_string(X509_STORE_CTX_get_error(path));
    char subject[256] = "";

    ERR_clear_error();
    if (!tsa && X509_STORE_CTX_get_error(path) == X509_V_ERR_CERT_HAS_EXPIRED && X509_STORE_CTX_get_error_depth(path) == 0)
        return expired(X509_STORE_CTX_get0_cert(path), err);
    if (culprit)
        certificate_subject(subject, sizeof subject, culprit);
    return error_set(err, SE_ERR_REJECTED, "%s is not trusted: %s: %s", tsa ? "its authority" : "the signer", subject, reason);
}

static se_status check(X509_STORE_CTX *path, bool tsa, int64_t time, se_error *err)
{
    X509_STORE_CTX_set_time(path, 0, time);
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(path), SECURITY_LEVEL);
    return X509_verify_cert(path) > 0 ? SE_OK : refusal(path, tsa, err);
}

se_status trust_check(X509 *certificate, STACK_OF(X509) * others, X509_STORE *roots, int64_t time, se_error *err)
{
    AUTO(path) path = X509_STORE_CTX_new_ex(crypto_context(), NULL);

    if (!path || !X509_STORE_CTX_init(path, roots, certificate, others))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot check the signer's certificate");
    return check(path, false, time, err);
}

se_status trust_check_tsa(X509 *certificate, STACK_OF(X509) * others, X509_STORE *roots, int64_t time, se_error *err)
{
    AUTO(path) path = X509_STORE_CTX_new_ex(crypto_context(), NULL);

    if (!path || !X509_STORE_CTX_init(path, roots, certificate, others) || !X509_STORE_CTX_set_purpose(path, X509_PURPOSE_TIMESTAMP_SIGN))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot check the certificate of a time stamping authority");
    return check(path, true, time, err);
}
