#include "zip/libunistring.h"

#include <pthread.h>
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

static struct foreign library = { FILE_NAME, "names beyond ASCII", functions, sizeof functions / sizeof *functions, "" };

static void load(void)
{
    (void)foreign_load(&library);
}

se_status libunistring_load(se_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, load);
    return foreign_status(&library, err);
}
