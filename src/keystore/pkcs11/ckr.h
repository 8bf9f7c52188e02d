/* SPDX-License-Identifier: Apache-2.0 */
/* What a PKCS #11 return value is called and what it means to the engine. */
#ifndef KEYSTORE_PKCS11_CKR_H
#define KEYSTORE_PKCS11_CKR_H

#include <p11-kit/pkcs11.h>

#include "base/error.h"

/* "CKR_PIN_INCORRECT"; "an unknown CKR" for a value of a vendor's own; never NULL. */
const char *ckr_name(CK_RV rv);

/* SE_ERR_UNAVAILABLE: the token is away; SE_ERR_ACCESS, SE_ERR_KEY, SE_ERR_CRYPTO, SE_ERR_MEMORY as
 * they say; else SE_ERR_STORE. */
se_status ckr_status(CK_RV rv);

/* A session that answered so must not be used again. */
bool ckr_breaks_session(CK_RV rv);

/* error_set() with ckr_status(rv), and the name and number of `rv` behind the text. */
#define ckr_error(err, rv, ...) ckr_error_at((err), (rv), __FILE__, __LINE__, __VA_ARGS__)
se_status ckr_error_at(se_error *err, CK_RV rv, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
