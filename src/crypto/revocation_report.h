/* SPDX-License-Identifier: Apache-2.0 */
/* Who may tell whether a certificate has been revoked, and what one of them says. */
#ifndef CRYPTO_REVOCATION_REPORT_H
#define CRYPTO_REVOCATION_REPORT_H

#include <openssl/ocsp.h>

#include "crypto/key.h"

AUTO_KIND(crl, X509_CRL *, X509_CRL_free(*p))
AUTO_KIND(crl_stack, STACK_OF(X509_CRL) *, sk_X509_CRL_pop_free(*p, X509_CRL_free))

DEFINE_STACK_OF(OCSP_BASICRESP)

/* By how much the clock of somebody who says so may differ from ours. */
enum { REVOCATION_CLOCKS_DIFFER_S = 300 };

/* Both are made before the first one is added; counted. */
struct revocation_sources {
    STACK_OF(X509_CRL) * crls;
    STACK_OF(OCSP_BASICRESP) * answers;
};

/* False: out of memory. */
bool revocation_sources_begin(struct revocation_sources *out);
void revocation_sources_free(struct revocation_sources *sources);

enum { REVOCATION_WHY = 152 };

/* Adds what somebody says who is asked about the certificate; false: nobody is named, or `why`
 * nothing came. */
typedef bool (*revocation_fetch_fn)(char why[REVOCATION_WHY], struct revocation_sources *sources,
                                    X509 *certificate, X509 *issuer);

/* What is looked at; NULL where one is expected: revocation is not looked at. */
struct revocation_rules {
    struct revocation_sources *sources; /* of the user, and more: what a signature brings, and what
                                           is fetched */
    bool wanted;                        /* false: what a signature brings only */
    revocation_fetch_fn ask_responder;  /* always; NULL: not at all */
    revocation_fetch_fn fetch_crl;      /* where nobody else tells; NULL: not at all */
    int64_t now;
    int64_t max_age;                /* seconds since its thisUpdate for which somebody tells
                                       something; 0: until its nextUpdate */
    bool required;                  /* who can't be found out about is refused */
    bool stamps_outlive_compromise; /* what was stamped before a key was known to be compromised
                                       stays good */
};

struct revocation_report {
    enum { REPORT_NOTHING, REPORT_GOOD, REPORT_REVOKED } kind;
    int64_t since; /* revoked: when, or when it became invalid if that was earlier */
    long reason;   /* revoked: RFC 5280, 5.3.1 */
    se_revocation_source source;
    char teller[256];
    int64_t update;           /* its thisUpdate */
    char why[REVOCATION_WHY]; /* nothing: why not, in words about the certificate; "": nobody says
                                 anything about it */
};

/* Somebody says nothing against a certificate; whether that tells something. */
struct good_statement {
    const char *what, *does; /* for messages: "CRL of its issuer", "name" */
    int64_t until;           /* its nextUpdate */
    int64_t expired_since;   /* from when on it tells about those that have expired, too (X.509,
                                9.5.2.12; RFC 6960, 4.4.4); 0: it need not */
};

/* `out` has its thisUpdate already; `expiry` is the certificate's. */
void report_good(struct revocation_report *out, const struct revocation_rules *rules,
                 const struct good_statement *s, int64_t expiry);

void report_nothing(struct revocation_report *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
