/* SPDX-License-Identifier: Apache-2.0 */
/* What is brought in: a key with its certificates, or what a CA sends back. */
#ifndef PROVISION_IMPORT_H
#define PROVISION_IMPORT_H

#include "crypto/key.h"
#include "provision/backup/wrapped_key.h"
#include "provision/provision.h"

struct imported_key {
    EVP_PKEY *key;
    X509 *certificate;
    STACK_OF(X509) * chain;            /* may be NULL */
    const struct wrapped_key *wrapped; /* as it comes, `key` is its public half then; borrowed,
                                          NULL: `key` is the key */
};

/* SE_ERR_FORMAT: it is neither PKCS #12 nor PEM, or does not hold one key with its certificate;
 * SE_ERR_ACCESS: the password is another. */
SE_MUST_CHECK se_status imported_key_read(struct imported_key *out,
                                          const struct provision_import *import, se_error *err);
void imported_key_free(struct imported_key *imported);
AUTO_KIND(imported_key, struct imported_key, imported_key_free(p))

/* In provision.c: provision_import() with what was read; `what`: but for the file, its name and
 * password, and authorities. */
SE_MUST_CHECK se_status provision_put_key(struct target *target, const struct imported_key *in,
                                          const struct provision_import *what,
                                          const struct provision_report *report, se_error *err);

/* PEM or DER: certificates, or a PKCS #7 / CMS with certificates in it (RFC 5652).  SE_ERR_FORMAT:
 * none of these. */
SE_MUST_CHECK se_status ca_reply_read(STACK_OF(X509) * *out, se_bytes file, se_error *err);

/* *own: the one for `public_key`, borrowed from `reply`; *chain: its issuers.  SE_ERR_FORMAT: the
 * reply is about another key. */
SE_MUST_CHECK se_status ca_reply_choose(X509 **own, STACK_OF(X509) * *chain,
                                        const STACK_OF(X509) * reply, EVP_PKEY *public_key,
                                        se_error *err);

#endif
