/* Whether a private key on a token is the one that a certificate speaks of. */
#ifndef KEYSTORE_PKCS11_MATCH_H
#define KEYSTORE_PKCS11_MATCH_H

#include "keystore/pkcs11/tokenkey.h"

/*
 * key->object against key->public: by CKA_MODULUS; by the CKA_EC_POINT of a public key with the
 * same CKA_ID or, without that, the alias; else by a signature that is verified, or something that
 * it decrypts.
 */
SE_MUST_CHECK se_status key_matches(bool *out, struct token_key *key, struct session *session,
                                    se_error *err);

/* What the attributes alone tell of that: nothing is signed or decrypted. */
enum evidence { SAME, OTHER, UNKNOWN };
SE_MUST_CHECK se_status key_compare(enum evidence *out, const struct token_key *key,
                                    struct session *session, se_error *err);

#endif
