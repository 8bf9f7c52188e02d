/* One lock for moments: what it guards is read or changed without a call that could wait.  No fork
 * leaves it held in the child. */
#ifndef BASE_BRIEFLOCK_H
#define BASE_BRIEFLOCK_H

void brief_lock(void);
void brief_unlock(void);

#endif
