#include "base/foreign.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* ISO C has no way from a data pointer to a function. */
static bool find(void *handle, const struct foreign_function *function)
{
    void *symbol = dlsym(handle, function->name);

    memcpy(function->place, &symbol, sizeof symbol);
    return symbol;
}

/* It stays loaded: OpenSSL, GLib and others that libraries use do not take it well to be unloaded. */
static bool load(struct foreign *library)
{
    void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
    bool found = handle;
    const char *why;

    for (size_t i = 0; found && i < library->count; i++)
        found = find(handle, &library->functions[i]);
    if (found)
        return true;
    why = dlerror();
    (void)snprintf(library->failure, sizeof library->failure, "%s: a library can't be loaded: %s", library->user,
                   why ? why : library->file);
    return false;
}

/* pthread_once() hands nothing on, but calls back on the same thread. */
static _Thread_local struct foreign *wanted;

static void load_wanted(void)
{
    if (load(wanted) && wanted->begin)
        wanted->begin();
}

se_status foreign_load(struct foreign *library, se_error *err)
{
    wanted = library;
    (void)pthread_once(&library->once, load_wanted);
    return *library->failure ? error_set(err, SE_ERR_UNAVAILABLE, "%s", library->failure) : SE_OK;
}
