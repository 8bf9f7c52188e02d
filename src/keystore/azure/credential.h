/* SPDX-License-Identifier: Apache-2.0 */
/* How a login proves who it is: one struct credential_type for each value of `credential`. */
#ifndef KEYSTORE_AZURE_CREDENTIAL_H
#define KEYSTORE_AZURE_CREDENTIAL_H

#include "keystore/azure/answer.h"
#include "keystore/azure/http.h"
#include "keystore/azure/place.h"

/* What a credential asks with and for. */
struct credential_request {
    const struct keyref *ref;
    const struct vault_place *place; /* authority and resource */
    const char *claims;              /* JSON text that the token must answer; "": none */
    struct http_pool *pool;          /* to the authority, or the metadata service */
    int64_t until;                   /* clock_monotonic_ms() */
};

struct credential_type {
    enum credential kind;
    bool is_local; /* a metadata service of this machine: plain http, never through a proxy */
    se_status (*ask)(struct token_answer *out, const struct credential_request *request,
                     se_error *err);
};

extern const struct credential_type secret_credential, certificate_credential,
    managed_identity_credential, workload_identity_credential, environment_credential;

/* Asks /TENANT/oauth2/v2.0/token for a token, with `proof`: form fields that begin with '&'. */
SE_MUST_CHECK se_status credential_ask_authority(struct token_answer *out,
                                                 const struct credential_request *request,
                                                 const char *tenant, const char *client,
                                                 const struct writer *proof, se_error *err);

#endif
