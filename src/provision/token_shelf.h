/*
 * A token as a shelf, on one session of our own with p11-kit.
 *
 * libp11 0.4.12 (Debian 12) is not up to this part: it stores no EC keys ("Not supported"), gives
 * every RSA key CKA_DECRYPT and CKA_UNWRAP, stores certificates without CKA_SERIAL_NUMBER, lists no
 * key at all on a token that holds one of a type it does not know (Ed25519), and can't share the
 * module with a session that has just made a key pair.  It initialises tokens: token_init.c.
 */
#ifndef PROVISION_TOKEN_SHELF_H
#define PROVISION_TOKEN_SHELF_H

#include "keystore/pkcs11/object.h"
#include "keystore/pkcs11/token.h"
#include "provision/shelf.h"
#include "provision/template.h"

enum { MADE_MOST = 32 };

struct token_shelf_open {
    struct shelf shelf;
    struct module *module;
    struct token *token;
    struct session session;

    struct objects certificates, publics, privates; /* under the alias, when the shelf was opened */

    CK_OBJECT_HANDLE made[MADE_MOST]; /* since then */
    size_t made_count;
    se_buf id; /* CKA_ID of the key in hand */
    CK_OBJECT_HANDLE
    no_sign; /* a key that has signed its certificate and is to sign nothing more; 0: none */
    bool committed;
};

/* C_CreateObject; the object goes again when the shelf is closed without commit(). */
SE_MUST_CHECK se_status shelf_create(struct token_shelf_open *s, struct template *t,
                                     const char *what, se_error *err);

/* In token_make.c. */
se_status token_generate(struct pair *out, struct shelf *shelf, const struct key_type *type,
                         unsigned uses, se_error *err);
se_status token_put_key(struct shelf *shelf, EVP_PKEY *key, unsigned uses, se_error *err);
se_status token_put_certificates(struct shelf *shelf, X509 *certificate,
                                 const STACK_OF(X509) * chain, se_error *err);

/* Both halves of the pair whose private key is `object`, which belongs to `public` (taken over). */
SE_MUST_CHECK se_status token_pair(struct pair *out, struct token_shelf_open *s,
                                   CK_OBJECT_HANDLE object, EVP_PKEY *public, se_error *err);

/* The public key of a public or private key object, as far as the object tells it; *out is NULL
 * when it does not. */
SE_MUST_CHECK se_status object_public(EVP_PKEY **out, struct session *session,
                                      CK_OBJECT_HANDLE object, se_error *err);

/* In token_own.c: drops what is not of the one private key; SE_ERR_KEY: what is there is of several
 * keys. */
SE_MUST_CHECK se_status token_keep_own(struct token_shelf_open *s, se_error *err);
SE_MUST_CHECK se_status token_check_single(struct token_shelf_open *s, se_error *err);

/* In token_list.c. */
se_status token_list(struct shelf *shelf, bool mine, const struct provision_report *report,
                     se_error *err);

#endif
