/* SPDX-License-Identifier: Apache-2.0 */
/* What a vault says of how to log in: WWW-Authenticate (RFC 9110, 11.6.1, RFC 6750). */
#ifndef KEYSTORE_AZURE_CHALLENGE_H
#define KEYSTORE_AZURE_CHALLENGE_H

#include "base/buf.h"

struct challenge {
    char scheme[16];    /* "Bearer", "Basic" */
    char tenant[128];   /* the path of the authority; the authority's host is not believed */
    char resource[256]; /* of `resource`, or of `scope` without "/.default" */
    char claims[2048];  /* base64, as it came: a token with these is asked for; "": none */
    char error[64];     /* "invalid_token", "insufficient_claims" */
    char realm[512];    /* Basic */
};

/* SE_ERR_STORE: it can't be read, or says something twice. */
SE_MUST_CHECK se_status challenge_parse(struct challenge *out, const char *header, se_error *err);

#endif
