/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/shim/names.h"

#include <stdlib.h>
#include <string.h>

struct name {
    const char *text;
    unsigned long number;
};

/* one level of macro: a second one would expand the name to its number */
#define NAME(name) #name, name

static const struct name answers[] = {
    { NAME(CKR_ARGUMENTS_BAD) },
    { NAME(CKR_ATTRIBUTE_TYPE_INVALID) },
    { NAME(CKR_BUFFER_TOO_SMALL) },
    { NAME(CKR_CRYPTOKI_NOT_INITIALIZED) },
    { NAME(CKR_DATA_INVALID) },
    { NAME(CKR_DATA_LEN_RANGE) },
    { NAME(CKR_DEVICE_ERROR) },
    { NAME(CKR_DEVICE_MEMORY) },
    { NAME(CKR_DEVICE_REMOVED) },
    { NAME(CKR_ENCRYPTED_DATA_INVALID) },
    { NAME(CKR_FUNCTION_CANCELED) },
    { NAME(CKR_FUNCTION_FAILED) },
    { NAME(CKR_FUNCTION_NOT_SUPPORTED) },
    { NAME(CKR_FUNCTION_REJECTED) },
    { NAME(CKR_GENERAL_ERROR) },
    { NAME(CKR_HOST_MEMORY) },
    { NAME(CKR_KEY_FUNCTION_NOT_PERMITTED) },
    { NAME(CKR_KEY_HANDLE_INVALID) },
    { NAME(CKR_KEY_TYPE_INCONSISTENT) },
    { NAME(CKR_MECHANISM_INVALID) },
    { NAME(CKR_MECHANISM_PARAM_INVALID) },
    { NAME(CKR_OBJECT_HANDLE_INVALID) },
    { NAME(CKR_OPERATION_ACTIVE) },
    { NAME(CKR_OPERATION_NOT_INITIALIZED) },
    { NAME(CKR_PIN_EXPIRED) },
    { NAME(CKR_PIN_INCORRECT) },
    { NAME(CKR_PIN_LOCKED) },
    { NAME(CKR_SESSION_CLOSED) },
    { NAME(CKR_SESSION_COUNT) },
    { NAME(CKR_SESSION_HANDLE_INVALID) },
    { NAME(CKR_SLOT_ID_INVALID) },
    { NAME(CKR_TOKEN_NOT_PRESENT) },
    { NAME(CKR_USER_NOT_LOGGED_IN) },
    { NAME(CKR_USER_PIN_NOT_INITIALIZED) },
    { NULL, 0 },
};

static const struct name mechanisms[] = {
    { NAME(CKM_ECDSA) },
    { NAME(CKM_ECDSA_SHA256) },
    { NAME(CKM_ECDSA_SHA384) },
    { NAME(CKM_ECDSA_SHA512) },
    { NAME(CKM_RSA_PKCS) },
    { NAME(CKM_RSA_PKCS_OAEP) },
    { NAME(CKM_RSA_PKCS_PSS) },
    { NAME(CKM_RSA_X_509) },
    { NAME(CKM_SHA256_RSA_PKCS) },
    { NAME(CKM_SHA384_RSA_PKCS) },
    { NAME(CKM_SHA512_RSA_PKCS) },
    { NAME(CKM_SHA256_RSA_PKCS_PSS) },
    { NAME(CKM_SHA384_RSA_PKCS_PSS) },
    { NAME(CKM_SHA512_RSA_PKCS_PSS) },
    { NAME(CKM_RSA_PKCS_KEY_PAIR_GEN) },
    { NAME(CKM_EC_KEY_PAIR_GEN) },
    { NULL, 0 },
};

static bool find(unsigned long *out, const struct name *names, const char *word)
{
    char *end;

    for (const struct name *n = names; n->text; n++)
        if (!strcmp(n->text, word)) {
            *out = n->number;
            return true;
        }
    if (strncmp(word, "0x", 2) != 0)
        return false;
    *out = strtoul(word, &end, 16);
    return word[2] && !*end;
}

bool name_answer(CK_RV *out, const char *word)
{
    return find(out, answers, word);
}

bool name_mechanism(CK_MECHANISM_TYPE *out, const char *word)
{
    return find(out, mechanisms, word);
}
