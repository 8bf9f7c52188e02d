/* Who else could read or change the files that a key is in. */
#ifndef CONFIG_EXPOSURE_H
#define CONFIG_EXPOSURE_H

#include "config/config.h"

typedef void (*exposure_fn)(void *arg, const char *text);

/* Tells `fn` of each file of `ref` that others than root and the user of this process may read or
 * change, though they should not. */
void keyref_exposure(const struct keyref *ref, exposure_fn fn, void *arg);

#endif
