/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/pkcs11/ckr.h"

#include <stdarg.h>
#include <stdio.h>

/* What a caller can do about it, and whether the session is lost. */
struct meaning {
    CK_RV rv;
    const char *name;
    se_status status;
    bool session_lost;
};

/* one level of macro each: a second one would expand the name to its number */
#define STORE(rv)    rv, #rv, SE_ERR_STORE, false
#define KEY(rv)      rv, #rv, SE_ERR_KEY, false
#define CRYPTO(rv)   rv, #rv, SE_ERR_CRYPTO, false
#define MEMORY(rv)   rv, #rv, SE_ERR_MEMORY, false
#define ACCESS(rv)   rv, #rv, SE_ERR_ACCESS, false
#define AWAY(rv)     rv, #rv, SE_ERR_UNAVAILABLE, true
#define BUSY(rv)     rv, #rv, SE_ERR_UNAVAILABLE, false
#define CONFUSED(rv) rv, #rv, SE_ERR_CRYPTO, true

static const struct meaning meanings[] = {
    { STORE(CKR_OK) },
    { STORE(CKR_CANCEL) },
    { MEMORY(CKR_HOST_MEMORY) },
    { AWAY(CKR_SLOT_ID_INVALID) },
    /* p11-kit's client and several network HSMs say so when their connection is gone */
    { AWAY(CKR_GENERAL_ERROR) },
    { BUSY(CKR_FUNCTION_FAILED) },
    { CRYPTO(CKR_ARGUMENTS_BAD) },
    { STORE(CKR_NO_EVENT) },
    { STORE(CKR_NEED_TO_CREATE_THREADS) },
    { STORE(CKR_CANT_LOCK) },
    { STORE(CKR_ATTRIBUTE_READ_ONLY) },
    { KEY(CKR_ATTRIBUTE_SENSITIVE) },
    { KEY(CKR_ATTRIBUTE_TYPE_INVALID) },
    { KEY(CKR_ATTRIBUTE_VALUE_INVALID) },
    { KEY(CKR_ACTION_PROHIBITED) },
    { CRYPTO(CKR_DATA_INVALID) },
    { CRYPTO(CKR_DATA_LEN_RANGE) },
    { AWAY(CKR_DEVICE_ERROR) },
    { BUSY(CKR_DEVICE_MEMORY) },
    { AWAY(CKR_DEVICE_REMOVED) },
    { CRYPTO(CKR_ENCRYPTED_DATA_INVALID) },
    { CRYPTO(CKR_ENCRYPTED_DATA_LEN_RANGE) },
    { BUSY(CKR_FUNCTION_CANCELED) },
    { STORE(CKR_FUNCTION_NOT_PARALLEL) },
    { STORE(CKR_FUNCTION_NOT_SUPPORTED) },
    { AWAY(CKR_KEY_HANDLE_INVALID) },
    { KEY(CKR_KEY_SIZE_RANGE) },
    { KEY(CKR_KEY_TYPE_INCONSISTENT) },
    { KEY(CKR_KEY_NOT_NEEDED) },
    { KEY(CKR_KEY_CHANGED) },
    { KEY(CKR_KEY_NEEDED) },
    { KEY(CKR_KEY_INDIGESTIBLE) },
    { KEY(CKR_KEY_FUNCTION_NOT_PERMITTED) },
    { KEY(CKR_KEY_NOT_WRAPPABLE) },
    { KEY(CKR_KEY_UNEXTRACTABLE) },
    { KEY(CKR_MECHANISM_INVALID) },
    { KEY(CKR_MECHANISM_PARAM_INVALID) },
    { AWAY(CKR_OBJECT_HANDLE_INVALID) },
    /* an operation of ours is still going on in that session */
    { CONFUSED(CKR_OPERATION_ACTIVE) },
    { CONFUSED(CKR_OPERATION_NOT_INITIALIZED) },
    { ACCESS(CKR_PIN_INCORRECT) },
    { ACCESS(CKR_PIN_INVALID) },
    { ACCESS(CKR_PIN_LEN_RANGE) },
    { ACCESS(CKR_PIN_EXPIRED) },
    { ACCESS(CKR_PIN_LOCKED) },
    { AWAY(CKR_SESSION_CLOSED) },
    { BUSY(CKR_SESSION_COUNT) },
    { AWAY(CKR_SESSION_HANDLE_INVALID) },
    { STORE(CKR_SESSION_PARALLEL_NOT_SUPPORTED) },
    { STORE(CKR_SESSION_READ_ONLY) },
    { STORE(CKR_SESSION_EXISTS) },
    { STORE(CKR_SESSION_READ_ONLY_EXISTS) },
    { BUSY(CKR_SESSION_READ_WRITE_SO_EXISTS) },
    { CRYPTO(CKR_SIGNATURE_INVALID) },
    { CRYPTO(CKR_SIGNATURE_LEN_RANGE) },
    { STORE(CKR_TEMPLATE_INCOMPLETE) },
    { STORE(CKR_TEMPLATE_INCONSISTENT) },
    { AWAY(CKR_TOKEN_NOT_PRESENT) },
    { STORE(CKR_TOKEN_NOT_RECOGNIZED) },
    { STORE(CKR_TOKEN_WRITE_PROTECTED) },
    { AWAY(CKR_UNWRAPPING_KEY_HANDLE_INVALID) },
    { KEY(CKR_UNWRAPPING_KEY_SIZE_RANGE) },
    { KEY(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT) },
    { ACCESS(CKR_USER_ALREADY_LOGGED_IN) },
    /* a token that forgot the login: idle limits of network HSMs, a card that was pulled and put
       back */
    { AWAY(CKR_USER_NOT_LOGGED_IN) },
    { ACCESS(CKR_USER_PIN_NOT_INITIALIZED) },
    { ACCESS(CKR_USER_TYPE_INVALID) },
    { ACCESS(CKR_USER_ANOTHER_ALREADY_LOGGED_IN) },
    { ACCESS(CKR_USER_TOO_MANY_TYPES) },
    { KEY(CKR_WRAPPED_KEY_INVALID) },
    { KEY(CKR_WRAPPED_KEY_LEN_RANGE) },
    { AWAY(CKR_WRAPPING_KEY_HANDLE_INVALID) },
    { KEY(CKR_WRAPPING_KEY_SIZE_RANGE) },
    { KEY(CKR_WRAPPING_KEY_TYPE_INCONSISTENT) },
    { STORE(CKR_RANDOM_SEED_NOT_SUPPORTED) },
    { STORE(CKR_RANDOM_NO_RNG) },
    { KEY(CKR_DOMAIN_PARAMS_INVALID) },
    { KEY(CKR_CURVE_NOT_SUPPORTED) },
    /* the operation goes on, waiting for a larger buffer */
    { CONFUSED(CKR_BUFFER_TOO_SMALL) },
    { STORE(CKR_SAVED_STATE_INVALID) },
    { STORE(CKR_INFORMATION_SENSITIVE) },
    { STORE(CKR_STATE_UNSAVEABLE) },
    { AWAY(CKR_CRYPTOKI_NOT_INITIALIZED) },
    { STORE(CKR_CRYPTOKI_ALREADY_INITIALIZED) },
    { STORE(CKR_MUTEX_BAD) },
    { STORE(CKR_MUTEX_NOT_LOCKED) },
    { STORE(CKR_NEW_PIN_MODE) },
    { STORE(CKR_NEXT_OTP) },
    { STORE(CKR_EXCEEDED_MAX_ITERATIONS) },
    { STORE(CKR_FIPS_SELF_TEST_FAILED) },
    { STORE(CKR_LIBRARY_LOAD_FAILED) },
    { ACCESS(CKR_PIN_TOO_WEAK) },
    { KEY(CKR_PUBLIC_KEY_INVALID) },
    { STORE(CKR_FUNCTION_REJECTED) },
};

static const struct meaning *meaning_find(CK_RV rv)
{
    static const struct meaning unknown = { CKR_VENDOR_DEFINED, "an unknown CKR", SE_ERR_STORE,
                                            true };

    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].rv == rv)
            return &meanings[i];
    return &unknown;
}

const char *ckr_name(CK_RV rv)
{
    return meaning_find(rv)->name;
}

se_status ckr_status(CK_RV rv)
{
    return meaning_find(rv)->status;
}

bool ckr_breaks_session(CK_RV rv)
{
    return rv != CKR_OK && meaning_find(rv)->session_lost;
}

se_status ckr_error_at(se_error *err, CK_RV rv, const char *file, int line, const char *format, ...)
{
    char text[sizeof err->text];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set_at(err, ckr_status(rv), file, line, "%s: %s (0x%lx)", text, ckr_name(rv), rv);
}
