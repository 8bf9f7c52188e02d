/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of keys while their token has faults: each way in which the store uses a token,
 * with a result that can be judged. */
#ifndef TESTS_TOKEN_WORKS_H
#define TESTS_TOKEN_WORKS_H

#include "tests/token/fixture.h"

enum work {
    WORK_SIGN,         /* ECDSA */
    WORK_DECRYPT,      /* OAEP by the token */
    WORK_DECRYPT_RAW,  /* with the padding removed in software */
    WORK_SIGN_CAREFUL, /* with a key that wants the PIN for each signature */
    WORKS,
};

/* Group setup and teardown: fixture_make(), and token `lab` with the keys. */
int works_fill(void **state);
int works_drop(void **state);

/* Through the shim, whose controls are fresh if they are wanted. */
struct keyref *work_ref(enum work work);
struct keyref *work_ref_fresh(struct shim **shim, struct faults **faults, enum work work);
enum key_part work_part(enum work work);

/* A result that is wrong is SE_ERR_CRYPTO. */
se_status work_do(struct key *key, enum work work, unsigned n, se_error *err);

/* Until it works again, which must be within a second. */
void becomes_healthy(struct key *key, enum work work);

#endif
