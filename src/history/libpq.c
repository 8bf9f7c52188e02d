#include "history/libpq.h"

#include <pthread.h>

#include "base/foreign.h"

struct libpq pq;

static const struct foreign_function functions[] = {
#define ROW(function) { #function, &pq.function },
    LIBPQ_FUNCTIONS(ROW)
#undef ROW
};

/* the one ABI that libpq has had since 2005 */
static struct foreign library = { "libpq.so.5", "histories in PostgreSQL", functions, sizeof functions / sizeof *functions, "" };

static void load(void)
{
    (void)foreign_load(&library);
}

se_status libpq_load(se_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, load);
    return foreign_status(&library, err);
}
