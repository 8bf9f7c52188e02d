/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys for those who verify by JOSE (RFC 7517, RFC 7518). */
#ifndef DAEMON_JWK_H
#define DAEMON_JWK_H

#include "base/buf.h"

/* A key of a JWK set: of the verifier's certificate, which is part of it. */
SE_MUST_CHECK se_status jwk_write(struct writer *w, const char *descriptor,
                                  const se_verifier *verifier, se_error *err);

#endif
