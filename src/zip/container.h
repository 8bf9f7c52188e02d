/* Encrypting what has no name yet. */
#ifndef ZIP_CONTAINER_H
#define ZIP_CONTAINER_H

#include "base/file.h"

/* All of `plain` to a container at `path`. */
SE_MUST_CHECK se_status container_make(const char *path, se_engine *engine, const char *descriptor,
                                       int plain, const se_container_params *params, se_error *err);

#endif
