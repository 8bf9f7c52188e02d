/* One lock for moments: what it guards is read or changed without a call that could wait.  No fork leaves it held in the child. */
#ifndef STORE_PKCS11_BRIEFLOCK_H
#define STORE_PKCS11_BRIEFLOCK_H

void brief_lock(void);
void brief_unlock(void);

#endif
