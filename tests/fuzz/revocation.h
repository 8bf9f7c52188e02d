/* SPDX-License-Identifier: Apache-2.0 */
/* What was read of somebody's certificate, asked whether it was revoked. */
#ifndef TESTS_FUZZ_REVOCATION_H
#define TESTS_FUZZ_REVOCATION_H

#include <stdlib.h>

#include "crypto/certificate.h"
#include "crypto/revocation.h"

enum { FUZZ_NOW = 1893456000 };

static inline STACK_OF(X509) * read_path(const char *pem)
{
    static STACK_OF(X509) * path;

    if (!path && certificates_read(&path, text_bytes(pem), "fuzz", NULL))
        abort();
    return path;
}

/* `pem`: the certificate and its CA's, the same ones each time.  What is good, somebody has said,
 * and what is not known has a reason. */
static inline void check_revocation(struct revocation_sources *sources, const char *pem)
{
    STACK_OF(X509) *const path = read_path(pem);
    const struct revocation_question question = { .certificate = sk_X509_value(path, 0),
                                                  .others = path,
                                                  .at = FUZZ_NOW };
    struct revocation_rules rules = { .sources = sources, .wanted = true, .now = FUZZ_NOW };
    struct revocation found;

    if (!revocation_check(&found, &question, &rules, NULL) &&
        (found.status == SE_REVOCATION_GOOD ? !*found.teller : !*found.note))
        abort();
    rules.required = true;
    if (!revocation_check(&found, &question, &rules, NULL) && found.status != SE_REVOCATION_GOOD)
        abort();
}

#endif
