/* SPDX-License-Identifier: Apache-2.0 */
/* A SoftHSM of the test's own, in a folder that goes when the test ends; its tokens are filled by
 * other people's tools. */
#ifndef TESTS_TOKEN_FIXTURE_H
#define TESTS_TOKEN_FIXTURE_H

#include "keystore/keystore.h"
#include "tests/lib/shim/fault.h"
#include "tests/lib/shim/shim.h"
#include "tests/unit/unit.h"

#define PIN "1234"

extern char softhsm[]; /* path of the module; set by fixture_make() */
extern const char shim_path[];

/* Group setup and teardown.  Skips the program (77) when something that it needs is not installed.
 */
int fixture_make(void **state);
int fixture_drop(void **state);

/* For a token that is there already: the fixture's folder is $TOKEN_FOLDER, and stays. */
int fixture_given(void **state);
int fixture_release(void **state);

/* A shell command in the fixture's folder; it must succeed. */
void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A path in the fixture's folder; lasts until the next call but three. */
const char *file_of(const char *name);

void make_token(const char *label);

/* NAME.key and NAME.pem; `kind`: "rsa:2048", "ec:P-256".  `options` of openssl req, as "-CA ca.pem
 * -CAkey ca.key". */
void make_certificate(const char *name, const char *kind, const char *options);

/* Into the token, under `label` and the CKA_ID `id` (hexadecimal). */
void put_key(const char *token, const char *name, const char *label, const char *id);
void put_certificate(const char *token, const char *name, const char *label, const char *id);

/* make_certificate() and both puts. */
void put_pair(const char *token, const char *name, const char *kind, const char *id);

/* What the configuration would say: SoftHSM, the PIN; `token` may be NULL.  Lasts until the test
 * program ends. */
struct keyref *ref_to(const char *token, const char *alias);
void ref_pin(struct keyref *ref, const char *pin);

/* The same through the shim; *shim is fresh. */
struct keyref *ref_through_shim(struct shim **shim, const char *token, const char *alias);
/* The same; *faults is fresh too. */
struct keyref *ref_through_faults(struct faults **faults, const char *token, const char *alias);

/* Opens and expects the status; the text of a failure must hold every string up to NULL. */
struct key *opens(const struct keyref *ref, enum key_part part);
void refuses(se_status status, const struct keyref *ref, enum key_part part, ...)
    __attribute__((sentinel));

/* The token and its module; both are to be closed. */
struct token;
struct module;
struct token *token_of(const struct keyref *ref, struct module **module);

/* After failures of a token that is away: until it is asked again. */
void wait_for_probe(void);

/* Signs a hash by EVP, as everything above the store does; the status is the store's.  `salt` 0:
 * PKCS #1 v1.5, or ECDSA. */
se_status sign_hash(se_buf *out, struct key *key, enum digest digest, int salt, se_bytes hash,
                    se_error *err);
/* Decrypts by EVP, likewise. */
struct unwrap_how;
se_status decrypt_blob(se_buf *out, struct key *key, const struct unwrap_how *how, se_bytes blob,
                       se_error *err);
bool verify_hash(struct key *key, enum digest digest, int salt, se_bytes hash, se_bytes signature);

/* A hash of its own for each `n`, SHA-256 and PKCS #1 v1.5 or ECDSA. */
se_status sign_and_verify(struct key *key, unsigned n, se_error *err);
void still_signs(struct key *key);

#endif
