/* PBMAC1 as the MAC of a PKCS #12 file (RFC 9579, RFC 8018, 7.1), which OpenSSL can check since 3.4
 * only. */
#ifndef KEYSTORE_PBMAC1_H
#define KEYSTORE_PBMAC1_H

#include <openssl/pkcs12.h>

#include "keystore/password.h"

/* Whether the file's MAC is one. */
bool pbmac1_is(const PKCS12 *pkcs12);

/* *out: whether it is right under that password.  `file`: the DER that `pkcs12` was read from.
 * SE_ERR_STORE: it is of an unknown kind. */
SE_MUST_CHECK se_status pbmac1_check(bool *out, const PKCS12 *pkcs12, se_bytes file,
                                     const struct password *password, se_error *err);

#endif
