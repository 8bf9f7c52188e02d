/* SPDX-License-Identifier: Apache-2.0 */
/* Whether certificates have been revoked, as far as CRLs can tell (RFC 5280, 5 and 6.3). */
#ifndef CRYPTO_REVOCATION_H
#define CRYPTO_REVOCATION_H

#include <openssl/x509.h>

#include "crypto/key.h"

AUTO_KIND(crl_stack, STACK_OF(X509_CRL) *, sk_X509_CRL_pop_free(*p, X509_CRL_free))

/* What is looked at; NULL where one is expected: revocation is not looked at. */
struct revocation_rules {
    const STACK_OF(X509_CRL) * crls;
    int64_t now;
    int64_t max_age;                /* seconds since its thisUpdate for which a CRL tells something;
                                       0: until its nextUpdate */
    bool required;                  /* who can't be found out about is refused */
    bool stamps_outlive_compromise; /* what was stamped before a key was known to be compromised
                                       stays good */
};

struct revocation_question {
    X509 *certificate;
    const STACK_OF(X509) * others; /* issuers may be among them; may be NULL */
    X509_STORE *roots; /* likewise; about CAs among these nobody is asked; may be NULL */
    int64_t at;        /* when it signed */
    bool is_stamped;   /* which a time stamp says */
};

/* Start it with zeroes, which say that revocation was not looked at. */
struct revocation {
    se_revocation status;
    char issuer[256]; /* of the CRL that tells about the certificate itself; "": none does */
    int64_t update;   /* its thisUpdate */
    char
        note[256]; /* why it is not known; or that it was revoked, but after the time that counts */
};

/* All CRLs of a PEM text, or the one of a DER file; counted, there may be none.  SE_ERR_FORMAT: one
 * is broken.  `name` is what messages call it. */
SE_MUST_CHECK se_status crls_read(STACK_OF(X509_CRL) * out, se_bytes text, const char *name,
                                  se_error *err);

/*
 * About the certificate, and each above it up to an anchor or a self-signed one.
 * SE_ERR_REJECTED: one was revoked, or it is not known and rules->required.
 */
SE_MUST_CHECK se_status revocation_check(struct revocation *out,
                                         const struct revocation_question *question,
                                         const struct revocation_rules *rules, se_error *err);

#endif
