/*
 * Foreign libraries that are loaded when they are needed: with those that they need themselves they would take longer than all else that a
 * short process does, and most processes need none of them.
 */
#ifndef BASE_FOREIGN_H
#define BASE_FOREIGN_H

#include <pthread.h>

#include "base/error.h"

struct foreign_function {
    const char *name;
    void *place; /* of a pointer to it */
};

struct foreign {
    const char *file; /* as "libpq.so.5", found where every library is found; its number stands for the ABI that was compiled against */
    const char *user; /* who needs it, as "histories in PostgreSQL" */
    const struct foreign_function *functions;
    size_t count;
    void (*begin)(void); /* what it wants to be called first; NULL: nothing */
    pthread_once_t once;
    char failure[300];
};
#define FOREIGN(file, user, functions, begin)                                                                                              \
    {                                                                                                                                      \
        file, user, functions, sizeof(functions) / sizeof *(functions), begin, PTHREAD_ONCE_INIT, ""                                       \
    }

/* At the first call, from any thread, and for ever.  SE_ERR_UNAVAILABLE: it is not there, or has not all functions. */
SE_MUST_CHECK se_status foreign_load(struct foreign *library, se_error *err);

#endif
