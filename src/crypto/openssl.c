/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenSSL calls things, and what it says when they fail. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>

#include "crypto/crypto.h"
#include "crypto/key.h"
#include "crypto/provider.h"

/* ---- the failure of a store, past OpenSSL, which has no room for its words ---- */

static _Thread_local se_error last_failure;

void provider_failed(const se_error *err)
{
    last_failure = *err;
}

bool remote_failure(se_error *out)
{
    bool failed = last_failure.status != SE_OK;

    if (failed)
        *out = last_failure;
    last_failure = (se_error)SE_ERROR_INIT;
    return failed;
}

static _Thread_local struct remote_trace last_trace;

const struct remote_trace *remote_trace(void)
{
    return &last_trace;
}

void remote_trace_replica(unsigned replica)
{
    last_trace.replica = replica;
}

void remote_trace_sessions(unsigned sessions)
{
    last_trace.sessions = sessions;
}

void remote_trace_request(const char *sent, const char *answered)
{
    (void)snprintf(last_trace.sent, sizeof last_trace.sent, "%s", sent);
    (void)snprintf(last_trace.answered, sizeof last_trace.answered, "%s", answered);
}

void remote_trace_forget(void)
{
    last_trace.replica = last_trace.sessions = 0;
    *last_trace.sent = *last_trace.answered = '\0';
}

se_status remote_refused(se_error *err)
{
    return error_set(err, SE_ERR_REJECTED, "it does not decrypt with this key");
}

/* ---- errors ---- */

/* OpenSSL has no words for what the system says; where it has asked getaddrinfo(), that one's are
 * beside the code. */
static const char *reason_of(unsigned long code, const char *data)
{
    if (ERR_SYSTEM_ERROR(code))
        return strerror(ERR_GET_REASON(code));
    return ERR_GET_REASON(code) == ERR_R_SYS_LIB && *data ? data : ERR_reason_error_string(code);
}

/* The oldest entry of the queue is the cause, those after it are its consequences. */
static void append_reason(char *text, size_t size)
{
    const char *data = "";
    unsigned long code = ERR_get_error_all(NULL, NULL, NULL, &data, NULL);
    const char *reason = code ? reason_of(code, data) : NULL;
    size_t used = strlen(text);

    if (reason)
        (void)snprintf(text + used, size - used, ": %s", reason);
    ERR_clear_error();
}

se_status crypto_error(se_error *err, se_status status, const char *format, ...)
{
    char text[sizeof err->text];
    se_error remote = SE_ERROR_INIT;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (remote_failure(&remote)) {
        ERR_clear_error();
        return error_set(err, remote.status, "%s: %s", text, remote.text);
    }
    append_reason(text, sizeof text);
    return error_set(err, status, "%s", text);
}

bool crypto_lacks(void)
{
    static const int reasons[] = {
        EVP_R_UNKNOWN_PBE_ALGORITHM, EVP_R_UNKNOWN_CIPHER,
        EVP_R_UNSUPPORTED_CIPHER,    EVP_R_UNSUPPORTED_KEY_DERIVATION_FUNCTION,
        EVP_R_UNSUPPORTED_PRF,       EVP_R_UNKNOWN_DIGEST,
        EVP_R_UNSUPPORTED_SALT_TYPE, EVP_R_UNSUPPORTED_ALGORITHM,
        EVP_R_UNSUPPORTED_KEYLENGTH, EVP_R_NO_CIPHER_SET,
    };
    unsigned long code = ERR_peek_error();

    if (ERR_GET_LIB(code) == ERR_LIB_EVP && ERR_GET_REASON(code) == ERR_R_UNSUPPORTED)
        return true;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (ERR_GET_LIB(code) == ERR_LIB_EVP && ERR_GET_REASON(code) == reasons[i])
            return true;
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_UNSUPPORTED_ENCRYPTION;
}

const char *crypto_digest(enum digest digest)
{
    static const char *const names[] = {
        [DIGEST_NONE] = "",           [DIGEST_SHA1] = "SHA1",       [DIGEST_SHA256] = "SHA2-256",
        [DIGEST_SHA384] = "SHA2-384", [DIGEST_SHA512] = "SHA2-512",
    };

    return names[digest];
}

enum key_family key_family(const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "RSA"))
        return FAMILY_RSA;
    return EVP_PKEY_is_a(key, "EC") ? FAMILY_EC : FAMILY_ANY;
}
