/* SPDX-License-Identifier: Apache-2.0 */
/* The key currency: an EVP_PKEY with its certificate.  Nothing above this line knows where a
 * private key is. */
#ifndef CRYPTO_KEY_H
#define CRYPTO_KEY_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "config/algorithm.h"
#include "crypto/cert_info.h"

AUTO_KIND(evp_pkey, EVP_PKEY *, EVP_PKEY_free(*p))
AUTO_KIND(x509, X509 *, X509_free(*p))
AUTO_KIND(x509_stack, STACK_OF(X509) *, sk_X509_pop_free(*p, X509_free))

enum { KEY_ID = 32 };

struct certificates; /* crypto/certificate.h */

/* Counted and immutable: threads in mid-operation keep a key that has been replaced. */
struct key {
    unsigned refs;
    unsigned char id[KEY_ID]; /* SHA-256 of the certificate's SubjectPublicKeyInfo */
    EVP_PKEY *private;        /* NULL: only the certificate was asked for */
    X509 *certificate;        /* never NULL */
    STACK_OF(X509) * chain;   /* as struct certificates has them */
    STACK_OF(X509) * others;
    STACK_OF(X509) * former;
    struct profile profile; /* of the certificate */
    int64_t turn; /* when another certificate is the one to use, 0: never (engine/key_cache.c) */
    unsigned namesakes; /* other private keys of its name in its store */
    unsigned replica;   /* whose certificate it is, from 1; 0: not a key of the configuration */
    /* which rules its certificate kept, and at which second (engine/key_cache.c) */
    const void *checked_for;
    int64_t checked_at;
};

/* Takes over both, also on failure.  SE_ERR_KEY: key and certificate do not belong together. */
SE_MUST_CHECK se_status key_new(struct key **out, EVP_PKEY *private_key,
                                struct certificates *certificates, se_error *err);
struct key *key_ref(struct key *key);

/* What it has, counted. */
SE_MUST_CHECK se_status key_certificates(struct certificates *out, const struct key *key,
                                         se_error *err);
void key_unref(struct key *key); /* accepts NULL */
AUTO_KIND(key, struct key *, key_unref(*p))

/* SHA-1 of the subjectPublicKey (RFC 5280, 4.2.1.2, method 1) */
enum { PUBLIC_ID = 20 };
SE_MUST_CHECK se_status key_public_id(unsigned char out[PUBLIC_ID], EVP_PKEY *public_key,
                                      se_error *err);

enum key_family key_family(const EVP_PKEY *key);       /* FAMILY_ANY: neither RSA nor EC */
void key_type_name(char out[32], const EVP_PKEY *key); /* "RSA-2048", "EC-P-256" */

/* The curves that have a name of NIST's. */
struct key_curve {
    const char *name, *group; /* "P-256", RFC 7518, 6.2.1.1; OpenSSL's */
    size_t bytes;             /* of a coordinate, and of the order */
};
enum { KEY_CURVES = 3 };
extern const struct key_curve key_curves[KEY_CURVES];

const struct key_curve *key_curve(const EVP_PKEY *key); /* NULL: none of them */

#endif
