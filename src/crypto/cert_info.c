#include "crypto/cert_info.h"

#include <openssl/x509v3.h>

#include "crypto/certificate.h"

void profile_read(struct profile *out, X509 *certificate)
{
    certificate_subject(out->subject, sizeof out->subject, certificate);
    certificate_issuer(out->issuer, sizeof out->issuer, certificate);
    certificate_serial(out->serial, sizeof out->serial, certificate);
    out->not_after = certificate_not_after(certificate);
    out->addresses = X509_get1_email(certificate);
}

void profile_free(struct profile *profile)
{
    X509_email_free(profile->addresses);
    profile->addresses = NULL;
}
