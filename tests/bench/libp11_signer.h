/* SPDX-License-Identifier: Apache-2.0 */
/* libp11 on a token, as an application of OpenSSL uses it.  The key's label is `bench`. */
#ifndef TESTS_BENCH_LIBP11_SIGNER_H
#define TESTS_BENCH_LIBP11_SIGNER_H

#include "tests/bench/race.h"

/* EVP_PKEY_sign in a loop: RSA PKCS #1 over a SHA-256 hash. */
struct runner libp11_signer(const char *module, const char *label, const char *pin_file);

#endif
