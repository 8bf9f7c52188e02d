#include "history/libsqlite.h"

#include <pthread.h>

#include "base/foreign.h"

struct libsqlite sq;

static const struct foreign_function functions[] = {
#define ROW(function) { #function, &sq.function },
    LIBSQLITE_FUNCTIONS(ROW)
#undef ROW
};

static struct foreign library = { "libsqlite3.so.0", "histories in SQLite", functions, sizeof functions / sizeof *functions, "" };

static void load(void)
{
    (void)foreign_load(&library);
}

se_status libsqlite_load(se_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, load);
    return foreign_status(&library, err);
}
