/*
 * The PINs that a token of this process refused: tokens count wrong PINs and lock, so one is
 * presented once, not once per thread, key or retry.  It is remembered until the process ends, as a
 * keyed hash; another PIN for the same token is presented.
 */
#ifndef KEYSTORE_PKCS11_REFUSAL_H
#define KEYSTORE_PKCS11_REFUSAL_H

#include "keystore/pkcs11/slot.h"

enum { REFUSAL_SIZE = 32, REFUSAL_SALT = 32 };

struct refusal {
    unsigned char hash[REFUSAL_SIZE];
};

/* The token, with a PIN or without one, as nobody knows it who has not the salt. */
bool refusal_hash(unsigned char out[REFUSAL_SIZE], const unsigned char salt[REFUSAL_SALT],
                  const struct module *module, const struct slot *slot, se_bytes pin);

/* False: it can't be computed, and the PIN must not be presented. */
bool refusal_make(struct refusal *out, const struct module *module, const struct slot *slot,
                  se_bytes pin);
bool refusal_known(const struct refusal *refusal);
void refusal_remember(const struct refusal *refusal);

#endif
