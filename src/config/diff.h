/* SPDX-License-Identifier: Apache-2.0 */
/* What two configurations differ in, property by property; PINs masked. */
#ifndef CONFIG_DIFF_H
#define CONFIG_DIFF_H

#include "config/config.h"

/* Of two canonical forms (config_canonical()), as they are written there; se_difference_fn says
 * what is told. */
SE_MUST_CHECK se_status canonical_diff(se_bytes before, se_bytes after, se_difference_fn fn,
                                       void *arg, se_error *err);

/* The same of two configurations, and their PINs. */
SE_MUST_CHECK se_status config_diff(const struct config *before, const struct config *after,
                                    se_difference_fn fn, void *arg, se_error *err);

#endif
