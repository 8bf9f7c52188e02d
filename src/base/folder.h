/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a folder. */
#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

#include "base/error.h"

typedef se_status folder_entry_fn(void *arg, const char *path, se_error *err);

/*
 * Calls `fn` for each entry but "." and "..", in the order of their names, until it fails.
 * SE_ERR_ACCESS: no permission; SE_ERR_IO: not a folder, or any other failure.
 */
SE_MUST_CHECK se_status folder_each(const char *folder, folder_entry_fn *fn, void *arg,
                                    se_error *err);

#endif
