#include "mail/gmime.h"

#include "base/foreign.h"

struct gmime gmime;

static const struct foreign_function functions[] = {
#define ROW(function) { #function, &gmime.function },
    GMIME_FUNCTIONS(ROW)
#undef ROW
};

/* For ever: others in the process may use GMime too. */
static void begin(void)
{
    gmime.g_mime_init();
}

/* GLib's functions are found through it */
static struct foreign library = FOREIGN("libgmime-3.0.so.0", "mail", functions, begin);

se_status gmime_load(se_error *err)
{
    return foreign_load(&library, err);
}
