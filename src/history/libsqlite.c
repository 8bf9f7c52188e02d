#include "history/libsqlite.h"

#include "base/foreign.h"

struct libsqlite sq;

static const struct foreign_function functions[] = {
#define ROW(function) { #function, &sq.function },
    LIBSQLITE_FUNCTIONS(ROW)
#undef ROW
};

static struct foreign library = FOREIGN("libsqlite3.so.0", "histories in SQLite", functions, NULL);

se_status libsqlite_load(se_error *err)
{
    return foreign_load(&library, err);
}
