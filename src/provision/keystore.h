/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key store that commands change: a token or a file, opened at one alias.
 * Changes stay with commit(), and are gone again after a close() without one.
 */
#ifndef PROVISION_KEYSTORE_H
#define PROVISION_KEYSTORE_H

#include "crypto/key.h"
#include "provision/target.h"

/* Both halves; the private one can sign for as long as its store is open. */
struct key_pair {
    EVP_PKEY *private_key, *public_key;
};
static inline void key_pair_free(struct key_pair *pair)
{
    EVP_PKEY_free(pair->private_key);
    EVP_PKEY_free(pair->public_key);
    *pair = (struct key_pair){ NULL, NULL };
}
AUTO_KIND(key_pair, struct key_pair, key_pair_free(p))

struct key_type {
    enum key_family family;
    unsigned bits;     /* RSA */
    const char *group; /* EC, OpenSSL's name */
};

enum key_use { USE_SIGN = 1, USE_ENCRYPT = 2 }; /* bits */

/* CKA_ID and localKeyID of what belongs to a key. */
enum { KEY_ID_SIZE = PUBLIC_ID };

enum replace {
    REPLACE_NOTHING,     /* what is new stands beside what is there */
    REPLACE_CERTIFICATE, /* certificates go that were under the alias when the store was opened */
    REPLACE_ALL,         /* everything that was there goes */
};

enum access {
    ACCESS_LOOK, /* lists what may be seen, with the PIN if there is one */
    ACCESS_USE,  /* signs and changes */
};

struct keystore {
    const struct keystore_ops *ops;
    const struct target *target;
};

struct keystore_ops {
    /* On failure *out is NULL. */
    se_status (*open)(struct keystore **out, const struct target *target, enum access access,
                      se_error *err);
    /* Whether there is anything under the alias; SE_ERR_KEY: several keys, of which a command that
     * changes one can't say which. */
    se_status (*holds)(bool *out, const struct keystore *keystore, se_error *err);
    /* The one key under the alias; SE_ERR_KEY: there is none, or several. */
    se_status (*find)(struct key_pair *out, struct keystore *keystore, se_error *err);

    se_status (*generate)(struct key_pair *out, struct keystore *keystore,
                          const struct key_type *type, unsigned uses, se_error *err);
    se_status (*put_key)(struct keystore *keystore, EVP_PKEY *key, unsigned uses, se_error *err);
    /* After find(), generate() or put_key(); `chain` may be NULL, certificates of it that are there
     * already are passed over. */
    se_status (*put_certificates)(struct keystore *keystore, X509 *certificate,
                                  const STACK_OF(X509) * chain, se_error *err);
    se_status (*commit)(struct keystore *keystore, enum replace replace, se_error *err);

    /* `mine`: of what is under the alias only. */
    se_status (*list)(struct keystore *keystore, bool mine, const struct provision_report *report,
                      se_error *err);
    void (*close)(struct keystore *keystore);
};

extern const struct keystore_ops token_keystore_ops, pkcs12_keystore_ops, pem_keystore_ops;

/* Accepts NULL. */
static inline void keystore_close(struct keystore *keystore)
{
    if (keystore)
        keystore->ops->close(keystore);
}
AUTO_KIND(keystore, struct keystore *, keystore_close(*p))

#endif
