/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token as a key store, on one session of our own with p11-kit.
 *
 * libp11 0.4.12 (Debian 12) is not up to this part: it stores no EC keys ("Not supported"), gives
 * every RSA key CKA_DECRYPT and CKA_UNWRAP, stores certificates without CKA_SERIAL_NUMBER, lists no
 * key at all on a token that holds one of a type it does not know (Ed25519), and can't share the
 * module with a session that has just made a key pair.  It initialises tokens: token_init.c.
 */
#ifndef PROVISION_TOKEN_KEYSTORE_H
#define PROVISION_TOKEN_KEYSTORE_H

#include "keystore/pkcs11/object.h"
#include "keystore/pkcs11/token.h"
#include "provision/keystore.h"
#include "provision/token_template.h"

enum { MADE_MOST = 32 };

struct token_keystore {
    struct keystore keystore;
    struct module *module;
    struct token *token;
    struct session session;

    struct objects certificates, publics, privates; /* under the alias, when the store was opened */
    X509 *renewed;                                  /* put beside the certificates since then */
    bool is_renewed_there; /* it was on the token before, maybe among what is to go */

    CK_OBJECT_HANDLE made[MADE_MOST]; /* since then */
    size_t made_count;
    se_buf id; /* CKA_ID of the key in hand */
    CK_OBJECT_HANDLE
    no_sign; /* a key that has signed its certificate and is to sign nothing more; 0: none */
    bool committed;
};

/* In token_create.c: new objects go again when the store is closed without commit(). */
se_status token_generate(struct key_pair *out, struct keystore *keystore,
                         const struct key_profile *profile, se_error *err);
se_status token_put_key(struct keystore *keystore, EVP_PKEY *key, const struct key_profile *profile,
                        se_error *err);
se_status token_put_certificates(struct keystore *keystore, X509 *certificate,
                                 const STACK_OF(X509) * chain, se_error *err);

/* That one which is to be exportable is, and is sensitive all the same. */
SE_MUST_CHECK se_status token_check_leaving(struct token_keystore *s, CK_OBJECT_HANDLE private_key,
                                            const struct key_profile *profile, se_error *err);
/* s->renewed, once more if it is there. */
SE_MUST_CHECK se_status token_put_renewed(struct token_keystore *s, se_error *err);

/* The object goes again when the store is closed without commit(); `what` is for messages. */
SE_MUST_CHECK se_status token_object_create(struct token_keystore *s, struct p11_template *t,
                                            const char *what, se_error *err);
/* To s->id: the configured ID, by which the key is to be found; else one made from the key. */
SE_MUST_CHECK se_status token_choose_id(struct token_keystore *s, EVP_PKEY *public_key,
                                        se_error *err);
SE_MUST_CHECK se_status token_put_public(struct token_keystore *s, EVP_PKEY *key, unsigned uses,
                                         se_error *err);
/*
 * Before anything else uses it: only a signature shows that its numbers went over whole, and a
 * single faulty one gives an RSA key away (Boneh, DeMillo, Lipton).  `key`: its public half.
 */
SE_MUST_CHECK se_status token_try_signing(struct token_keystore *s, CK_OBJECT_HANDLE object,
                                          EVP_PKEY *key, se_error *err);

/* In token_wrap.c and token_unwrap.c. */
se_status token_wrap_key(struct wrapped_key *out, struct keystore *keystore,
                         const struct wrap_wish *wish, se_error *err);
se_status token_try_wrapped(struct keystore *keystore, const struct wrapped_key *key,
                            se_error *err);
se_status token_put_wrapped(struct keystore *keystore, const struct wrapped_key *key,
                            const struct key_profile *profile, se_error *err);

/* In token_public_key.c: the private half of a pair, which is `object`, beside the public one that
 * is in it. */
SE_MUST_CHECK se_status token_key_pair(struct key_pair *out, struct token_keystore *s,
                                       CK_OBJECT_HANDLE object, se_error *err);

/* The public key of a public or private key object, if the object has it; *out is NULL
 * when it does not. */
SE_MUST_CHECK se_status token_public_key(EVP_PKEY **out, struct session *session,
                                         CK_OBJECT_HANDLE object, se_error *err);

/* In listing.c. */
se_status token_list(struct keystore *keystore, unsigned scope,
                     const struct provision_report *report, se_error *err);

#endif
