/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/cert_info.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <strings.h>

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

/* ---- mail addresses ---- */

AUTO_KIND(emails, STACK_OF(OPENSSL_STRING) *, X509_email_free(*p))

static const char *address_find(const STACK_OF(OPENSSL_STRING) * named,
                                const char *const *addresses, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < sk_OPENSSL_STRING_num(named); k++)
            if (strcasecmp(addresses[i], sk_OPENSSL_STRING_value(named, k)) == 0)
                return addresses[i];
    return NULL;
}

static se_status addresses_refuse(const STACK_OF(OPENSSL_STRING) * named,
                                  const char *const *addresses, size_t count, se_status refusal,
                                  se_error *err)
{
    AUTO(writer) have = { 0 };
    AUTO(writer) asked = { 0 };

    for (size_t i = 0; i < count; i++)
        writer_format(&asked, "%s%s", i ? ", " : "", addresses[i]);
    for (int k = 0; k < sk_OPENSSL_STRING_num(named); k++)
        writer_format(&have, "%s%s", k ? ", " : "", sk_OPENSSL_STRING_value(named, k));
    return error_set(err, refusal, "the mail is from %.300s, the certificate is for %.300s",
                     writer_string(&asked),
                     have.buf.size ? writer_string(&have) : "no mail address");
}

se_status addresses_name(char out[320], const STACK_OF(OPENSSL_STRING) * named,
                         const char *const *addresses, size_t count, se_status refusal,
                         se_error *err)
{
    const char *found = address_find(named, addresses, count);

    *out = '\0';
    if (!count)
        return SE_OK;
    if (!found)
        return addresses_refuse(named, addresses, count, refusal, err);
    (void)snprintf(out, 320, "%s", found);
    return SE_OK;
}

se_status certificate_names(char out[320], X509 *certificate, const char *const *addresses,
                            size_t count, se_status refusal, se_error *err)
{
    AUTO(emails) named = count ? X509_get1_email(certificate) : NULL;

    return addresses_name(out, named, addresses, count, refusal, err);
}
