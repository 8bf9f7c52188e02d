/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arguments.h"
#include "base/text.h"

static const char *const status_names[] = {
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

    return i < sizeof status_names / sizeof *status_names ? status_names[i] : "unknown";
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

se_status error_prefix(se_error *err, se_status status, const char *format, ...)
{
    char text[sizeof err->text];
    va_list args;
    int n;

    if (!err || !status)
        return status;
    memcpy(text, err->text, sizeof text);
    va_start(args, format);
    n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof err->text)
        (void)snprintf(err->text + n, sizeof err->text - (size_t)n, "%s", text);
    text_clean(err->text);
    return status;
}

se_status error_suffix(se_error *err, se_status status, const char *format, ...)
{
    size_t size = err ? strlen(err->text) : 0;
    va_list args;

    if (!err || !status)
        return status;
    va_start(args, format);
    (void)vsnprintf(err->text + size, sizeof err->text - size, format, args);
    va_end(args);
    text_clean(err->text);
    return status;
}

/* ---- arguments ---- */

/* "a, f(b, c)": the first argument, or what is in its parentheses first, and where the next one
 * begins. */
static const char *take_argument_name(const char **name, size_t *size, const char *names)
{
    size_t all = strcspn(names, ",("), inside = names[all] == '(' ? all + 1 : 0;

    *name = names + inside;
    *size = strcspn(*name, ",)");
    if (inside)
        all += strcspn(names + all, ")") + 1;
    return names + all + strspn(names + all, ", ");
}

se_status arguments_check_at(se_error *err, const char *function, const char *names,
                             const void *const pointers[], size_t count)
{
    const char *name;
    size_t size;

    if (err)
        *err = (se_error)SE_ERROR_INIT;
    for (size_t i = 0; i < count; i++) {
        names = take_argument_name(&name, &size, names);
        if (!pointers[i])
            return error_set(err, SE_ERR_USAGE, "%s(): '%.*s' is NULL", function, (int)size, name);
    }
    return SE_OK;
}

static bool is_zero(const unsigned char *p, size_t size)
{
    while (size && !*p) {
        p++;
        size--;
    }
    return !size;
}

se_status arguments_options_at(void *out, size_t size, const void *options, const char *type,
                               se_error *err)
{
    size_t theirs = options ? *(const size_t *)options : size;

    memset(out, 0, size);
    if (theirs < sizeof theirs)
        return error_set(err, SE_ERR_USAGE, "%s: its size is not set; { sizeof(%s) } begins one",
                         type, type);
    if (theirs > size && !is_zero((const unsigned char *)options + size, theirs - size))
        return error_set(
            err, SE_ERR_USAGE,
            "%s of %zu bytes: something is set that this library, which knows %zu, is too old for",
            type, theirs, size);
    if (options)
        memcpy(out, options, theirs < size ? theirs : size);
    *(size_t *)out = size;
    return SE_OK;
}
