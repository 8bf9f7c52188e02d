#include "mail/gmime.h"

#include <pthread.h>

#include "base/foreign.h"

struct gmime gmime;

static const struct foreign_function functions[] = {
#define ROW(function) { #function, &gmime.function },
    GMIME_FUNCTIONS(ROW)
#undef ROW
};

/* GLib's functions are found through it */
static struct foreign library = { "libgmime-3.0.so.0", "mail", functions, sizeof functions / sizeof *functions, "" };

/* For ever: others in the process may use GMime too. */
static void load(void)
{
    if (foreign_load(&library))
        gmime.g_mime_init();
}

se_status gmime_load(se_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, load);
    return foreign_status(&library, err);
}
