/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that survive the loss of their token: what was lost (session, login, object, slot, module)
 * is opened anew, and the operation is tried once more.
 */
#ifndef KEYSTORE_PKCS11_RECOVERY_H
#define KEYSTORE_PKCS11_RECOVERY_H

#include "keystore/pkcs11/key.h"

/*
 * An EVP_PKEY that signs and decrypts with `key`, which it takes over, also on failure; it is held
 * with its token and module for as long as the EVP_PKEY lives.  `watch` may be NULL.
 *
 * When the token is lost and does not come back at once, or does not answer in time, operations
 * fail with SE_ERR_UNAVAILABLE: at once and without asking the token, but for one caller at a time
 * that tries whether it is back (base/breaker.h).
 */
SE_MUST_CHECK se_status p11_key_wrap(EVP_PKEY **out, struct p11_key *key, X509 *certificate,
                                     const struct key_watch *watch, se_error *err);

#endif
