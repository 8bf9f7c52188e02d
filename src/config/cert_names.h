/* SPDX-License-Identifier: Apache-2.0 */
/* Names of certificates, as people write them. */
#ifndef CONFIG_CERT_NAMES_H
#define CONFIG_CERT_NAMES_H

#include <openssl/x509v3.h>

#include "base/buf.h"

AUTO_KIND(x509_name, X509_NAME *, X509_NAME_free(*p))
AUTO_KIND(general_name, GENERAL_NAME *, GENERAL_NAME_free(*p))
AUTO_KIND(general_names, GENERAL_NAMES *, GENERAL_NAMES_free(*p))

/* "/C=SE/O=Example/CN=signer" (OpenSSL) and "CN=signer,O=Example,C=SE" (RFC 4514).  SE_ERR_USAGE
 * names the part that is wrong. */
SE_MUST_CHECK se_status distinguished_name_parse(X509_NAME **out, const char *text, se_error *err);

/* CN=`name` and nothing else. */
SE_MUST_CHECK se_status common_name_make(X509_NAME **out, const char *name, se_error *err);

/* "DNS:host", "email:a@example.org", "IP:192.0.2.1", "URI:https://..." */
SE_MUST_CHECK se_status alternative_name_parse(GENERAL_NAME **out, const char *text, se_error *err);

#endif
