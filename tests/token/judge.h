/* SPDX-License-Identifier: Apache-2.0 */
/* What a token makes is judged by the openssl command, and what it is given is made by that. */
#ifndef TESTS_TOKEN_JUDGE_H
#define TESTS_TOKEN_JUDGE_H

#include "crypto/provider_keymgmt.h"
#include "tests/token/fixture.h"

/* Signs with `key`; openssl verifies with NAME.pem.  `salt` 0: PKCS #1 v1.5, or ECDSA. */
void signs(struct key *key, const char *name, enum digest digest, int salt);

/* openssl encrypts for NAME.pem; `key` decrypts. */
void decrypts(struct key *key, const char *name, const struct unwrap_how *how);

/* Only the first half; what is inside is `clear_text`.  `options` of openssl pkeyutl, "" for none.
 */
void encrypts(se_buf *out, const char *name, const struct unwrap_how *how, const char *options);
extern const char clear_text[];

/* The key "rsa" of the token "lab", to decrypt with, through the shim; *shim is fresh. */
struct key *open_rsa(struct shim **shim);
/* A good blob for "rsa". */
void fails_to_decrypt(struct key *key, const struct unwrap_how *how, se_status status,
                      const char *text);

int digest_size(enum digest digest);

#endif
