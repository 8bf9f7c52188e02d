/* SPDX-License-Identifier: Apache-2.0 */
/* What a certificate says of its owner.  It is read once for a key: that takes as long as all that
 * a signature takes besides the token. */
#ifndef CRYPTO_CERT_INFO_H
#define CRYPTO_CERT_INFO_H

#include <openssl/x509.h>
#include <stdint.h>

struct profile {
    char subject[256], issuer[256],
        serial[64]; /* as certificate_subject() and its like tell them */
    int64_t not_after;
    STACK_OF(OPENSSL_STRING) * addresses; /* of mail; NULL: none */
};
void profile_read(struct profile *out, X509 *certificate);
void profile_free(struct profile *profile);

#endif
