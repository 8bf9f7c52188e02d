/* SPDX-License-Identifier: Apache-2.0 */
/* A token, as an application would open it that knows nothing of the engine.  The key's label is
 * `bench`. */
#ifndef TESTS_BENCH_BARE_H
#define TESTS_BENCH_BARE_H

#include <p11-kit/pkcs11.h>

#include "tests/bench/race.h"

struct bare {
    CK_FUNCTION_LIST *calls;
    CK_SLOT_ID slot;
    unsigned threads; /* that it can bear; 0: any number */
};

void bare_open(struct bare *bare, const char *module, const char *label, const char *pin_file);
CK_SESSION_HANDLE bare_session(const struct bare *bare);
CK_OBJECT_HANDLE bare_key(const struct bare *bare, CK_SESSION_HANDLE session);

/* A C_Sign loop, and nothing else: RSA PKCS #1 over the DigestInfo of a SHA-256 hash. */
extern const unsigned char bare_digest_info[51];
struct runner bare_signer(struct bare *bare);

#endif
