#include "base/libunistring.h"

#include <unistring/version.h>

#include "base/foreign.h"

#if _LIBUNISTRING_VERSION < 0x010100
#define FILE_NAME "libunistring.so.2"
#else
#define FILE_NAME "libunistring.so.5"
#endif

struct libunistring unistring;

static const struct foreign_function functions[] = {
#define ROW(function) { #function, &unistring.function },
    LIBUNISTRING_FUNCTIONS(ROW)
#undef ROW
};

static struct foreign library = FOREIGN(FILE_NAME, "names beyond ASCII", functions, NULL);

se_status libunistring_load(se_error *err)
{
    return foreign_load(&library, err);
}
