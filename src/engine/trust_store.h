/* SPDX-License-Identifier: Apache-2.0 */
/* Whose signatures are accepted: the versions of a descriptor, and CAs. */
#ifndef ENGINE_TRUST_STORE_H
#define ENGINE_TRUST_STORE_H

#include "crypto/signature.h"
#include "engine/engine.h"

/* Where a certificate comes from.  A key that was certified anew has several. */
struct expected_origin {
    const struct descriptor *descriptor;
    struct key *key;
};

/* The versions of a descriptor that can be looked at, newest first; `choose` says what they sign
 * with. */
struct expected_signers {
    struct expected_signer *list;    /* with the certificates of `origins` */
    STACK_OF(X509) * issuers;        /* theirs, as far as the key stores have them */
    struct expected_origin *origins; /* beside `list` */
    size_t count, room;
    se_error missing; /* why a version could not be looked at, if one could not */
};
SE_MUST_CHECK se_status expected_signers_collect(struct expected_signers *out,
                                                 struct engine *engine, const char *descriptor,
                                                 unsigned version, key_algorithm_fn *choose,
                                                 se_error *err);
void expected_signers_free(struct expected_signers *expected);
AUTO_KIND(expected_signers, struct expected_signers, expected_signers_free(p))

/* CAs that vouch for signers, and for time stamping authorities. */
struct trust_stores {
    X509_STORE *signers; /* NULL: only the descriptor's certificates are accepted */
    X509_STORE *tsas;
};
SE_MUST_CHECK se_status trust_stores_choose(struct trust_stores *out,
                                            const struct expected_signers *expected,
                                            const se_verify_params *params, se_error *err);
void trust_stores_free(struct trust_stores *stores);
AUTO_KIND(trust_stores, struct trust_stores, trust_stores_free(p))

/*
 * The certificates of a PEM file.  An anchor of trust need not be self-signed (RFC 5280, 6.1): an
 * issuing CA may be trusted, or a certificate itself, and not the public root above it.
 */
SE_MUST_CHECK se_status trust_store_load(X509_STORE **out, const char *path, se_error *err);

#endif
