/* SPDX-License-Identifier: Apache-2.0 */
/* What key stores that are files have in common. */
#ifndef PROVISION_FILE_KEYSTORE_H
#define PROVISION_FILE_KEYSTORE_H

#include "keystore/bundle.h"
#include "provision/keystore.h"

/* Of the key derivation (PBKDF2): each guess of a PIN costs some hundredths of a second, which the
 * owner pays once per key. */
enum { FILE_ITERATIONS = 100000 };

/* What each kind of file begins with. */
struct file_keystore {
    struct keystore keystore;
    const char *alias;    /* of the key in it; "": it has one key only */
    se_buf pin;           /* empty: the private key lies open */
    struct bundle bundle; /* what is in it */

    EVP_PKEY *key; /* new ones */
    STACK_OF(X509) * certificates;
};
void file_keystore_release(struct file_keystore *file);

se_status file_keystore_find(struct key_pair *out, struct keystore *keystore, se_error *err);
se_status file_keystore_generate(struct key_pair *out, struct keystore *keystore,
                                 const struct key_profile *profile, se_error *err);
se_status file_keystore_put_key(struct keystore *keystore, EVP_PKEY *key,
                                const struct key_profile *profile, se_error *err);

/* The file's content; empty when there is no such file. */
SE_MUST_CHECK se_status key_file_read(se_buf *out, const char *path, se_error *err);

/* In place of the file that is there, for its owner only if it is new. */
SE_MUST_CHECK se_status key_file_write(const char *path, se_bytes content, se_error *err);
SE_MUST_CHECK se_status key_file_remove(const char *path, se_error *err);

/* In PEM, without a PIN, straight into `out`: EVP_PKEY2PKCS8() leaves a copy behind. */
bool key_write_plain(BIO *out, EVP_PKEY *key);

/* `more` behind what is there, without what is there already. */
SE_MUST_CHECK se_status certificates_join(STACK_OF(X509) * *into, const STACK_OF(X509) * more,
                                          se_error *err);

/*
 * A row per key, then one per certificate without a key.  `only`: of that key; NULL: of all.  A key
 * is called what chooses it (bundle_handle()), or `name` where that is not NULL: there is no need
 * to choose.
 */
void file_keystore_list(const struct bundle *bundle, const struct bundle_key *only,
                        const char *name, const struct provision_report *report);

#endif
