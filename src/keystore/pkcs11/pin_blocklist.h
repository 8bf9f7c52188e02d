/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PINs that tokens refused: a token counts wrong PINs and locks itself, so each is presented
 * once, not once per thread, key, retry or process.  Another PIN for the same token is presented.
 */
#ifndef KEYSTORE_PKCS11_PIN_BLOCKLIST_H
#define KEYSTORE_PKCS11_PIN_BLOCKLIST_H

#include "keystore/pkcs11/token.h"
#include "keystore/refusals.h"

/* ---- of this process, until it ends, as keyed hashes of token and PIN ---- */

/* False: it can't be computed, and the PIN must not be presented. */
bool refused_pin_make(struct refusal *out, const struct module *module, const struct slot *slot,
                      se_bytes pin);
bool pin_blocklist_has(const struct refusal *pin);
void pin_blocklist_add(const struct refusal *pin);

/*
 * ---- of the last hour, for the processes to come ----
 *
 * A token counts the wrong PINs of all processes together, and a service that is started again and
 * again would lock it, or with a TPM all keys of the machine.
 *
 * One small file of this user's (mode 0600) lies where the system has run-time files.  It has of
 * each refusal the moment, a salted hash of the token, and 16 bits of a slow hash of the PIN:
 * enough to know one again, too few to find it.
 */

/*
 * Whether the token refused that PIN within the hour, and how many minutes ago.  `flags`: as the
 * token shows them now; one that showed then that its counter runs, and shows that no more, has had
 * the right PIN since, or a new one, and takes tries again.
 */
bool pin_blocklist_file_has(unsigned *minutes, const struct module *module, const struct slot *slot,
                            CK_FLAGS flags, se_bytes pin);

/* The token has just refused it.  Without a place for the file nothing is remembered. */
void pin_blocklist_file_add(struct module *module, const struct slot *slot, se_bytes pin);

/* What the file has is presented again. */
void pin_blocklist_forget(void);

#endif
