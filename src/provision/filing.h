/* What the shelves that are files have in common. */
#ifndef PROVISION_FILING_H
#define PROVISION_FILING_H

#include "keystore/bundle.h"
#include "provision/shelf.h"

/* Of the key derivation (PBKDF2): a guesser pays for each PIN what its owner pays once for each
 * key, some hundredths of a second. */
enum { FILE_ITERATIONS = 100000 };

/* The file's content; empty when there is no such file. */
SE_MUST_CHECK se_status filing_read(se_buf *out, const char *path, se_error *err);

/* In place of the file that is there, for its owner only if it is new. */
SE_MUST_CHECK se_status filing_write(const char *path, se_bytes content, se_error *err);
SE_MUST_CHECK se_status filing_remove(const char *path, se_error *err);

SE_MUST_CHECK se_status filing_generate(EVP_PKEY **out, const struct key_type *type, se_error *err);

/* Both halves are `key`, which is counted; never fails. */
se_status filing_pair(struct pair *out, EVP_PKEY *key);

/* A bundle's key, or none, as a pair. */
SE_MUST_CHECK se_status filing_find(struct pair *out, const struct bundle_key *key, se_error *err);

/* `more` behind what is there, without what is there already. */
SE_MUST_CHECK se_status certificates_join(STACK_OF(X509) * *into, const STACK_OF(X509) * more,
                                          se_error *err);

/*
 * A row per key, then one per certificate without a key.  `only`: of that key; NULL: of all.  A key
 * is called what chooses it (bundle_handle()), or `name` where that is not NULL: there is no need
 * to choose.
 */
SE_MUST_CHECK se_status filing_list(const struct bundle *bundle, const struct bundle_key *only,
                                    const char *name, const struct provision_report *report,
                                    se_error *err);

#endif
