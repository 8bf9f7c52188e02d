/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of HTTPS have in common: a server, certificates that are good and bad, and a name
 * server.  A program with it exports getaddrinfo(), for libcurl. */
#ifndef TESTS_UNIT_HTTPS_H
#define TESTS_UNIT_HTTPS_H

#include "keystore/azure/http.h"
#include "tests/unit/tls_server.h"

enum { LONG_MS = 20000 };

/* All certificates are of `key`; the CA's is also in ca.pem, in the current folder. */
struct https_parties {
    EVP_PKEY *ca_key, *key;
    X509 *ca, *other_ca, *certificate, *expired, *elsewhere, *stranger;
};
extern struct https_parties parties;
extern struct tls_server server; /* with the good certificate: localhost, vault.example */

/* Of a group.  The environment has proxies then, which nothing may use. */
int https_begin(void **state);
int https_end(void **state);

struct http_pool *open_pool(unsigned connections);
const char *url_of(const struct tls_server *server, const char *host, const char *path);

/* With a token that no message may say, "secret-1". */
se_status ask_server(struct http_answer *out, struct http_pool *pool, const char *url, int64_t ms,
                     se_error *err);
void assert_ok(struct http_pool *pool, const char *url); /* of /ok */
void assert_refused(struct http_pool *pool, const char *url, int64_t ms, se_status status,
                    const char *says);

#endif
