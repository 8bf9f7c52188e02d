/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: reading, naming, and the rules that a use lays on them. */
#ifndef CRYPTO_CERTIFICATE_H
#define CRYPTO_CERTIFICATE_H

#include "config/config.h"
#include "crypto/key.h"

/* A key's certificate, and what its store has beside it; released with certificates_free(). */
struct certificates {
    X509 *own;               /* to sign with; NULL: there is none */
    STACK_OF(X509) * chain;  /* its issuers as far as the store has them, nearest first; may be
                                NULL */
    STACK_OF(X509) * others; /* further ones of the same key: those before a renewal, and one that
                                waits for its day; may be NULL */
    STACK_OF(X509) * former; /* those of other keys that the place had before: a vault's name
                                stays when its certificate is renewed with a key; may be NULL */
};
void certificates_free(struct certificates *all);
AUTO_KIND(certificates, struct certificates, certificates_free(p))

/* One certificate from DER, in crypto_context().  SE_ERR_FORMAT: it is none. */
SE_MUST_CHECK se_status certificate_parse(X509 **out, se_bytes der, se_error *err);

/* All certificates of a PEM text, or the one of a DER file; at least one.  `name` is what messages
 * call it. */
SE_MUST_CHECK se_status certificates_read(STACK_OF(X509) * *out, se_bytes text, const char *name,
                                          se_error *err);

/*
 * A public key that nobody has certified goes as a certificate that nobody has signed
 * (id-alg-noSignature, RFC 5272, appendix C), so that whoever verifies has one kind of key. What it
 * says beside the key is nothing, and is not shown to others. It does not end.
 */
SE_MUST_CHECK se_status certificate_of_key(X509 **out, EVP_PKEY *public_key, se_error *err);
bool certificate_is_bare(const X509 *certificate);

bool certificates_hold(const STACK_OF(X509) * certificates, const X509 *one);

/* Which of two certificates of one key is to be used at `at`: one that is valid then, then one that
 * a CA has issued, for it is newer than the one that the key was made with whatever they say, then
 * the newer, and then the one that lasts longer. */
bool certificate_precedes(const X509 *one, const X509 *other, int64_t at);

/* The certificate of that key which is to be used now; borrowed, NULL: there is none. */
X509 *certificates_choose(const STACK_OF(X509) * certificates, const EVP_PKEY *public_key);

bool certificate_has_key(const X509 *certificate, const EVP_PKEY *key);

/* By name. */
bool certificate_is_self_issued(const X509 *certificate);

/* By name and signature. */
bool certificate_has_issued(X509 *issuer, X509 *certificate);

/*
 * Every issuer of `certificate` among `pool`, and theirs, nearest first and those that are valid
 * now before others; counted.  *out is NULL when there are none.
 */
SE_MUST_CHECK se_status certificates_chain(STACK_OF(X509) * *out, X509 *certificate,
                                           const STACK_OF(X509) * pool, se_error *err);

/* `own` with its issuers and its key's others from `pool`; counted. */
SE_MUST_CHECK se_status certificates_gather(struct certificates *out, X509 *own,
                                            const STACK_OF(X509) * pool, se_error *err);

/* To the others, if it is one of the same key; counted. */
SE_MUST_CHECK se_status certificates_add_other(struct certificates *out, X509 *certificate,
                                               se_error *err);
SE_MUST_CHECK se_status certificates_add_others(struct certificates *out,
                                                const STACK_OF(X509) * pool, se_error *err);

/* To the others if it is one of the same key, and to the former ones if not; counted. */
SE_MUST_CHECK se_status certificates_add_former(struct certificates *out, X509 *certificate,
                                                se_error *err);

/* When, from now on, another certificate of the key is the one to use; 0: never. */
int64_t certificates_turn(const X509 *own, const STACK_OF(X509) * others);

/* RFC 4514, cut to the room there is */
void certificate_subject(char *out, size_t size, const X509 *certificate);
void certificate_issuer(char *out, size_t size, const X509 *certificate);
/* hexadecimal */
void certificate_serial(char *out, size_t size, const X509 *certificate);
/* The same of a name and a number that stand elsewhere. */
void name_text(char *out, size_t size, const X509_NAME *name);
void serial_text(char *out, size_t size, const ASN1_INTEGER *serial);

/* seconds since 1970 */
int64_t certificate_not_after(const X509 *certificate);
int64_t certificate_not_before(const X509 *certificate);

/* Seconds since 1970; 0: not a time. */
int64_t asn1_seconds(const ASN1_TIME *time);

/* What verification says of a signer whose certificate is too old, in the words that are known from
 * elsewhere. */
#define CERTIFICATE_EXPIRED "Verification failed. The certificate has expired."

/* "2026-01-31" in UTC */
void date_text(char out[16], int64_t time);

/*
 * The rules of the descriptor's use, and that its algorithm fits the key.  `at`: the moment at
 * which the certificate must be valid. `refusal`: the status of a refusal, SE_ERR_POLICY when
 * signing, SE_ERR_REJECTED when verifying.
 */
SE_MUST_CHECK se_status certificate_check(const struct descriptor *descriptor, X509 *certificate,
                                          int64_t at, se_status refusal, se_error *err);

/*
 * Whether its extendedKeyUsage allows signatures for that purpose; `own`: it is trusted as itself,
 * and not for its CA's sake.  The second: whether those of the CAs that vouch for it do, path[0]
 * being the certificate.  RFC 5280 leaves open what the extension means in a CA's certificate;
 * OpenSSL, NSS and Windows take it as a limit of what it certifies, and so do we.
 */
SE_MUST_CHECK se_status certificate_purpose(enum purpose purpose, X509 *certificate, bool own,
                                            se_status refusal, se_error *err);
SE_MUST_CHECK se_status certificate_purpose_path(enum purpose purpose, const STACK_OF(X509) * path,
                                                 se_error *err);

/*
 * That the certificate, whose addresses are `named`, names one of `addresses`, as rfc822Name or
 * emailAddress; it goes to `out`.  `count` 0: any certificate will do. Letter case does not count:
 * RFC 5280, 7.5 is stricter about local parts than mail is.
 */
SE_MUST_CHECK se_status addresses_name(char out[320], const STACK_OF(OPENSSL_STRING) * named,
                                       const char *const *addresses, size_t count,
                                       se_status refusal, se_error *err);
SE_MUST_CHECK se_status certificate_names(char out[320], X509 *certificate,
                                          const char *const *addresses, size_t count,
                                          se_status refusal, se_error *err);

#endif
