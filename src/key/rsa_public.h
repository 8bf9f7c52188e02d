/*
 * RSA's public operation (RFC 8017, 5.1.1).  A field costs little besides: OpenSSL's own, which makes its contexts anew each time and
 * knows no exponent beforehand, takes a sixth longer.
 */
#ifndef KEY_RSA_PUBLIC_H
#define KEY_RSA_PUBLIC_H

#include <openssl/evp.h>

#include "base/buf.h"

/* A public key, prepared.  Any number of threads may use it at once. */
struct rsa_public;

/* SE_ERR_KEY: it is none of RSA. */
SE_MUST_CHECK se_status rsa_public_new(struct rsa_public **out, const EVP_PKEY *key, se_error *err);
void rsa_public_free(struct rsa_public *key); /* accepts NULL */
AUTO_KIND(rsa_public, struct rsa_public *, rsa_public_free(*p))

size_t rsa_public_size(const struct rsa_public *key); /* of the modulus, in bytes */

/* `block` has the size of the modulus, and is less than it. */
SE_MUST_CHECK se_status rsa_public_encrypt(se_buf *out, const struct rsa_public *key, se_bytes block, se_error *err);

#endif
