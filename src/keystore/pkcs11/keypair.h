/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate and the private key that an alias means on a token. */
#ifndef KEYSTORE_PKCS11_KEYPAIR_H
#define KEYSTORE_PKCS11_KEYPAIR_H

#include "keystore/pkcs11/key.h"

/* The certificate with that label, of several the one to use now (certificate_precedes()), and the
 * others of its key.  SE_ERR_KEY lists what is there. */
SE_MUST_CHECK se_status keypair_certificate(struct certificates *out, struct session *session,
                                            const struct keyref *ref, se_error *err);

/*
 * The same for encrypting.  SE_ERR_KEY: the token says that its private key may not decrypt, or is
 * another one.  In a session that is not logged in, or without a private key on the token, nothing
 * is known about that.
 */
SE_MUST_CHECK se_status keypair_recipient(struct certificates *out, struct session *session,
                                          const struct keyref *ref, se_error *err);

/*
 * Fills key->object, always_authenticate, may_leave and public_key (which is then the caller's),
 * and *certificates, where key->token and key->ref say. The private key has the alias as its label,
 * or else the CKA_ID of the certificate, and may sign; the certificate has the alias as its label,
 * unless certificates->own is given.  Of several, those that belong together, and of these the one
 * to use now. SE_ERR_KEY says what is missing, and what is there.
 */
SE_MUST_CHECK se_status keypair_find(struct p11_key *key, struct certificates *certificates,
                                     struct session *session, se_error *err);

#endif
