/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a login is made of, and how its token is asked for.
 *
 * All that changes in it is guarded by the lock for moments (base/fork_lock.h).  Asking takes
 * seconds, and is a flight: it has a worker thread, at most one for each login, and everybody
 * without a token waits for its end with a semaphore on its own stack.
 *
 * In the child of a fork the parent's flights never end, and those who wait for them are not there:
 * they are forgotten when the child first looks.
 */
#ifndef KEYSTORE_AZURE_LOGIN_STATE_H
#define KEYSTORE_AZURE_LOGIN_STATE_H

#include <semaphore.h>

#include "base/breaker.h"
#include "keystore/azure/credential.h"

enum { CLAIMS_ROOM = 2048 };

struct waiter {
    sem_t posted; /* once `status` is there and it is in the list no more */
    se_status status;
    se_error failure;
    struct waiter *next;
};

struct login {
    struct login *next;
    unsigned refs;

    /* never change */
    const struct keyref *ref;
    const struct credential_type *type;
    struct vault_place place;
    struct http_pool *pool;

    se_buf header;             /* with the token; empty: none */
    int64_t until, refresh_at; /* clock_boot_ms(): tokens end while the machine sleeps, too */
    char claims[CLAIMS_ROOM];  /* that the next token must answer */
    unsigned claims_count;     /* of all so far */
    struct breaker breaker;
    se_error failure; /* of the last flight */

    bool is_flying;
    unsigned generation; /* that the flight belongs to */
    enum breaker_leave leave;
    struct waiter *waiters;
};

/* With the lock held, before anything else is done with a login. */
void login_forget_foreign(struct login *login);

#endif
