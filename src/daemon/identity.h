/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Callers on a network are known by their certificates (RFC 5280): whom the CAs of the settings
 * vouch for, who that is, and whether they still do.
 */
#ifndef DAEMON_IDENTITY_H
#define DAEMON_IDENTITY_H

#include <openssl/x509.h>

#include "base/buf.h"
#include "daemon/peer.h"

/* CAs, and what they have revoked. Any number of threads may ask. */
struct trust;

/* `crl`: a file with a CRL of each CA; NULL: nothing is asked about revocation. SE_ERR_CONFIG: a
 * file holds something else; SE_ERR_IO: it can't be read. */
SE_MUST_CHECK se_status trust_load(struct trust **out, const char *ca, const char *crl,
                                   se_error *err);
void trust_free(struct trust *trust);

/* Whom a certificate names. */
struct identity {
    STACK_OF(X509) * sent;         /* by him, his own first */
    se_buf certificate, issued_by; /* in DER; issued_by is empty: it vouches for itself */
    char subject[256], issuer[256], serial[64], sha256[65];
    char id[PEER_ID_ROOM]; /* the same for certificates that differ in key and dates only */
};

/*
 * Reads and verifies the `count` certificates in DER that came in a handshake, the caller's first.
 * SE_ERR_REJECTED: nobody vouches for it, or not for a client. The caller releases *out with
 * identity_free().
 */
SE_MUST_CHECK se_status identity_read(struct identity **out, const struct trust *trust,
                                      const se_bytes *certificates, size_t count, se_error *err);
void identity_free(struct identity *identity);

/* Verifies it again: certificates end, and CAs, too. SE_ERR_REJECTED as above. */
SE_MUST_CHECK se_status identity_check(const struct identity *identity, const struct trust *trust,
                                       se_error *err);

#endif
