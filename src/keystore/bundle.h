/* SPDX-License-Identifier: Apache-2.0 */
/* What a key file holds, and the choice of one key from it: shared by the stores that read files,
 * and by the commands that change them. */
#ifndef KEYSTORE_BUNDLE_H
#define KEYSTORE_BUNDLE_H

#include "keystore/keystore.h"

enum { BUNDLE_KEYS = 64, BUNDLE_FILE_LIMIT = 4 << 20, BUNDLE_HANDLE = 256 };

struct bundle_key {
    EVP_PKEY *key; /* NULL: it can't be used, and `why` says why not */
    char *name;    /* friendlyName, "" without one */
    se_buf id;     /* localKeyID */
    se_error why;
};

struct bundle {
    struct bundle_key *keys[BUNDLE_KEYS];
    size_t count;
    STACK_OF(X509) * certificates; /* with X509_alias for friendlyName, X509_keyid for localKeyID */
};

/*
 * Takes over `key`, also on failure.  NULL: it can't be used, and *why says so to whoever wants it:
 * one that is not asked for is no reason to refuse another.  `name` and `id` may be NULL and empty.
 */
SE_MUST_CHECK se_status bundle_add_key(struct bundle *bundle, EVP_PKEY *key, const char *name,
                                       se_bytes id, const se_error *why, se_error *err);
SE_MUST_CHECK se_status bundle_add_certificate(struct bundle *bundle, X509 *certificate,
                                               se_error *err); /* likewise taken over */

/* SE_ERR_ACCESS: it has private keys, and the PIN opens none of them. */
SE_MUST_CHECK se_status bundle_check_pin(const struct bundle *bundle, se_error *err);

/*
 * The one key that `alias` names, or without one the only one that there is; *out is NULL when
 * there is none at all.  It may be one that can't be used.  SE_ERR_KEY: none has that name, or
 * several have.
 */
SE_MUST_CHECK se_status bundle_choose(const struct bundle_key **out, const struct bundle *bundle,
                                      const char *alias, se_error *err);

/* How many keys that would be, and the first of them. */
size_t bundle_find(const struct bundle_key **out, const struct bundle *bundle, const char *alias);

/* The same key may be in a file twice. */
bool bundle_same_key(const struct bundle_key *one, const struct bundle_key *other);

/* The certificate to use now for that key; borrowed, may be NULL. */
X509 *bundle_certificate(const struct bundle *bundle, const struct bundle_key *key);

/* What to write as alias to choose that key and no other: its name, if it is its own, or what else
 * names it. */
void bundle_handle(char out[BUNDLE_HANDLE], const struct bundle *bundle,
                   const struct bundle_key *key);

/* The key that `ref` means, with the certificate that matches it. */
SE_MUST_CHECK se_status bundle_open(struct key **out, const struct bundle *bundle,
                                    const struct keyref *ref, enum key_part part, se_error *err);
void bundle_free(struct bundle *bundle);
AUTO_KIND(bundle, struct bundle, bundle_free(p))

#endif
