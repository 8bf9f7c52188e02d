/* Names as people write them: "/C=SE/O=Example/CN=signer" (OpenSSL) and "CN=signer,O=Example,C=SE"
 * (RFC 4514). */
#ifndef PROVISION_SUBJECT_H
#define PROVISION_SUBJECT_H

#include <openssl/x509v3.h>

#include "base/buf.h"

AUTO_KIND(x509_name, X509_NAME *, X509_NAME_free(*p))
AUTO_KIND(general_names, GENERAL_NAMES *, GENERAL_NAMES_free(*p))

/* SE_ERR_USAGE names the part that is wrong. */
SE_MUST_CHECK se_status subject_parse(X509_NAME **out, const char *text, se_error *err);

/* CN=`name` and nothing else. */
SE_MUST_CHECK se_status subject_common_name(X509_NAME **out, const char *name, se_error *err);

/* "DNS:host", "email:a@example.org", "IP:192.0.2.1", "URI:https://..."; *out is NULL when `count`
 * is 0. */
SE_MUST_CHECK se_status alternative_names(GENERAL_NAMES **out, const char *const *texts,
                                          size_t count, se_error *err);

#endif
