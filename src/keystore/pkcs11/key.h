/* A private key on a token as the bridge (crypto/provider_keymgmt.h) wants it: key, token and
 * module are held for as long as the EVP_PKEY lives. */
#ifndef KEYSTORE_PKCS11_KEY_H
#define KEYSTORE_PKCS11_KEY_H

#include "keystore/pkcs11/tokenkey.h"

/* An open key, counted: threads in mid-operation keep one that has been replaced. */
struct hsm_key {
    unsigned refs;
    unsigned losses;      /* of the token's sessions, when the key was found */
    struct token_key key; /* its token and public key are counted here */
};

/*
 * Opens module and token, logs in, and finds the key that `ref` means and that may do what `part`
 * says.  *certificate, if given, is the one that it must match; else it becomes the one on the
 * token.  With *chain: the issuers of the certificate.
 */
SE_MUST_CHECK se_status hsm_key_open(struct hsm_key **out, X509 **certificate,
                                     STACK_OF(X509) * *chain, const struct keyref *ref,
                                     enum key_part part, se_error *err);
void hsm_key_unref(struct hsm_key *key); /* accepts NULL */
AUTO_KIND(hsm_key, struct hsm_key *, hsm_key_unref(*p))

/* An EVP_PKEY that signs with `key`, which it takes over, also on failure.  `watch` may be NULL. */
SE_MUST_CHECK se_status hsm_key_bridge(EVP_PKEY **out, struct hsm_key *key, X509 *certificate,
                                       const struct key_watch *watch, se_error *err);

#endif
