/* SPDX-License-Identifier: Apache-2.0 */
/* Whether certificates have been revoked, as far as CRLs and OCSP responders can tell. */
#ifndef CRYPTO_REVOCATION_H
#define CRYPTO_REVOCATION_H

#include "crypto/revocation_report.h"

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
    se_revocation_source source; /* who tells about the certificate itself */
    char teller[256];            /* the CRL's issuer, or the responder; "": nobody tells */
    int64_t update;              /* thisUpdate */
    char
        note[256]; /* why it is not known; or that it was revoked, but after the time that counts */
};

/*
 * About the certificate, and each above it up to an anchor or a self-signed one.
 * SE_ERR_REJECTED: one was revoked, or it is not known and rules->required.
 */
SE_MUST_CHECK se_status revocation_check(struct revocation *out,
                                         const struct revocation_question *question,
                                         const struct revocation_rules *rules, se_error *err);

#endif
