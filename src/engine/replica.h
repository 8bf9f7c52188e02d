/* One place that holds a key: whether it serves, and who looks whether it serves again. */
#ifndef ENGINE_REPLICA_H
#define ENGINE_REPLICA_H

#include "base/breaker.h"
#include "engine/event.h"

struct replica {
    const struct keyref *ref;
    const struct reporter *reporter;
    struct key *key; /* NULL: not opened so far; once set, it stays */

    /* under fork_lock_take() */
    struct breaker breaker; /* of what can't be opened or refuses; for one that is open and away its
                               store has its own */
    pid_t process;          /* where its probe began: in the child of a fork nobody ends it */
    bool foreign;           /* it holds another key, and is never used */
    se_error failure;       /* the last one */
};

/* What all replicas hold: the public key of the first that could be opened. */
struct likeness {
    EVP_PKEY *public; /* NULL: none so far */
    const struct replica *of;
};

/* What is to be done with the private key of whichever replica does it. */
struct task {
    se_status (*run)(const struct task *task, EVP_PKEY *key, se_error *err);
    se_buf *out;
    const void *how;
    se_bytes in;
};

/* Whether another replica may do what one failed at with that status. */
bool replica_may_mend(se_status status);

/* For the first time, by one thread.  The key of the first replica becomes the likeness;
 * SE_ERR_KEY, and `foreign`: it holds another. */
SE_MUST_CHECK se_status replica_open(struct replica *replica, enum key_part part,
                                     struct likeness *likeness, se_error *err);

/* Tells the application that it does not serve. */
void replica_tell_lost(struct replica *replica);

/*
 * Runs `task`, with a key that is opened now if it was not.  A replica that is known not to serve
 * fails at once as it did before, but for one caller at a time that looks whether it serves again.
 */
SE_MUST_CHECK se_status replica_run(struct replica *replica, enum key_part part,
                                    struct likeness *likeness, const struct task *task,
                                    se_error *err);

#endif
