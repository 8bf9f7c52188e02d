/*
 * What names a key in a file: its friendlyName or, where it has none (as files of .NET and Go) or
 * shares it, its certificate or a number. Java writes aliases in lower case, so that case does not
 * count unless two names differ in nothing else.
 */
#ifndef KEYSTORE_NAMING_H
#define KEYSTORE_NAMING_H

#include "crypto/key.h"

/* The greater, the better. */
enum naming {
    NAMED_NOT,
    NAMED_BY_NUMBER,      /* hexadecimal: localKeyID, key ID, the certificate's fingerprint (SHA-1,
                             SHA-256) or serial number */
    NAMED_BY_CERTIFICATE, /* its subject; of a key without a name also its common name or
                             friendlyName */
    NAMED_ALIKE,          /* but for case */
    NAMED_EXACTLY,
};

struct nameable {
    const char *name; /* "" without one */
    se_bytes id;      /* localKeyID, may be empty */
    EVP_PKEY *public; /* either may be NULL */
    X509 *certificate;
};

enum naming naming_of(const struct nameable *what, const char *alias);

/* The i-th thing that may name it, the best first; false: there are no more.  *out may become "".
 */
enum { NAMING_ROOM = 256 };
bool naming_suggest(char out[NAMING_ROOM], const struct nameable *what, size_t i);

#endif
