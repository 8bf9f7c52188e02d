#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char *const names[] = {
    [SE_OK] = "ok",
    [SE_ERR_MEMORY] = "out of memory",
    [SE_ERR_USAGE] = "usage",
    [SE_ERR_CONFIG] = "configuration",
    [SE_ERR_NO_DESCRIPTOR] = "no descriptor",
    [SE_ERR_POLICY] = "policy",
    [SE_ERR_KEY] = "key",
    [SE_ERR_STORE] = "key store",
    [SE_ERR_ACCESS] = "access",
    [SE_ERR_UNAVAILABLE] = "unavailable",
    [SE_ERR_FORMAT] = "format",
    [SE_ERR_REJECTED] = "rejected",
    [SE_ERR_IO] = "input/output",
    [SE_ERR_CANCELLED] = "cancelled",
    [SE_ERR_CRYPTO] = "cryptography",
};

const char *se_status_name(se_status status)
{
    size_t i = (size_t)status;

    return i < sizeof names / sizeof *names ? names[i] : "unknown";
}

se_status error_set_at(se_error *err, se_status status, const char *file, int line,
                       const char *format, ...)
{
    va_list args;

    if (!err || err->status)
        return status;
    err->status = status;
    err->file = file;
    err->line = line;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    text_clean(err->text);
    return status;
}

se_status error_copy(se_error *err, se_status status, const se_error *failure)
{
    return error_set_at(err, status, failure->file, failure->line, "%s", failure->text);
}

se_status error_restate(se_error *err, se_status status)
{
    if (err)
        err->status = status;
    return status;
}

se_status error_prefix(se_error *err, const char *format, ...)
{
    char text[sizeof err->text];
    va_list args;
    int n;

    if (!err)
        return SE_OK;
    memcpy(text, err->text, sizeof text);
    va_start(args, format);
    n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof err->text)
        (void)snprintf(err->text + n, sizeof err->text - (size_t)n, "%s", text);
    text_clean(err->text);
    return err->status;
}

se_status error_suffix(se_error *err, const char *format, ...)
{
    size_t size = err ? strlen(err->text) : 0;
    va_list args;

    if (!err)
        return SE_OK;
    va_start(args, format);
    (void)vsnprintf(err->text + size, sizeof err->text - size, format, args);
    va_end(args);
    text_clean(err->text);
    return err->status;
}
