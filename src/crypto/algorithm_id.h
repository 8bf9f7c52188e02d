/* SPDX-License-Identifier: Apache-2.0 */
/* AlgorithmIdentifiers of signatures (RFC 5280, 4.1.1.2; RFC 4055; RFC 5758). */
#ifndef CRYPTO_ALGORITHM_ID_H
#define CRYPTO_ALGORITHM_ID_H

#include <openssl/x509.h>

#include "crypto/provider_keymgmt.h"

/* Makes *algorithm that of such signatures. */
bool identifier_set_signature(X509_ALGOR *algorithm, const struct sign_how *how);

/* DER, as an i2d function makes it: returns its size, below 1 on failure; *der is released with
 * OPENSSL_free(). */
int identifier_der(unsigned char **der, const struct sign_how *how);

/* The digest of an id-RSASSA-PSS; DIGEST_NONE unless hash and mask generation use one that the
 * engine knows, both the same. */
enum digest identifier_pss(const X509_ALGOR *algorithm);

/* Whether signatures of that algorithm hash with SHA-256 or better. */
bool identifier_is_strong(const X509_ALGOR *algorithm);

/* What the parameters of an id-RSASSA-PSS say, as text; false: it is none. */
bool identifier_pss_text(char *out, size_t size, const X509_ALGOR *algorithm);

/* Makes *algorithm an id-RSAES-OAEP (RFC 4055, 4.1) without a label. */
bool identifier_set_oaep(X509_ALGOR *algorithm, const struct unwrap_how *how);

/* False: it is none, has a label, or a digest that the engine does not know. */
bool identifier_oaep(struct unwrap_how *out, const X509_ALGOR *algorithm);

#endif
