/* SPDX-License-Identifier: Apache-2.0 */
/* The algorithms that a descriptor may name, in every spelling that is in use. */
#ifndef CONFIG_ALGORITHM_H
#define CONFIG_ALGORITHM_H

#include "base/error.h"

enum digest { DIGEST_NONE, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };
enum padding { PADDING_NONE, PADDING_PKCS1, PADDING_PSS }; /* of RSA signatures; NONE: ECDSA */
enum key_family { FAMILY_ANY, FAMILY_RSA, FAMILY_EC };
enum cipher { CIPHER_NONE, CIPHER_AES_CBC, CIPHER_AES_GCM };
enum result { RESULT_NX02, RESULT_CMS, RESULT_JWE };

enum algorithm_kind {
    ALGORITHM_SIGNATURE, /* "SHA256withRSA", ...: digest, family, padding */
    ALGORITHM_DIGEST,    /* "SHA-256", ...: the key decides about the rest (RSA: PKCS #1 v1.5) */
    ALGORITHM_CIPHER,    /* "AES/CBC/PKCS7Padding", ...: cipher, bits, result, oaep, mgf1 */
    ALGORITHM_WRAP,      /* none, only asymCipher: bare RSA-OAEP blobs */
    ALGORITHM_JWS,       /* "RS256", ..., for JWS only: digest, family, padding; "RSA" is RS256 */
};

struct algorithm {
    const char *name; /* canonical: one spelling for each algorithm, static; never NULL */
    enum algorithm_kind kind;

    enum digest digest;
    enum key_family family;
    enum padding padding;

    enum cipher cipher;
    unsigned bits;
    enum result result;
    enum digest oaep, mgf1;
    unsigned char iv[16];
    unsigned iv_size; /* 0: random, as it should be */
};

/*
 * All of *out from type@algorithm; a cipher has 256 bits and the result NX02 until the caller knows
 * better. False: unknown; *nearest (may be NULL) is what was probably meant, or NULL.
 */
bool algorithm_parse(struct algorithm *out, const char *text, const char **nearest);
/* out->oaep from type@asymCipher, and out->mgf1 the same.  Likewise. */
bool algorithm_parse_oaep(struct algorithm *out, const char *text, const char **nearest);
/* Why a name that these two refuse is refused on purpose; NULL: it is only unknown. */
const char *algorithm_weakness(const char *text);

bool digest_parse(enum digest *out, const char *text); /* "SHA-1", "SHA256", "sha-384", ... */
bool result_parse(enum result *out, const char *text); /* "NX02", "cms", ... */

const char *digest_name(enum digest digest); /* "SHA-256"; "" for none */
const char *result_name(enum result result); /* "NX02" */
const char *
oaep_name(enum digest digest); /* "RSA/ECB/OAEPWithSHA-384AndMGF1Padding"; "" for none */

/* The signature algorithm, as "SHA256withRSA", that `digest` with a key of `family` and `padding`
 * makes; NULL: there is none. */
const struct algorithm *algorithm_signature(enum digest digest, enum key_family family,
                                            enum padding padding);

/* The same of JWS, by its name in JOSE (RFC 7518, 3.1), as "RS256". */
const struct algorithm *algorithm_jws(enum digest digest, enum key_family family,
                                      enum padding padding);

#endif
