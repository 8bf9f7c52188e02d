/* SPDX-License-Identifier: Apache-2.0 */
/* The rules for the file by which Azure Arc's agent knows programs of its own machine. */
#ifndef KEYSTORE_AZURE_IDENTITY_H
#define KEYSTORE_AZURE_IDENTITY_H

#include "base/buf.h"

#define ARC_TOKENS "/var/opt/azcmagent/tokens"

/*
 * What is in the file `path`, which only root and the agent's group can read.  SE_ERR_STORE: it is
 * not NAME.key right in `folder`, or no file, or longer than 4096 bytes: whoever answers for the
 * agent must not get the content of another one.  SE_ERR_ACCESS: no permission.
 */
SE_MUST_CHECK se_status arc_secret_read(se_buf *out, const char *folder, const char *path,
                                        se_error *err);

#endif
