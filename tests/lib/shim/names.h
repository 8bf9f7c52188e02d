/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of PKCS #11 by their names, as the shim's file has them. */
#ifndef TESTS_LIB_SHIM_NAMES_H
#define TESTS_LIB_SHIM_NAMES_H

#include <p11-kit/pkcs11.h>
#include <stdbool.h>

/* "CKR_DEVICE_ERROR" or "0x30"; false: neither. */
bool name_answer(CK_RV *out, const char *word);

/* "CKM_RSA_PKCS" or "0x1". */
bool name_mechanism(CK_MECHANISM_TYPE *out, const char *word);

#endif
