/* SPDX-License-Identifier: Apache-2.0 */
/* What a vault's certificate is to be like: its policy, and whether a request keeps to it. */
#ifndef PROVISION_AZURE_POLICY_H
#define PROVISION_AZURE_POLICY_H

#include <openssl/x509.h>

#include "provision/azure/session.h"
#include "provision/cert_profile.h"

/*
 * All of it said: what a policy leaves out, a vault fills in, with a purpose as a web server's and
 * a key that can be exported.  `issuer`: "Self", "Unknown".  SE_ERR_USAGE: the vault can't make
 * that.
 */
SE_MUST_CHECK se_status vault_policy_make(json_t **out, const struct vault_session *session,
                                          const struct key_profile *key,
                                          const struct cert_profile *certificate,
                                          const char *issuer, se_error *err);

/* For a certificate that is brought in. */
SE_MUST_CHECK se_status vault_policy_import(json_t **out, const struct vault_session *session,
                                            const struct key_profile *key, se_error *err);

/* A vault counts in months. */
unsigned vault_policy_months(unsigned days);

/* The request is signed by its own key, which is of the wished type, and says what was wished:
 * subject, names, uses and nothing of purposes.  SE_ERR_STORE: it is another. */
SE_MUST_CHECK se_status vault_request_check(X509_REQ *request, const struct key_profile *key,
                                            const struct cert_profile *certificate, se_error *err);

#endif
