/* SPDX-License-Identifier: Apache-2.0 */
/* The PIN of a key file as a password: the forms that it may have, and the MAC that it makes. */
#ifndef KEYSTORE_PASSWORD_H
#define KEYSTORE_PASSWORD_H

#include <openssl/pkcs12.h>

#include "base/buf.h"

struct password {
    const char *text; /* NULL: none at all, which the derivation of PKCS #12 distinguishes from an
                         empty one */
    int length;
};

/*
 * The PIN itself is the first.  An empty one may be none at all; of one beyond ASCII, OpenSSL
 * before 1.1.0 took each byte for a character (passphrase-encoding(7)).
 */
struct passwords {
    struct password forms[2];
    size_t count;
    unsigned char *bytewise; /* wiped */
    size_t bytewise_size;
};

/* `pin` outlives *out. */
SE_MUST_CHECK se_status passwords_of(struct passwords *out, const se_buf *pin, se_error *err);
void passwords_free(struct passwords *passwords);
AUTO_KIND(passwords, struct passwords, passwords_free(p))

/*
 * PBMAC1 as the MAC of a PKCS #12 file (RFC 9579, RFC 8018, 7.1), which OpenSSL can check since 3.4
 * only.
 */

/* Whether the file's MAC is one. */
bool pbmac1_is(const PKCS12 *pkcs12);

/* *out: whether it is right under that password.  `file`: the DER that `pkcs12` was read from.
 * SE_ERR_STORE: it is of an unknown kind. */
SE_MUST_CHECK se_status pbmac1_check(bool *out, const PKCS12 *pkcs12, se_bytes file,
                                     const struct password *password, se_error *err);

#endif
