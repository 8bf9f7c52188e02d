/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key store that commands change: a token or a file, opened at one alias.
 * Changes stay with commit(), and are gone again after a close() without one.
 */
#ifndef PROVISION_KEYSTORE_H
#define PROVISION_KEYSTORE_H

#include "crypto/key.h"
#include "provision/backup/wrapped_key.h"
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

enum protection {
    PROTECTION_USUAL, /* as the store thinks best */
    PROTECTION_HSM,
    PROTECTION_SOFTWARE,
};

/* What a key is to be like that is made or brought in. */
struct key_profile {
    struct key_type type; /* of one that is made */
    unsigned uses;        /* USE_ bits */
    enum protection protection;
    unsigned days;      /* until it expires; 0: it does not */
    bool is_exportable; /* may leave its token under another key */
};
struct cert_profile;

/* How a key is to leave. */
struct wrap_wish {
    EVP_PKEY *const *keys;    /* of who gets the file key */
    const char *const *names; /* of them, for messages */
    size_t count;             /* up to WRAPPED_MOST */
    X509 *certificate;        /* of the key */
    bool is_revealed;         /* gives the file key out as well */
    bool is_tried;            /* try_wrapped() comes first */
};

/* CKA_ID and localKeyID of what belongs to a key. */
enum { KEY_ID_SIZE = PUBLIC_ID };

enum replace {
    REPLACE_NOTHING, /* what is new stands beside what is there */
    REPLACE_ALL,     /* everything that was there goes */
};

enum access {
    ACCESS_LOOK, /* lists what may be seen, with the PIN if there is one */
    ACCESS_USE,  /* signs and changes */
};

struct keystore {
    const struct keystore_ops *ops;
    const struct target *target;
};

/* What not every store can do; bits. */
enum keystore_feature {
    KEYSTORE_VERSIONS = 1,   /* a key has versions, and they can be listed */
    KEYSTORE_DELETED = 2,    /* deleted keys can be listed */
    KEYSTORE_PROTECTION = 4, /* a key is in an HSM or in software, as one likes */
    KEYSTORE_EXPIRY = 8,     /* a key may have a last day of its own */
    KEYSTORE_REQUESTS = 16,  /* it makes the key together with the request */
    KEYSTORE_FILES = 32,     /* the file that the configuration names for the certificate is its own
                                business */
    KEYSTORE_READABLE = 64,  /* whoever has the PIN reads the private key */
    KEYSTORE_EXPORTABLE = 128, /* whether a key may leave is up to who makes it */
};

struct keystore_ops {
    unsigned features;      /* enum keystore_feature */
    const char *usual_type; /* of a new key; NULL: the usual one */
    const char *force_does; /* to what is there; NULL: "replaces it" */

    /* On failure *out is NULL. */
    se_status (*open)(struct keystore **out, const struct target *target, enum access access,
                      se_error *err);
    /* Whether there is anything under the alias; SE_ERR_KEY: several keys, of which a command that
     * changes one can't say which. */
    se_status (*holds)(bool *out, const struct keystore *keystore, se_error *err);
    /* The one key under the alias; SE_ERR_KEY: there is none, or several. */
    se_status (*find)(struct key_pair *out, struct keystore *keystore, se_error *err);

    se_status (*generate)(struct key_pair *out, struct keystore *keystore,
                          const struct key_profile *profile, se_error *err);
    se_status (*put_key)(struct keystore *keystore, EVP_PKEY *key,
                         const struct key_profile *profile, se_error *err);
    /* After find(), generate() or put_key(); `chain` may be NULL, certificates of it that are there
     * already are passed over. */
    se_status (*put_certificates)(struct keystore *keystore, X509 *certificate,
                                  const STACK_OF(X509) * chain, se_error *err);
    se_status (*commit)(struct keystore *keystore, enum replace replace, se_error *err);

    /* Of a store that makes certificates itself: the key, with one that it has signed; it stays
     * without commit().  NULL: generate() and put_certificates() do it. */
    se_status (*generate_certified)(struct keystore *keystore, const struct key_profile *key,
                                    const struct cert_profile *certificate, se_error *err);
    /* Likewise the key with a request, KEYSTORE_REQUESTS; `force`: instead of one that waits for
     * its answer. NULL: the key is there, and signs one. */
    se_status (*request)(X509_REQ **out, struct keystore *keystore, const struct key_profile *key,
                         const struct cert_profile *certificate, bool force, se_error *err);

    /*
     * Of a store whose keys leave it under another key, if at all; NULL: they do not.  The private
     * key, which find() has found, under a new file key, and that for each of the wish.
     * SE_ERR_USAGE: it may not leave; SE_ERR_POLICY: a key of the wish is none that the store
     * encrypts for; SE_ERR_STORE: the store has no way that others can read.
     */
    se_status (*wrap_key)(struct wrapped_key *out, struct keystore *keystore,
                          const struct wrap_wish *wish, se_error *err);
    /* That such a key comes back, and is what its certificate says: for as long as it takes to sign
     * once.  SE_ERR_STORE: the store has no way to read it; SE_ERR_REJECTED: it is another key. */
    se_status (*try_wrapped)(struct keystore *keystore, const struct wrapped_key *key,
                             se_error *err);
    /* The same for good, as put_key(). */
    se_status (*put_wrapped)(struct keystore *keystore, const struct wrapped_key *key,
                             const struct key_profile *profile, se_error *err);

    /* `scope`: enum list_scope; only as far as its features go. */
    se_status (*list)(struct keystore *keystore, unsigned scope,
                      const struct provision_report *report, se_error *err);
    void (*close)(struct keystore *keystore);
};

extern const struct keystore_ops token_keystore_ops, pkcs12_keystore_ops, pem_keystore_ops,
    vault_keystore_ops;

/* NULL: commands change no store of that kind. */
const struct keystore_ops *keystore_ops_find(const struct target *target);

/* SE_ERR_USAGE: there are none.  The caller closes *out, which is NULL after a failure. */
SE_MUST_CHECK se_status target_keystore_open(struct keystore **out, const struct target *target,
                                             enum access access, se_error *err);

/* Accepts NULL. */
static inline void keystore_close(struct keystore *keystore)
{
    if (keystore)
        keystore->ops->close(keystore);
}
AUTO_KIND(keystore, struct keystore *, keystore_close(*p))

#endif
