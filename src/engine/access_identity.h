/* SPDX-License-Identifier: Apache-2.0 */
/* Who calls, and whether he is the one that a <user>, <group> or <certificate> stands for. */
#ifndef ENGINE_ACCESS_IDENTITY_H
#define ENGINE_ACCESS_IDENTITY_H

#include <openssl/x509v3.h>

#include "config/config.h"

struct access_match {
    enum access_kind kind;
    uint32_t id; /* of a user or group */
    X509_NAME *subject, *issuer;
    GENERAL_NAME *san;
    char sha256[65];
};

/* But for the number of a user or group, which is the machine's. */
SE_MUST_CHECK se_status access_match_read(struct access_match *out,
                                          const struct access_caller *caller, se_error *err);
void access_match_free(struct access_match *match);

struct access_identity {
    se_caller caller;
    X509 *leaf; /* NULL: no certificate */
    GENERAL_NAMES *names;
    char sha256[65];
};

/* `caller` is borrowed for as long as *out is used.  SE_ERR_USAGE, SE_ERR_FORMAT: it says what
 * can't be so. */
SE_MUST_CHECK se_status access_identity_read(struct access_identity *out, const se_caller *caller,
                                             se_error *err);
void access_identity_free(struct access_identity *identity);
AUTO_KIND(access_identity, struct access_identity, access_identity_free(p))

bool access_match_is(const struct access_match *match, const struct access_identity *identity);

#endif
