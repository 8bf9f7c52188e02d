#include "history/libpq.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#define LIBRARY "libpq.so.5" /* the one ABI that libpq has had since 2005 */

struct libpq pq;
static char failure[200];

/* ISO C has no way from a data pointer to a function. */
static bool find(void *library, const char *name, void *place)
{
    void *symbol = dlsym(library, name);

    memcpy(place, &symbol, sizeof symbol);
    return symbol;
}

/* It stays loaded: OpenSSL and others that it uses do not take it well to be unloaded. */
static void load(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    bool found = library;
    const char *why;

#define FIND(function) found = found && find(library, #function, &pq.function);
    LIBPQ_FUNCTIONS(FIND)
#undef FIND
    if (found)
        return;
    why = dlerror();
    (void)snprintf(failure, sizeof failure, "histories in PostgreSQL need libpq: %.150s", why ? why : "it lacks a function");
}

se_status libpq_load(se_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, load);
    return *failure ? error_set(err, SE_ERR_UNAVAILABLE, "%s", failure) : SE_OK;
}
