#include "base/arguments.h"

#include <string.h>

#include "base/error.h"

/* "a, f(b, c)": the first argument, or what is in its parentheses first, and where the next one
 * begins. */
static const char *next_name(const char **name, size_t *size, const char *names)
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
        names = next_name(&name, &size, names);
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
