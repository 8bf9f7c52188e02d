/* SPDX-License-Identifier: Apache-2.0 */
/* Client secrets (RFC 6749, 2.3.1), and those that were refused. */
#ifndef KEYSTORE_AZURE_SECRET_H
#define KEYSTORE_AZURE_SECRET_H

#include "keystore/azure/credential.h"

enum { SECRET_REFUSED_MS = 3600 * 1000 };

/* Presents `secret`, a C string, unless it was refused within the hour: SE_ERR_ACCESS. */
SE_MUST_CHECK se_status secret_present(struct token_answer *out,
                                       const struct credential_request *request,
                                       const struct credential_client *client, const se_buf *secret,
                                       se_error *err);

#endif
