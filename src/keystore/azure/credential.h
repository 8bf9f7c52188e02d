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
    const char *name;   /* as the configuration has it */
    bool is_local;      /* a metadata service of this machine: plain http, never through a proxy */
    bool has_variables; /* what the configuration does not say is in the environment */
    se_status (*ask)(struct token_answer *out, const struct credential_request *request,
                     se_error *err);
};

extern const struct credential_type secret_credential, certificate_credential,
    managed_identity_credential, workload_identity_credential, environment_credential;

/* Of the environment; never NULL.  For credentials whose names in the configuration allow it. */
const char *credential_variable(const char *name);

/* Who logs in where; all borrowed. */
struct credential_client {
    const char
        *authority; /* "https://login.microsoftonline.com", perhaps with a slash at the end */
    const char *tenant, *id;
};

/* From the configuration, and else from the environment where the credential has_variables.
 * SE_ERR_CONFIG: the tenant or the client is said nowhere. */
SE_MUST_CHECK se_status credential_client(struct credential_client *out,
                                          const struct credential_type *type,
                                          const struct credential_request *request, se_error *err);

/* "": it is said nowhere. */
const char *credential_tenant(const struct credential_type *type, const struct keyref *ref);

/* Where that client asks for its tokens. */
SE_MUST_CHECK se_status credential_token_url(se_buf *out, const struct credential_client *client,
                                             se_error *err);

struct credential_proof {
    struct writer fields; /* of a form, each with a '&' before it: a secret */
    bool is_refused;      /* the authority's answer: it is not this client's (invalid_client) */
};
AUTO_KIND(credential_proof, struct credential_proof, writer_free(&p->fields))

/* Asks the authority for a token; proof->is_refused is set after a failure. */
SE_MUST_CHECK se_status credential_ask_authority(struct token_answer *out,
                                                 const struct credential_request *request,
                                                 const struct credential_client *client,
                                                 struct credential_proof *proof, se_error *err);

#endif
