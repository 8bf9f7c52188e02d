/* SPDX-License-Identifier: Apache-2.0 */
/* Keys as a vault has them: JSON Web Keys (RFC 7517, RFC 7518, 6), with kinds that end in "-HSM".
 */
#ifndef KEYSTORE_AZURE_JWK_H
#define KEYSTORE_AZURE_JWK_H

#include <jansson.h>

#include "crypto/key.h"

/*
 * The public key.  SE_ERR_KEY: it is of a kind that is not used here, "oct" say, or on a curve that
 * is not; SE_ERR_STORE: it makes no sense.
 */
SE_MUST_CHECK se_status jwk_public_key(EVP_PKEY **out, const json_t *jwk, se_error *err);

/*
 * A private key as an object of JSON, for import: {"kty":"RSA-HSM","n":"…","d":"…"}; `is_hsm`
 * chooses the kind.  Only what is wiped ever holds it.  SE_ERR_KEY: it can't be taken out, or is of
 * a kind or on a curve that is not used here.
 */
SE_MUST_CHECK se_status jwk_write_private(se_buf *out, const EVP_PKEY *key, bool is_hsm,
                                          se_error *err);

/*
 * An ECDSA signature: r and s of equal width, one after the other (RFC 7518, 3.4), as RFC 3279's
 * ECDSA-Sig-Value.  SE_ERR_STORE: it has not exactly the width of `key`'s order.
 */
SE_MUST_CHECK se_status jwk_ecdsa_der(se_buf *out, const EVP_PKEY *key, se_bytes raw,
                                      se_error *err);

#endif
