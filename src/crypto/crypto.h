/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenSSL that the engine works with: a library context of its own, so that the application's
 * is never changed. */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include <openssl/evp.h>

#include "base/error.h"
#include "config/algorithm.h"

/* Made at the first call, shared by all engines of the process, and never freed.  NULL: out of
 * memory. */
OSSL_LIB_CTX *crypto_context(void);

/* Adds the RC2 and RC4 of old PKCS #12 files; a system without them still reads the others. */
void crypto_legacy(void);

/* error_set() with OpenSSL's own reason behind the text; empties this thread's error queue. */
se_status crypto_error(se_error *err, se_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Whether OpenSSL has just failed because it has no such algorithm, and not because of what it was
 * given.  Its errors stay, and must have been cleared before.
 */
bool crypto_lacks(void);

/* Fetched once, with crypto_context(), for looking them up takes longer than using them.  NULL:
 * there is none. */
const EVP_MD *crypto_md(enum digest digest);
const EVP_CIPHER *crypto_cipher(enum cipher cipher, unsigned bits);
EVP_MAC *crypto_hmac(void);

/* HKDF with SHA-256 and without a salt (RFC 5869, 2.2 and 2.3). */
SE_MUST_CHECK se_status crypto_hkdf(unsigned char *out, size_t size, se_bytes secret, se_bytes info,
                                    se_error *err);

/* Of all pieces, one behind the other. */
enum { SHA256_SIZE = 32 };
SE_MUST_CHECK se_status crypto_sha256(unsigned char out[SHA256_SIZE], const se_bytes *pieces,
                                      size_t count, se_error *err);

const char *crypto_digest(enum digest digest); /* OpenSSL's name, "SHA2-256" */

/* Random bytes: what others see is drawn from another generator than what stays secret. */
SE_MUST_CHECK se_status crypto_draw_secret(unsigned char *out, size_t size, se_error *err);
SE_MUST_CHECK se_status crypto_draw_public(unsigned char *out, size_t size, se_error *err);

#endif
