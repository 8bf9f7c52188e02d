/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations that are signed. */
#ifndef ENGINE_SIGNED_CONFIG_H
#define ENGINE_SIGNED_CONFIG_H

#include "config/config.h"

/* Whom to trust, before; what was signed, after signed_config_check(). */
struct signed_config {
    const char *path, *trust;
    const se_revocation_params *revocation; /* NULL: it is not looked at */
    se_buf canonical;
};

/* For config_options.vouch; `arg` is a struct signed_config.  The second is for the configuration
 * that was parsed then, and reads its files. */
SE_MUST_CHECK se_status signed_config_check(void *arg, se_bytes text, se_error *err);
SE_MUST_CHECK se_status signed_config_check_files(struct config *config,
                                                  const struct signed_config *checked,
                                                  se_error *err);

#endif
