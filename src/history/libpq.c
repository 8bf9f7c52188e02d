#include "history/libpq.h"

#include "base/foreign.h"

struct libpq pq;

static const struct foreign_function functions[] = {
#define ROW(function) { #function, &pq.function },
    LIBPQ_FUNCTIONS(ROW)
#undef ROW
};

/* the one ABI that libpq has had since 2005 */
static struct foreign library = FOREIGN("libpq.so.5", "histories in PostgreSQL", functions, NULL);

se_status libpq_load(se_error *err)
{
    return foreign_load(&library, err);
}
