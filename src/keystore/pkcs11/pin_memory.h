/*
 * PINs that tokens refused within the last hour, for the processes to come: a token counts the
 * wrong PINs of all processes together, and a service that is started again and again would lock
 * it, or with a TPM all keys of the machine.
 *
 * One small file of this user's (mode 0600), where the system has run-time files.  It has of each
 * refusal the moment, a salted hash of which token, and 16 bits of a slow hash of the PIN: enough
 * to know one again, too few to tell which one it was.
 */
#ifndef KEYSTORE_PKCS11_PIN_MEMORY_H
#define KEYSTORE_PKCS11_PIN_MEMORY_H

#include "keystore/pkcs11/slot.h"

/*
 * Whether the token refused that PIN within the hour, and how many minutes ago.  `flags`: as the
 * token shows them now; one that showed then that its counter runs, and shows that no more, has had
 * the right PIN since, or a new one, and takes tries again.
 */
bool pin_memory_knows(unsigned *minutes, const struct module *module, const struct slot *slot,
                      CK_FLAGS flags, se_bytes pin);

/* That the token has just refused it.  Without a place for the file nothing is remembered. */
void pin_memory_add(struct module *module, const struct slot *slot, se_bytes pin);

#endif
