/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One lock for moments: what it guards is read or changed without a call that could wait.  No fork
 * leaves it held in the child.  The only place of the libraries that registers fork handlers.
 */
#ifndef BASE_FORK_LOCK_H
#define BASE_FORK_LOCK_H

void fork_lock_take(void);
void fork_lock_give(void);

/* How many forks, in which the lock was in use, lie behind this process: what belongs to another
 * generation belongs to a parent. */
unsigned fork_generation(void);

#endif
