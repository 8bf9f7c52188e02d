/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions with tokens, each used by one thread at a time: single ones, and the pool of a token.
 * The pool grows on demand, is shared by all keys on the token, and serves callers in the order in
 * which they ask.  No lock is held while a token works.
 */
#ifndef KEYSTORE_PKCS11_SESSION_H
#define KEYSTORE_PKCS11_SESSION_H

#include "keystore/pkcs11/module.h"

struct pool;

struct session {
    CK_FUNCTION_LIST *calls;
    struct module *module;
    CK_SESSION_HANDLE handle;
    struct pool *pool; /* where it goes back to; NULL: it is closed */
    unsigned losses;   /* of its pool, when it was opened */
    bool logged_in;    /* as far as its pool knows */
    bool broken;       /* not to be used again */
};

/* A session outside of any pool: `flags` may be CKF_RW_SESSION.  The caller ends it with
 * session_end(). */
SE_MUST_CHECK se_status session_open(struct session *out, struct module *module, CK_SLOT_ID slot,
                                     CK_FLAGS flags, se_error *err);

/*
 * Closes it or gives it back to its pool; accepts an empty one and leaves it empty.  A broken one
 * takes the others of its pool with it: idle ones are closed now, those in use when they come back.
 */
void session_end(struct session *session);
AUTO_KIND(session, struct session, session_end(p))

/* ckr_error() that also remembers when `rv` means that the session is lost. */
#define session_error(err, session, rv, ...)                                                       \
    (session_note((session), (rv)), ckr_error_at((err), (rv), __FILE__, __LINE__, __VA_ARGS__))
void session_note(struct session *session, CK_RV rv);

/* ---- the pool of a token ---- */

enum {
    POOL_RELEARN_MS = 10000, /* other programs may have given sessions back */
};

struct pool_waiter;

struct idle_session {
    CK_SESSION_HANDLE handle;
    int64_t since; /* clock_boot_ms() */
};

struct pool {
    struct module *module;
    CK_SLOT_ID slot;

    pthread_mutex_t lock;      /* of what follows */
    struct idle_session *idle; /* the one used last is taken first; none while somebody waits */
    size_t idle_count, room;
    size_t open;           /* idle, in use, being opened and being closed */
    size_t held;           /* idle and in use: while there is one, the login lasts */
    size_t claimed, limit; /* how many the token says it has; how many it really had at `learned` */
    int64_t learned;       /* clock_monotonic_ms() */
    struct pool_waiter *first, **last;
    bool logged_in;
    unsigned losses; /* atomic: read without the lock too */
};

/* `claimed`: CK_TOKEN_INFO.ulMaxSessionCount. */
void pool_init(struct pool *pool, struct module *module, CK_SLOT_ID slot, unsigned long claimed);
/* All sessions are back. */
void pool_free(struct pool *pool);

/*
 * A session, idle or new.  A new one is opened while fewer than `most` (0: any number) and fewer
 * than the token's limit are open; else the call waits up to `wait_ms` for one to come back.  The
 * caller ends it with session_end().  SE_ERR_UNAVAILABLE: none came back in time.
 */
SE_MUST_CHECK se_status pool_take(struct session *out, struct pool *pool, size_t most,
                                  unsigned wait_ms, se_error *err);

/*
 * Closes those that nobody has used for `seconds`.  With the last one the login goes and object
 * handles lose their meaning, so that is a loss of the sessions like any other.
 */
void pool_close_idle(struct pool *pool, unsigned long seconds);

/* Holds for all sessions that were opened since the same loss. */
void pool_note_login(struct pool *pool, const struct session *session);

/* How often the sessions were lost so far: when it changes, object handles from before may mean
 * nothing any more. */
unsigned pool_losses(struct pool *pool);

/* The module has been initialised anew, by us or by others: the sessions of all its tokens are
 * gone. */
void sessions_forget(struct module *module);

/* ---- the list of session handles (module.h) ---- */

void session_handles_init(struct session_handles *handles);
void session_handles_free(struct session_handles *handles);

/* What a new session learns of its number. */
enum handle_is {
    HANDLE_NEW,     /* it is in the list now */
    HANDLE_KNOWN,   /* the other one is void; the new session must not be used: it is closed
                       together with the other */
    HANDLE_CLOSING, /* the same, but of a number that may have come free a moment ago */
    HANDLE_LOST,    /* no memory */
};
enum handle_is session_handles_add(struct session_handles *handles, CK_SESSION_HANDLE value);

/* Around C_CloseSession.  True: it must be closed once more, because a new session came meanwhile;
 * else it is off the list. */
void session_handles_close(struct session_handles *handles, CK_SESSION_HANDLE value);
bool session_handles_closed(struct session_handles *handles, CK_SESSION_HANDLE value);

/* Of a session that is known to be gone. */
void session_handles_drop(struct session_handles *handles, CK_SESSION_HANDLE value);

#endif
