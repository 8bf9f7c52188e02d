/* One lock for moments: what it guards is read or changed without a call that could wait.  No fork
 * leaves it held in the child. */
#ifndef BASE_FORK_LOCK_H
#define BASE_FORK_LOCK_H

void fork_lock_take(void);
void fork_lock_give(void);

#endif
