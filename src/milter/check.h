/* `signengine-milter --check`: what could not work once mail comes. */
#ifndef MILTER_CHECK_H
#define MILTER_CHECK_H

#include "milter/service.h"

typedef void (*check_tell_fn)(const char *text, bool warning);

/* Tells each thing that can't work, or is risky.  `probe`: opens the keys, and signs with them.
 * Returns the first status. */
SE_MUST_CHECK se_status check_setup(const struct setup *setup, bool probe, check_tell_fn tell);

#endif
