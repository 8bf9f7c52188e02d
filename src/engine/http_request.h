/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP without TLS, to those whose answers are signed: time stamping authorities (RFC 3161), OCSP
 * responders (RFC 6960) and places of CRLs (RFC 5280, 4.2.1.13). Redirections are not followed, and
 * the environment is not asked for a proxy.
 */
#ifndef ENGINE_HTTP_REQUEST_H
#define ENGINE_HTTP_REQUEST_H

#include <openssl/bio.h>

#include "base/auto.h"
#include "base/error.h"

struct http_place {
    char *host, *port, *path;
};
void http_place_free(struct http_place *place);
AUTO_KIND(http_place, struct http_place, http_place_free(p))

/* False: it is no URL as http://HOST..., or one with blanks, which would end in the request. */
bool http_place_read(struct http_place *out, const char *url);

struct http_request {
    BIO *body;                      /* what is posted; NULL: something is got */
    const char *type, *answer_type; /* of the contents; NULL: any */
    size_t limit;                   /* bytes of the answer */
    int timeout_s;
};

/* The answer's body, which is one DER; the caller frees it. SE_ERR_UNAVAILABLE. */
SE_MUST_CHECK se_status http_ask(BIO **out, const struct http_place *place,
                                 const struct http_request *request, se_error *err);

#endif
