/*
 * Foreign libraries that are loaded when they are needed: with those that they need themselves they would take longer than all else that a
 * short process does, and most processes need none of them.
 */
#ifndef BASE_FOREIGN_H
#define BASE_FOREIGN_H

#include <stdbool.h>

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
    char failure[300];
};

/* Once for each (pthread_once).  False: it is not there, or has not all functions. */
bool foreign_load(struct foreign *library);

/* What that came to.  SE_ERR_UNAVAILABLE: false. */
SE_MUST_CHECK se_status foreign_status(const struct foreign *library, se_error *err);

#endif
