/* Locks that no fork leaves held in the child. */
#ifndef BASE_FORK_LOCK_H
#define BASE_FORK_LOCK_H

#include <pthread.h>

/* A lock of one's own, which every fork takes, and gives again in both processes. */
struct fork_guard {
    pthread_mutex_t *mutex;
    void (*in_child)(void); /* called in the child while the lock is held; may be NULL */
    struct fork_guard *next;
};

/* Once for each; it stays. */
void fork_guard_add(struct fork_guard *guard);

/* One lock for moments: what it guards is read or changed without a call that could wait. */
void fork_lock_take(void);
void fork_lock_give(void);

#endif
