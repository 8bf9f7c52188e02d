/*
 * The sessions that are open with one token: grown on demand, shared by all keys on it, given out
 * in the order of asking. No lock is held while a token works.
 */
#ifndef KEYSTORE_PKCS11_POOL_H
#define KEYSTORE_PKCS11_POOL_H

#include <stdint.h>
#include <time.h>

#include "keystore/pkcs11/session.h"
#include "keystore/pkcs11/slot.h"

enum {
    POOL_RELEARN_S = 10, /* other programs may have given sessions back */
};

struct waiter;

struct idle {
    CK_SESSION_HANDLE handle;
    int64_t since;
};

struct pool {
    struct module *module;
    CK_SLOT_ID slot;

    pthread_mutex_t lock; /* of what follows */
    struct idle *idle;    /* the one used last is taken first; none while somebody waits */
    size_t idle_count, room;
    size_t open;        /* idle, in use, being opened and being closed */
    size_t held;        /* idle and in use: while there is one, the login lasts */
    size_t told, limit; /* how many the token says it has; how many it really had at `learned` */
    time_t learned;
    struct waiter *first, **last;
    bool logged_in;
    unsigned losses; /* atomic: read without the lock too */
};

void pool_init(struct pool *pool, struct module *module, const struct slot *slot);
/* All sessions are back. */
void pool_free(struct pool *pool);

/*
 * A session, idle or new.  A new one is opened while fewer than `most` (0: any number) and fewer
 * than the token's limit are open; else the call waits for one to come back, for `wait_ms` at the
 * most.  The caller ends it with session_end(). SE_ERR_UNAVAILABLE: none came back in time.
 */
SE_MUST_CHECK se_status pool_take(struct session *out, struct pool *pool, size_t most,
                                  unsigned wait_ms, se_error *err);

/* One that is broken takes all others with it: idle ones are closed now, those in use when they
 * come back. */
void pool_put(struct pool *pool, const struct session *session);

/* The module has been initialised anew: no session from before is open any more. */
void pool_forget(struct pool *pool);

/*
 * Closes those that nobody has used for `seconds`.  With the last one the login goes and object
 * handles lose their meaning, so that is a loss of the sessions like any other.
 */
void pool_close_idle(struct pool *pool, unsigned long seconds);

/* Holds for all sessions that were opened since the same loss. */
void pool_logged_in(struct pool *pool, const struct session *session);

/* How often the sessions were lost so far: when it changes, object handles from before may mean
 * nothing any more. */
unsigned pool_losses(struct pool *pool);

#endif
