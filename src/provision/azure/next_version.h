/* SPDX-License-Identifier: Apache-2.0 */
/* What has to stand in the configuration for a key's next version. */
#ifndef PROVISION_AZURE_NEXT_VERSION_H
#define PROVISION_AZURE_NEXT_VERSION_H

#include "provision/azure/session.h"

/*
 * A <descriptor> with the next version for each name that the target's key has, and a <key> that is
 * pinned to `id`; XML.  `certificate`: the file that it will be in; "": none is known.
 */
SE_MUST_CHECK se_status next_version_write(se_buf *out, const struct vault_session *session,
                                           const char *id, const char *certificate, se_error *err);

#endif
